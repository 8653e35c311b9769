"""Bringing data from a source in the browser: choosing, looking, fetching, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import rooms
from data_support import ROWS, settle
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.access import identity
from control_plane.services.datasets import editing, sources
from control_plane.settings import Folders, Networks
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.people import UserRecord
from control_plane.store.secrets import SecretRecord
from control_plane.store.sources import SourceRecord
from source_support import HERE, saying, serving
from web_forms import filled, plain

Browser = Callable[[str], FlaskClient]
PASSWORD = "hunter2-canary"
NEW = "/p/lab/data/sources/new"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "faults.jsonl").write_bytes(ROWS)
    return tmp_path / "shared"


@pytest.fixture
def cp(cp: ControlPlane, shared: Path) -> ControlPlane:
    opened = {"source_folders": Folders(str(shared)), "source_networks": Networks(HERE)}
    return replace(cp, settings=replace(cp.settings, **opened))


@pytest.fixture
def ada(cp: ControlPlane, invite: Callable[..., str], browser: Browser) -> FlaskClient:
    invite("ada", role="Expert")
    rooms.empty(cp)
    return browser("ada")


def newest() -> DatasetDraftRecord:
    found: DatasetDraftRecord = DatasetDraftRecord.select().order_by(DatasetDraftRecord.id.desc()).get()
    return found


def test_a_file_of_a_folder_in_three_clicks_and_no_typed_field(
    cp: ControlPlane, ada: FlaskClient, shared: Path
) -> None:
    choices = ada.get("/p/lab/data/upload").text
    assert f'href="{NEW}/folder"' in choices
    form = ada.get(f"{NEW}/folder").text
    looked = ada.post(f"{NEW}/folder", data=filled(form) | {"act": "look"}).text
    (pick,) = re.findall(r'name="pick" value="([^"]+)"', looked)
    sent = ada.post(f"{NEW}/folder", data=filled(looked) | {"pick": pick.replace("&#34;", '"')})
    draft = newest()
    assert sent.location == f"/p/lab/data/drafts/{draft.id}"
    assert "Fetching the file" in ada.get(sent.location).text
    assert "faults.jsonl" in plain(ada.get("/p/lab/data").text)
    settle(cp, draft)
    assert "16 rows" in plain(ada.get(sent.location).text)


def test_an_sqlite_file_is_looked_into_first(cp: ControlPlane, ada: FlaskClient, shared: Path) -> None:
    import sqlite3

    with sqlite3.connect(shared / "lab.db") as connection:
        connection.execute("CREATE TABLE faults (prompt TEXT, completion TEXT)")
        connection.executemany("INSERT INTO faults VALUES (?, ?)", [(f"p{n}", f"c{n}") for n in range(20)])
    connection.close()
    files = ada.post(f"{NEW}/sqlite", data={"act": "look", "parameter.folder": str(shared)}).text
    assert "Look into it" in files
    tables = ada.post(f"{NEW}/sqlite", data=filled(files) | {"pick": '{"file": "lab.db"}'}).text
    assert "faults" in tables and not DatasetDraftRecord.select().exists()
    pick = '{"query": "SELECT * FROM \\"faults\\""}'
    ada.post(f"{NEW}/sqlite", data=filled(tables) | {"pick": pick})
    assert settle(cp, newest()).state == "ready"


def test_what_is_refused_comes_again_without_its_secrets(cp: ControlPlane, ada: FlaskClient) -> None:
    given = {"parameter.address": "ftp://example.org/a", "parameter.user": "ada", "secret.password": PASSWORD}
    refused = ada.post(f"{NEW}/http", data=given | {"act": "look"})
    assert refused.status_code == 400 and PASSWORD not in refused.text
    assert "is not an address that can be fetched" in refused.text and 'value="ftp://example.org/a"' in refused.text
    missing = ada.post(f"{NEW}/postgresql", data={"parameter.host": "db"})
    assert missing.status_code == 400 and 'id="parameter.database-error"' in missing.text
    assert '<a href="#parameter.database">Database</a>' in missing.text
    assert ada.post(f"{NEW}/folder", data={"pick": "nonsense", "parameter.folder": "/etc"}).status_code == 400
    assert ada.get(f"{NEW}/none").status_code == 400
    assert not SourceRecord.select().exists()


def test_a_failed_fetch_is_tried_again_or_changed(cp: ControlPlane, ada: FlaskClient) -> None:
    with serving(saying("HTTP/1.1 401 Who\nContent-Length: 0")) as server:
        given = {"parameter.address": server.address("/faults.jsonl"), "secret.password": PASSWORD}
        page = ada.post(f"{NEW}/http", data=given).location
        first = settle(cp, newest())
        shown = ada.get(page).text
        assert "asks for other credentials" in shown and "Try again" in shown and PASSWORD not in shown
        again = ada.post(page, data={"what": "again"}, headers={"HX-Request": "true"}).text
        assert "Fetching the file" in again
        settle(cp, first)
        change = re.search(r'href="([^"]+sources/new/http[^"]+)"', shown)
        assert change
        form = ada.get(change[1].replace("&amp;", "&")).text
        assert server.address("/faults.jsonl") in form and "the stored one is used" in form and PASSWORD not in form
        ada.post(f"{NEW}/http", data=filled(form))
    assert newest().id != first.id and DatasetDraftRecord.get_by_id(first.id).state == "cancelled"
    assert (SourceRecord.select().count(), SecretRecord.select().count()) == (1, 1)


def test_nobody_begins_like_the_source_of_another(
    cp: ControlPlane, ada: FlaskClient, invite: Callable[..., str], browser: Browser
) -> None:
    ada.post(f"{NEW}/http", data={"parameter.address": "https://example.org/a", "secret.password": PASSWORD})
    source = SourceRecord.get()
    invite("eve", role="Owner", project="other")
    assert browser("eve").get(f"/p/other/data/sources/new/http?from={source.id}").status_code == 404
    assert ada.get(f"{NEW}/s3?from={source.id}").status_code == 404


# ---- the source of a dataset


@pytest.fixture
def page(cp: ControlPlane, ada: FlaskClient, shared: Path) -> str:
    """Of a dataset that came from a folder."""
    given = {"parameter.folder": str(shared), "parameter.file": "faults.jsonl"}
    at = ada.post(f"{NEW}/folder", data=given).location
    settle(cp, newest())
    ada.post(f"{at}/save", data={"name": "pump-faults"})
    assert settle(cp, newest()).state == "saved"
    return "/p/lab/data/sources/of/pump-faults"


def test_the_pages_of_a_dataset_show_its_source_and_refresh_it(
    cp: ControlPlane, ada: FlaskClient, page: str, shared: Path
) -> None:
    for address in (page, "/p/lab/data/pump-faults"):
        shown = plain(ada.get(address).text)
        assert "Folder on the server: faults.jsonl" in shown and "Refresh now" in shown
    assert str(shared) in ada.get(page).text
    assert ada.post(f"{page}/refresh").location == page
    waiting = plain(ada.get(page).text)
    assert "Fetching the file" in waiting and "Refresh now" not in waiting
    assert "is being fetched already" in plain(ada.post(f"{page}/refresh").text)
    settle(cp, newest())
    assert "Refresh now" in ada.get(page).text
    (shared / "faults.jsonl").unlink()
    ada.post(f"{page}/refresh")
    settle(cp, newest())
    for address in (page, "/p/lab/data/pump-faults"):
        assert "faults.jsonl does not exist." in ada.get(address).text


def test_a_refresh_that_leaves_changes_behind_is_confirmed(
    cp: ControlPlane, ada: FlaskClient, page: str, shared: Path
) -> None:
    actor = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    editing.edit(actor, cp, DatasetVersionRecord.get().id, "train", {}, [1])
    (shared / "faults.jsonl").write_bytes(ROWS.replace(b"p2", b"q2"))
    for address in (page, "/p/lab/data/pump-faults"):
        shown = ada.get(address).text
        assert 'data-open="overwrite"' in shown and "Version 2 did not come from the source" in plain(shown)
    ada.post(f"{page}/refresh")
    settle(cp, newest())
    failed = ada.get(page).text
    assert "Version 2 did not come from the source, and a refresh would leave out" in plain(failed)
    (form,) = re.findall(r'<dialog id="overwrite".*?</dialog>', failed, re.DOTALL)
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert sent["overwrite"] and ada.post(f"{page}/refresh", data=sent).location == page
    assert settle(cp, newest()).state == "saved" and DatasetVersionRecord.select().count() == 3
    after = ada.get(page).text
    assert "did not come from the source" not in after and 'data-open="overwrite"' not in after


def test_times_that_nobody_stands_for_any_more_are_set_again_by_a_colleague(
    cp: ControlPlane, ada: FlaskClient, page: str
) -> None:
    note = "It is not fetched by itself any more."
    assert note not in ada.get(page).text
    SourceRecord.update(created_by="999", schedule={"every": 3600.0}, next_at=1.0).execute()  # who has left
    sources.refresh_due(cp)
    shown = plain(ada.get(page).text)
    assert note in shown and SourceRecord.get().next_at == 0.0
    ada.post(f"{page}/refresh")  # what a colleague fetches by hand is fetched, and the times wait for a word still
    assert settle(cp, newest()).state == "saved" and note in plain(ada.get(page).text)
    ada.post(f"{page}/schedule", data={"parameter.often": "hourly"})
    assert note not in ada.get(page).text and SourceRecord.get().next_at > cp.clock()


@pytest.mark.parametrize(
    ("form", "said", "stored"),
    [
        ({"often": "hourly"}, "Every hour", {"every": 3600.0, "cron": "", "time_zone": "UTC"}),
        (
            {"often": "daily", "time": "6:05", "zone": "Europe/Berlin"},
            "Every day at 06:05 (Europe/Berlin)",
            {"every": 0.0, "cron": "5 6 * * *", "time_zone": "Europe/Berlin"},
        ),
        (
            {"often": "weekly", "time": "23:00", "day": "sun", "zone": "UTC"},
            "Each Sunday at 23:00 (UTC)",
            {"every": 0.0, "cron": "0 23 * * sun", "time_zone": "UTC"},
        ),
        (
            {"often": "cron", "cron": "0 6 1 * *", "zone": "Asia/Shanghai"},
            "0 6 1 * * (Asia/Shanghai)",
            {"every": 0.0, "cron": "0 6 1 * *", "time_zone": "Asia/Shanghai"},
        ),
    ],
)
def test_times_are_set_as_people_say_them(
    ada: FlaskClient, page: str, form: dict[str, str], said: str, stored: dict[str, object]
) -> None:
    sent = {f"parameter.{name}": value for name, value in form.items()}
    assert ada.post(f"{page}/schedule", data=sent).location == page
    assert SourceRecord.get().schedule == stored and SourceRecord.get().next_at > 0
    shown = ada.get(page).text
    assert said in plain(shown)
    kept = filled(shown)
    assert {name: kept[f"parameter.{name}"] for name in form} == form | {
        name: value for name, value in {"time": "06:05"}.items() if form.get("time") == "6:05"
    }
    ada.post(f"{page}/schedule", data={"parameter.often": "never"})
    assert SourceRecord.get().next_at == 0


@pytest.mark.parametrize(
    "form",
    [
        {"often": "daily", "time": "25:00"},
        {"often": "weekly", "time": "06:00", "day": "someday"},
        {"often": "cron", "cron": "* * * * *"},
        {"often": "cron", "cron": "whenever"},
        {"often": "cron", "cron": "0 6 30 2 *"},
        {"often": "daily", "time": "06:00", "zone": "Mars/Olympus"},
    ],
)
def test_what_is_no_time_is_shown_again(ada: FlaskClient, page: str, form: dict[str, str]) -> None:
    refused = ada.post(f"{page}/schedule", data={f"parameter.{name}": value for name, value in form.items()})
    assert refused.status_code == 400 and "no time at which something can be done" in refused.text
    assert SourceRecord.get().schedule == {}


def test_a_source_is_let_go(ada: FlaskClient, page: str) -> None:
    assert ada.post(f"{page}/remove").location == "/p/lab/data/pump-faults"
    assert ada.get(page).status_code == 404 and "Refresh now" not in ada.get("/p/lab/data/pump-faults").text


def test_a_failure_is_told_by_the_bell(cp: ControlPlane, ada: FlaskClient, page: str, shared: Path) -> None:
    (shared / "faults.jsonl").unlink()
    ada.post(f"{page}/refresh")
    cp.clock.advance(60)  # type: ignore[attr-defined]
    settle(cp, newest())
    told = ada.get("/notifications").text
    assert "faults.jsonl does not exist." in told and page in told
    ada.post("/notifications/read", data={})
    assert "New" not in plain(ada.get("/notifications").text)


def test_a_viewer_sees_the_source_and_changes_nothing(
    ada: FlaskClient, page: str, invite: Callable[..., str], browser: Browser
) -> None:
    invite("vic", role="Viewer")
    vic = browser("vic")
    shown = vic.get(page).text
    assert "Folder on the server" in shown and "Refresh now" not in shown and "/schedule" not in shown
    for verb in ("refresh", "schedule", "remove"):
        assert vic.post(f"{page}/{verb}").status_code == 403


def test_a_viewer_is_not_told_what_an_address_is_signed_with(
    ada: FlaskClient, page: str, invite: Callable[..., str], browser: Browser
) -> None:
    signed = {"address": "https://example.org/faults.jsonl?signature=abcdef"}
    SourceRecord.update(connector="http", parameters=signed, label="faults.jsonl").execute()
    number = SourceRecord.get().id
    invite("vic", role="Viewer")
    vic = browser("vic")
    shown = vic.get(page).text
    assert "https://example.org/faults.jsonl" in shown and "abcdef" not in shown
    for place in (page, page.removesuffix("/source"), "/p/lab/data", "/p/lab/audit", f"{NEW}/http?from={number}"):
        assert "abcdef" not in vic.get(place).text, place
    assert vic.get(f"{NEW}/http?from={number}").status_code == 403
    assert "abcdef" in ada.get(f"{NEW}/http?from={number}").text  # whoever may change it has to see it
