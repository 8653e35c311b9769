"""Sources: fetched by a real process into a draft, read as a file that was sent, fetched again, and let go."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from data_support import ROWS, draft_of, expert, settle

from control_plane.blobs import Blobs
from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    ConnectorUnknown,
    Denied,
    DraftsTooMany,
    InTrash,
    NotFound,
    ParameterInvalid,
    SecretNeeded,
    SourceAddressPrivate,
    SourceBusy,
    SourceFoldersNone,
    SourceGone,
    SourceRefused,
)
from control_plane.domain.masking import MASK
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.preparation import Choice, Mapping, Split, told
from control_plane.domain.schedules import Schedule
from control_plane.preparations import Preparations
from control_plane.services import audit
from control_plane.services.access import identity, people, projects
from control_plane.services.datasets import connectors, drafts, editing, preparing, process, sources, uploads
from control_plane.services.things import trash
from control_plane.settings import Folders, Networks
from control_plane.store.audit import AuditRecord
from control_plane.store.database import database as database_proxy
from control_plane.store.database import release
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.store.people import UserRecord
from control_plane.store.secrets import SecretRecord
from control_plane.store.sources import SourceRecord
from control_plane.wording import say
from source_support import HERE, Server, saying, serving

PASSWORD = "hunter2-canary"


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that is opened, with a file of rows."""
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "Störungen 2026.jsonl").write_bytes(ROWS)
    return folder


@pytest.fixture
def cp(cp: ControlPlane, shared: Path) -> ControlPlane:
    opened = {"source_folders": Folders(str(shared)), "source_networks": Networks(HERE)}
    return replace(cp, settings=replace(cp.settings, **opened))


@pytest.fixture
def erin(cp: ControlPlane) -> Actor:
    return expert(cp)


@pytest.fixture
def served() -> Iterator[Server]:
    with ExitStack() as stack:
        head = f'HTTP/1.1 200 OK\nContent-Length: {len(ROWS)}\nETag: "one"'
        yield stack.enter_context(serving(saying(head, ROWS)))


def of_folder(actor: Actor, cp: ControlPlane, shared: Path, **more: Any) -> DatasetDraftRecord:
    given = {"folder": str(shared), "file": "Störungen 2026.jsonl"}
    return sources.begin(actor, cp, "pumps", "folder", given, {}, **more)


def test_a_file_of_a_folder_becomes_a_version(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    draft = of_folder(erin, cp, shared)
    assert (draft.state, draft.name, drafts.waits(draft)) == ("fetching", "", True)
    found = settle(cp, draft)
    assert (found.state, found.error, found.name) == ("ready", "", "stoerungen-2026")
    assert found.train["name"] == "Störungen 2026.jsonl"
    saved = settle(cp, drafts.save(erin, cp, draft.id))
    version = DatasetVersionRecord.get_by_id(saved.dataset_version_id)
    source = SourceRecord.get()
    assert (source.dataset_id, source.connector, source.label) == (version.dataset_id, "folder", "Störungen 2026.jsonl")
    assert source.sha256 == version.source["sha256"] and source.mark and source.mapping == version.mapping
    assert not staged(cp)
    assert [one.action for one in AuditRecord.select() if one.subject == f"source:{source.id}"] == ["source.begin"]


def test_what_goes_wrong_is_said_and_can_be_tried_again(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    draft = sources.begin(erin, cp, "pumps", "folder", {"folder": str(shared), "file": "later.jsonl"}, {})
    found = settle(cp, draft)
    assert (found.state, found.error, found.error_params) == ("failed", "source_gone", {"place": "later.jsonl"})
    (shared / "later.jsonl").write_bytes(ROWS)
    assert settle(cp, drafts.change(erin, cp, draft.id)).state == "ready"


def test_a_cancelled_one_leaves_nothing(cp: ControlPlane, erin: Actor, served: Server) -> None:
    draft = sources.begin(erin, cp, "pumps", "http", {"address": served.address()}, {"password": PASSWORD})
    settle(cp, draft)
    drafts.cancel(erin, cp, draft.id)
    assert not SourceRecord.select().exists() and not SecretRecord.select().exists()
    assert [one.over_at > 0 for one in UploadRecord.select()] == [True]


def test_a_fetch_that_is_cancelled_ends_its_process(
    cp: ControlPlane, erin: Actor, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "CONNECTORS_PROGRAM", ("-c", "import time; time.sleep(600)"))
    draft = of_folder(erin, cp, shared)
    assert preparing.advance(cp) == 1
    drafts.cancel(erin, cp, draft.id)
    cp.preparations.join()
    assert drafts.get(erin, cp, draft.id).state == "cancelled" and not SourceRecord.select().exists()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("raise SystemExit(1)", "source_broke"),
        ("print('nothing is there')", "source_broke"),
        ("import os; os.kill(os.getpid(), 9)", "source_broke"),
    ],
)
def test_what_a_connector_breaks_is_said(
    cp: ControlPlane, erin: Actor, shared: Path, monkeypatch: pytest.MonkeyPatch, script: str, code: str
) -> None:
    monkeypatch.setattr(process, "CONNECTORS_PROGRAM", ("-c", script))
    assert settle(cp, of_folder(erin, cp, shared)).error == code


def test_what_is_there_before_anything_is_fetched(cp: ControlPlane, erin: Actor, shared: Path, served: Server) -> None:
    found = sources.describe(erin, cp, "pumps", "folder", {"folder": str(shared), "file": ""}, {})
    assert [(one.name, one.size) for one in found.items] == [("Störungen 2026.jsonl", len(ROWS))]
    found = sources.describe(erin, cp, "pumps", "http", {"address": served.address()}, {"password": PASSWORD})
    assert found.items[0].size == len(ROWS) and f"Bearer {PASSWORD}" in served.asked[0]
    with pytest.raises(SourceGone) as gone:
        sources.describe(erin, cp, "pumps", "sqlite", {"folder": str(shared), "file": "no.db"}, {})
    assert gone.value.params == {"place": "no.db"}


def test_nothing_is_open_until_somebody_opens_it(cp: ControlPlane, erin: Actor, shared: Path, served: Server) -> None:
    closed = replace(cp, settings=replace(cp.settings, source_folders=Folders(), source_networks=Networks()))
    with pytest.raises(SourceFoldersNone):
        of_folder(erin, closed, shared)
    with pytest.raises(SourceAddressPrivate):
        sources.describe(erin, closed, "pumps", "http", {"address": served.address()}, {})
    assert not served.asked
    problems = {one.name: one.problem for one in connectors.listed(erin, closed, "pumps", "de")}
    assert {name for name, problem in problems.items() if problem} == {"folder", "sqlite"}


def test_what_is_asked_wrongly_is_refused(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    for connector, given, secret, problem in (
        ("none", {}, {}, ConnectorUnknown),
        ("folder", {"folder": str(shared)}, {}, ParameterInvalid),
        ("folder", {"folder": "/etc", "file": "passwd"}, {}, ParameterInvalid),
        ("folder", {"folder": str(shared), "file": "x", "more": 1}, {}, ParameterInvalid),
        ("folder", {"folder": str(shared), "file": "x"}, {"password": "x"}, ParameterInvalid),
        ("http", {"address": 7}, {}, ParameterInvalid),
    ):
        with pytest.raises(problem):
            sources.begin(erin, cp, "pumps", connector, given, secret)  # type: ignore[arg-type]
    assert not SourceRecord.select().exists()


def test_whoever_may_not_upload_brings_nothing(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    people.invite(SYSTEM, cp, "vic", "vic", False)
    projects.set_member(SYSTEM, cp, "pumps", "vic", "Viewer")
    vic = identity.actor_of(UserRecord.get(UserRecord.name == "vic"), "")
    for act in (
        lambda: of_folder(vic, cp, shared),
        lambda: sources.describe(vic, cp, "pumps", "folder", {}, {}),
        lambda: connectors.listed(vic, cp, "pumps"),
    ):
        with pytest.raises(Denied):
            act()
    draft = of_folder(erin, cp, shared)
    olga = expert(cp, "olga")
    with pytest.raises(NotFound):  # what is not saved yet is its owner's alone
        sources.get(olga, cp, draft.source_id or 0)


def test_nobody_fetches_without_an_end(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    cp = replace(cp, settings=replace(cp.settings, uploads_per_person=2))
    for _ in range(2):
        of_folder(erin, cp, shared)
    with pytest.raises(DraftsTooMany):
        of_folder(erin, cp, shared)


def test_a_file_larger_than_what_somebody_may_hold(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    small = replace(cp, settings=replace(cp.settings, upload_bytes_per_person=len(ROWS) - 1))
    assert settle(small, of_folder(erin, small, shared)).error == "source_too_large"
    assert uploads.list_uploads(erin, cp, "pumps")[0].arrived == 0


def test_a_stored_password_goes_to_no_other_place(cp: ControlPlane, erin: Actor, served: Server) -> None:
    first = sources.begin(erin, cp, "pumps", "http", {"address": served.address()}, {"password": PASSWORD})
    like = first.source_id or 0
    sources.describe(erin, cp, "pumps", "http", {"address": served.address()}, {}, like)
    assert PASSWORD in served.asked[-1]
    head = "HTTP/1.1 200 OK\nContent-Length: 0"
    with serving(saying(head)) as stranger:
        for act in (sources.describe, sources.begin):
            with pytest.raises(SecretNeeded):
                act(erin, cp, "pumps", "http", {"address": stranger.address()}, {}, like=like)
        sources.describe(erin, cp, "pumps", "http", {"address": stranger.address()}, {"password": "another one"}, like)
    assert len(stranger.asked) == 1 and PASSWORD not in stranger.asked[0]
    olga = expert(cp, "olga")
    with pytest.raises(NotFound):
        sources.describe(olga, cp, "pumps", "http", {"address": served.address()}, {}, like)


@pytest.mark.parametrize(
    ("connector", "given", "elsewhere"),
    [
        ("postgresql", {"database": "lab"}, {"database": "wages"}),
        ("mysql", {"database": "lab"}, {"database": "wages"}),
        ("s3", {"bucket": "notes", "key": "a.csv"}, {"bucket": "wages"}),
        ("hub", {"dataset": "lab/notes"}, {"dataset": "lab/wages"}),
    ],
)
def test_a_stored_password_opens_nothing_else_in_the_same_place(
    cp: ControlPlane, erin: Actor, connector: str, given: dict[str, str], elsewhere: dict[str, str]
) -> None:
    if "database" in given:
        given = {"host": "127.0.0.1", "port": 1, "user": "ada", "query": "SELECT 1", **given}  # type: ignore[dict-item]
    (secret,) = connectors.get(cp, connector).secrets
    first = sources.begin(erin, cp, "pumps", connector, given, {secret: PASSWORD})
    for act in (sources.describe, sources.begin):
        with pytest.raises(SecretNeeded):
            act(erin, cp, "pumps", connector, given | elsewhere, {}, like=first.source_id or 0)
    sources.begin(erin, cp, "pumps", connector, given, {}, like=first.source_id or 0)


def test_a_look_is_written_down(cp: ControlPlane, erin: Actor, served: Server) -> None:
    given = {"address": served.address("/notes.jsonl?signature=abcdef")}
    like = sources.begin(erin, cp, "pumps", "http", given, {"password": PASSWORD}).source_id or 0
    sources.describe(erin, cp, "pumps", "http", given, {}, like)
    (entry,) = AuditRecord.select().where(AuditRecord.action == "source.look")
    assert (entry.actor_name, entry.subject) == ("erin", f"source:{like}") and PASSWORD in served.asked[-1]
    assert entry.details == {"connector": "http", "name": "notes.jsonl"}
    nothing = saying("HTTP/1.1 404 Not Found\nContent-Length: 0")
    with serving(nothing) as empty, pytest.raises(SourceGone):  # what is refused was tried all the same
        sources.describe(erin, cp, "pumps", "http", {"address": empty.address()}, {})
    entries = AuditRecord.select().where(AuditRecord.action == "source.look")
    assert [one.subject for one in entries] == [f"source:{like}", "connector:http"]


def test_a_plug_in_that_breaks_takes_nothing_with_it(cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def __init__(self, name: str, loaded: Any) -> None:
            self.name, self.value, self._loaded = name, "somebody:else", loaded

        def load(self) -> Any:
            return self._loaded()

    def breaks() -> Any:
        raise RuntimeError("no such library")

    real = connectors.entry_points(group="tunesmith.connectors")
    mine = [Point("broken", breaks), Point("odd", lambda: type("Odd", (), {"manifest": {}})), *real]
    monkeypatch.setattr(connectors, "entry_points", lambda **_: mine)
    connectors._found.cache_clear()
    try:
        listed = [one.name for one in connectors.listed(SYSTEM, cp, _project(cp))]
    finally:
        connectors._found.cache_clear()
    assert set(listed) == {"folder", "http", "s3", "postgresql", "mysql", "sqlite", "hub"}


def _project(cp: ControlPlane) -> str:
    projects.create(SYSTEM, cp, "pumps", "")
    return "pumps"


@pytest.mark.parametrize("locale", ["en", "de", "zh"])
def test_each_connector_has_its_words(cp: ControlPlane, locale: str) -> None:
    for one in connectors.listed(SYSTEM, cp, _project(cp), locale):
        told = json.dumps([one.display, one.description, one.parameters, one.secrets], ensure_ascii=False)
        assert '"en":' not in told, one.name
        assert one.label in one.parameters["properties"]
        assert set(one.secrets_for) <= set(one.parameters["properties"]), one.name


def test_a_server_that_drips_is_cut_at_the_longest_time(cp: ControlPlane, erin: Actor) -> None:
    over = threading.Event()

    def dripping(connection: Any, _: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.wait(0.05):
            connection.sendall(b"x")

    slow = replace(cp, settings=replace(cp.settings, fetch_seconds=1))
    with serving(dripping) as server:
        found = settle(slow, sources.begin(erin, slow, "pumps", "http", {"address": server.address()}, {}))
        over.set()
    assert (found.error, found.error_params) == ("source_too_slow", {"allowed": 1})


def test_a_full_disk_stops_it(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    full = replace(cp, blobs=Blobs(cp.settings.data / "blobs", 1 << 30, lambda _: 1 << 20))
    assert settle(full, of_folder(erin, full, shared)).error == "disk_full"


def test_what_nobody_touches_is_forgotten_with_its_secrets(cp: ControlPlane, erin: Actor, served: Server) -> None:
    settle(cp, sources.begin(erin, cp, "pumps", "http", {"address": served.address()}, {"password": PASSWORD}))
    cp.clock.advance(8 * 86_400)  # type: ignore[attr-defined]
    drafts.forget_old(cp)
    assert not SourceRecord.select().exists() and not SecretRecord.select().exists()


# ---- fetched again


def saved(cp: ControlPlane, erin: Actor, draft: DatasetDraftRecord, name: str = "") -> SourceRecord:
    """The source of what was fetched, once that is a version."""
    assert settle(cp, draft).state == "ready"
    found = settle(cp, drafts.save(erin, cp, draft.id, name))
    assert found.state == "saved"
    return SourceRecord.get_by_id(found.source_id)


def refreshed(cp: ControlPlane, actor: Actor, source: SourceRecord) -> DatasetDraftRecord:
    return settle(cp, sources.refresh(actor, cp, source.id))


def to_save(cp: ControlPlane, draft: DatasetDraftRecord) -> DatasetDraftRecord:
    """Carry a refresh on until it is about to be saved."""
    while (found := DatasetDraftRecord.get_by_id(draft.id)).state in ("fetching", "looking", "checking"):
        preparing.advance(cp)
        cp.preparations.join()
    assert found.state == "saving"
    return found


def staged(cp: ControlPlane) -> list[Path]:
    """Files that lie about."""
    return [path for path in (cp.settings.data / "blobs" / "staging").rglob("*") if path.is_file()]


def count() -> int:
    return int(DatasetVersionRecord.select().count())


TABLE = "".join(f"frage {n};antwort {n};rest\n" for n in range(20))


def test_a_new_version_comes_only_of_another_content(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    """With the columns, the choices and the split that were saved."""
    file = shared / "notes.csv"
    file.write_text("A;B;C\n" + TABLE + "frage 1;antwort 1;rest\n")
    given = {"folder": str(shared), "file": "notes.csv"}
    draft = settle(cp, sources.begin(erin, cp, "pumps", "folder", given, {}))
    mapping = Mapping("prompt_completion", {"prompt": ["A", "C"], "completion": ["B"]})
    choices = {"duplicates": Choice.KEEP}
    drafts.change(erin, cp, draft.id, mapping=mapping, choices=choices, split=Split(share=0.5, seed=7))
    source = saved(cp, erin, draft)
    same = refreshed(cp, erin, source)
    assert (same.state, same.dataset_version_id, count()) == ("saved", 1, 1)
    file.write_text("A;B;C\n" + TABLE + "frage 1;antwort 1;rest\n")  # other times, the same bytes
    assert (refreshed(cp, erin, source).state, count()) == ("saved", 1)
    file.write_text("A;B;C\n" + TABLE + "frage 1;antwort 1;rest\nfrage 99;antwort 99;rest\n")
    changed = refreshed(cp, erin, source)
    assert (changed.state, changed.error, count()) == ("saved", "", 2)
    first, second = DatasetVersionRecord.select().order_by(DatasetVersionRecord.id)
    assert second.mapping == first.mapping == told(mapping) and second.split_seed == 7
    assert (second.train_rows + second.test_rows, first.train_rows + first.test_rows) == (22, 21)
    after = sources.get(erin, cp, source.id)
    assert after.changed_at and after.looked_at and not after.error and after.mark != source.mark
    assert not drafts.list_drafts(erin, cp, "pumps") and not uploads.list_uploads(erin, cp, "pumps")


def test_what_is_as_it_once_was_is_the_newest_again(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    numbers = []
    for content in (ROWS.replace(b"p1", b"q1"), ROWS, ROWS):
        (shared / "Störungen 2026.jsonl").write_bytes(content)
        made = DatasetVersionRecord.get_by_id(refreshed(cp, erin, source).dataset_version_id)
        numbers.append(made.number)
    assert numbers == [2, 3, 3] and count() == 3
    first, second, third = DatasetVersionRecord.select().order_by(DatasetVersionRecord.number)
    assert first.hash == third.hash != second.hash


def edited(cp: ControlPlane, actor: Actor) -> DatasetVersionRecord:
    """A version in which somebody changed a row of the newest."""
    newest = DatasetVersionRecord.select().order_by(DatasetVersionRecord.number.desc()).get()
    return editing.edit(actor, cp, newest.id, "train", {1: {"prompt": "EDITED", "completion": "by hand"}})[0]


def test_what_was_changed_here_is_left_out_only_once_somebody_confirms(
    cp: ControlPlane, erin: Actor, shared: Path
) -> None:
    """A schedule stops until then, and goes on after it; what is unchanged asks for nothing."""
    source, file = saved(cp, erin, of_folder(erin, cp, shared)), shared / "Störungen 2026.jsonl"
    sources.schedule(erin, cp, source.id, Schedule(every=600))
    by_hand = edited(cp, erin)
    assert refreshed(cp, erin, source).dataset_version_id == by_hand.id
    file.write_bytes(ROWS.replace(b"p1", b"q1"))
    cp.clock.advance(601)  # type: ignore[attr-defined]
    assert sources.refresh_due(cp) == 1
    failed = settle(cp, DatasetDraftRecord.select().order_by(DatasetDraftRecord.id.desc()).get())
    after = SourceRecord.get()
    assert (failed.state, after.error, after.error_params) == ("failed", "source_overtaken", {"number": 2})
    assert (after.next_at, after.schedule["every"], count()) == (0.0, 600, 2) and not staged(cp)
    assert "Version 2 did not come from the source" in say(after.error, after.error_params, "en")
    assert refreshed(cp, erin, source).error == "source_overtaken"
    went_on = settle(cp, sources.refresh(erin, cp, source.id, overwrite=True))
    told = [one.details for one in audit.list_entries(SYSTEM, cp, "pumps") if one.action == "source.refresh"]
    assert [one.get("overwrite", False) for one in told[:2]] == [True, False]
    assert (went_on.state, DatasetVersionRecord.get_by_id(went_on.dataset_version_id).number) == ("saved", 3)
    after = SourceRecord.get()
    assert (after.error, after.next_at, after.follows_id) == ("", cp.clock() + 600, went_on.dataset_version_id)
    file.write_bytes(ROWS.replace(b"p1", b"r1"))
    assert refreshed(cp, erin, source).state == "saved" and count() == 4


def test_a_change_while_it_is_being_refreshed_is_kept(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    (shared / "Störungen 2026.jsonl").write_bytes(ROWS.replace(b"p1", b"q1"))
    running = to_save(cp, sources.refresh(erin, cp, source.id, overwrite=True))
    edited(cp, erin)
    assert settle(cp, running).error == "source_overtaken" and count() == 2


def test_an_upload_is_left_behind_only_once_somebody_confirms(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    sent = draft_of(erin, cp, ROWS.replace(b"p2", b"u2"))
    settle(cp, drafts.save(erin, cp, sent.id, "stoerungen-2026"))
    (shared / "Störungen 2026.jsonl").write_bytes(ROWS.replace(b"p1", b"q1"))
    assert refreshed(cp, erin, source).error == "source_overtaken" and count() == 2


def test_an_unchanged_one_is_not_sent_again(cp: ControlPlane, erin: Actor) -> None:
    def answer(connection: Any, head: str) -> None:
        same = 'If-None-Match: "one"' in head
        said = "304 Not Modified" if same else f'200 OK\nETag: "one"\nContent-Length: {len(ROWS)}'
        saying(f"HTTP/1.1 {said}", b"" if same else ROWS)(connection, head)

    with serving(answer) as server:
        address = {"address": server.address("/faults.jsonl")}
        source = saved(cp, erin, sources.begin(erin, cp, "pumps", "http", address, {"password": PASSWORD}))
        assert refreshed(cp, erin, source).dataset_version_id == 1
    assert PASSWORD in server.asked[-1] and count() == 1
    assert not staged(cp)


def test_a_failure_is_told_on_the_source_and_mended_by_the_next(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    file = shared / "Störungen 2026.jsonl"
    file.unlink()
    failed = refreshed(cp, erin, source)
    told_of = sources.get(erin, cp, source.id)
    assert (failed.state, told_of.error, told_of.error_params["place"]) == ("failed", "source_gone", file.name)
    assert count() == 1 and not drafts.list_drafts(erin, cp, "pumps")
    file.write_bytes(ROWS.replace(b"p1", b"q1"))
    assert refreshed(cp, erin, source).state == "saved"
    assert (sources.get(erin, cp, source.id).error, count()) == ("", 2)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("A;D;C\n" + TABLE, "source_columns_gone"),
        ("A;B;C\n", "dataset_empty"),
        ("", "dataset_empty"),
    ],
)
def test_what_no_longer_fits_makes_no_version(
    cp: ControlPlane, erin: Actor, shared: Path, content: str, code: str
) -> None:
    file = shared / "notes.csv"
    file.write_text("A;B;C\n" + TABLE)
    draft = settle(cp, sources.begin(erin, cp, "pumps", "folder", {"folder": str(shared), "file": "notes.csv"}, {}))
    mapping = Mapping("prompt_completion", {"prompt": ["A"], "completion": ["B"]})
    source = saved(cp, erin, drafts.change(erin, cp, draft.id, mapping=mapping))
    file.write_text(content)
    refreshed(cp, erin, source)
    assert (sources.get(erin, cp, source.id).error, count()) == (code, 1)
    assert not staged(cp) and all(one.over_at for one in UploadRecord.select())


def test_what_one_project_fetches_leaves_room_for_the_others(cp: ControlPlane, erin: Actor) -> None:
    projects.create(SYSTEM, cp, "fans", "")
    numbers = [projects.get(SYSTEM, cp, name).id for name in ("pumps", "fans")]
    here, there = (uploads.expect(SYSTEM, cp, number, "a.jsonl", holder=SYSTEM.id) for number in numbers)
    UploadRecord.update(size=cp.settings.upload_bytes_per_person).where(UploadRecord.id == here.id).execute()
    assert uploads.bytes_left(cp, there) == cp.settings.upload_bytes_per_person
    more = uploads.expect(SYSTEM, cp, numbers[0], "b.jsonl", holder=SYSTEM.id)
    assert uploads.bytes_left(cp, more) == 0


def test_one_refresh_at_a_time_and_after_a_restart_it_goes_on(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    (shared / "Störungen 2026.jsonl").write_bytes(ROWS.replace(b"p1", b"q1"))
    running = sources.refresh(erin, cp, source.id)
    with pytest.raises(SourceBusy):
        sources.refresh(erin, cp, source.id)
    anew = replace(cp, preparations=Preparations())
    assert settle(anew, running).state == "saved" and count() == 2


def test_whoever_lost_the_right_fetches_no_more(cp: ControlPlane, erin: Actor, served: Server) -> None:
    """The server is not even asked, by the schedule or by what was begun before; and the source says why."""
    given = {"address": served.address("/faults.jsonl")}
    source = saved(cp, erin, sources.begin(erin, cp, "pumps", "http", given, {"password": PASSWORD}))
    sources.schedule(erin, cp, source.id, Schedule(every=600))
    asked, begun = len(served.asked), sources.refresh(erin, cp, source.id)
    projects.set_member(SYSTEM, cp, "pumps", "erin", "Viewer")
    assert settle(cp, begun).error == "denied"
    SourceRecord.update(error="").where(SourceRecord.id == source.id).execute()
    cp.clock.advance(601)  # type: ignore[attr-defined]
    assert sources.refresh_due(cp) == 0
    after = SourceRecord.get_by_id(source.id)
    assert (after.error, after.next_at, after.looked_at, count()) == ("denied", 0.0, cp.clock(), 1)
    assert len(served.asked) == asked and not staged(cp)
    with pytest.raises(Denied):
        sources.refresh(identity.actor_of(UserRecord.get(UserRecord.name == "erin"), ""), cp, source.id)


def test_what_was_brought_anew_takes_the_place_of_the_source(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    first = saved(cp, erin, of_folder(erin, cp, shared))
    sources.schedule(erin, cp, first.id, Schedule(every=600))
    (shared / "other.jsonl").write_bytes(ROWS.replace(b"p1", b"q1"))
    given = {"folder": str(shared), "file": "other.jsonl"}
    name = "stoerungen-2026"
    second = saved(cp, erin, sources.begin(erin, cp, "pumps", "folder", given, {}, name=name), name)
    assert [one.id for one in SourceRecord.select()] == [second.id] and second.dataset_id == first.dataset_id
    assert second.schedule["every"] == 600 and second.next_at > 0


def test_a_refresh_does_not_outlive_its_source(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    """Another source takes its place while the rows of the old one are being checked."""
    source = saved(cp, erin, of_folder(erin, cp, shared))
    (shared / "other.jsonl").write_bytes(ROWS.replace(b"p2", b"r2"))
    given, name = {"folder": str(shared), "file": "other.jsonl"}, "stoerungen-2026"
    other = settle(cp, sources.begin(erin, cp, "pumps", "folder", given, {}, name=name))
    (shared / "Störungen 2026.jsonl").write_bytes(ROWS.replace(b"p1", b"q1"))
    running = to_save(cp, sources.refresh(erin, cp, source.id))
    drafts.save(erin, cp, other.id)
    DatasetDraftRecord.update(touched_at=0.0).where(DatasetDraftRecord.id == other.id).execute()  # its turn is first
    preparing.advance(replace(cp, settings=replace(cp.settings, preparations=1)))
    cp.preparations.join()
    assert DatasetDraftRecord.get_by_id(other.id).state == "saved"
    assert settle(cp, running).state == "cancelled" and not staged(cp)
    newest = DatasetVersionRecord.select().order_by(DatasetVersionRecord.id.desc()).get()
    assert (newest.number, newest.source["name"]) == (2, "other.jsonl")


def test_a_refresh_makes_no_other_dataset_of_that_name(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    """Its own is in the trash by now; the source, its secrets and its schedule stay with it."""
    source = saved(cp, erin, of_folder(erin, cp, shared))
    (shared / "Störungen 2026.jsonl").write_bytes(ROWS.replace(b"p1", b"q1"))
    running = to_save(cp, sources.refresh(erin, cp, source.id))
    trash.delete(erin, cp, "dataset", source.dataset_id or 0)
    failed = settle(cp, running)
    assert (failed.state, failed.error, count()) == ("failed", "in_trash", 1) and not staged(cp)
    assert DatasetRecord.select().count() == 1
    assert SourceRecord.get().dataset_id == source.dataset_id
    trash.restore(erin, cp, "dataset", source.dataset_id or 0)
    assert refreshed(cp, erin, source).state == "saved" and SourceRecord.get().error == "" and count() == 2


def test_a_refresh_of_what_was_deleted_for_good_ends(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    (shared / "Störungen 2026.jsonl").write_bytes(ROWS.replace(b"p1", b"q1"))
    running = to_save(cp, sources.refresh(erin, cp, source.id))
    trash.delete(erin, cp, "dataset", source.dataset_id or 0)
    trash.purge(SYSTEM, cp, "dataset", source.dataset_id or 0)
    assert settle(cp, running).error == "not_found" and not staged(cp) and DatasetRecord.select().count() == 1


def test_a_source_is_let_go_with_its_secrets(cp: ControlPlane, erin: Actor, served: Server) -> None:
    address = {"address": served.address("/faults.jsonl")}
    source = saved(cp, erin, sources.begin(erin, cp, "pumps", "http", address, {"password": PASSWORD}))
    running = sources.refresh(erin, cp, source.id)
    sources.remove(erin, cp, source.id)
    assert not SourceRecord.select().exists() and not SecretRecord.select().exists()
    assert DatasetDraftRecord.get_by_id(running.id).state == "cancelled" and count() == 1


def test_it_goes_with_its_dataset(cp: ControlPlane, erin: Actor, served: Server) -> None:
    address = {"address": served.address("/faults.jsonl")}
    source = saved(cp, erin, sources.begin(erin, cp, "pumps", "http", address, {"password": PASSWORD}))
    sources.schedule(erin, cp, source.id, Schedule(every=600))
    trash.delete(erin, cp, "dataset", source.dataset_id or 0)
    cp.clock.advance(601)  # type: ignore[attr-defined]
    assert sources.refresh_due(cp) == 0
    with pytest.raises(InTrash):
        sources.refresh(erin, cp, source.id)
    assert sources.list_sources(erin, cp, "pumps") == []
    trash.purge(SYSTEM, cp, "dataset", source.dataset_id or 0)
    assert not SourceRecord.select().exists() and not SecretRecord.select().exists()


# ---- by itself


def test_a_time_is_used_once_and_what_was_missed_is_made_up_for_once(
    cp: ControlPlane, erin: Actor, shared: Path
) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    wished = sources.schedule(erin, cp, source.id, Schedule(cron="30 6 * * *", time_zone="Europe/Berlin"))
    assert datetime.fromtimestamp(wished.next_at, ZoneInfo("Europe/Berlin")).strftime("%H:%M") == "06:30"
    assert sources.refresh_due(cp) == 0
    cp.clock.now = wished.next_at + 5 * 86_400  # type: ignore[attr-defined]
    assert (sources.refresh_due(cp), sources.refresh_due(cp)) == (1, 0)
    following = SourceRecord.get_by_id(source.id).next_at
    assert 0 < following - cp.clock() <= 86_400
    (entry,) = AuditRecord.select().where(AuditRecord.action == "source.refresh")
    assert (entry.actor_kind, entry.subject) == ("system", f"source:{source.id}")
    running = sources.refreshing(source)
    assert running is not None and running.created_by == erin.id
    cp.clock.now = following  # type: ignore[attr-defined]
    assert sources.refresh_due(cp) == 0  # the other is not done
    assert SourceRecord.get_by_id(source.id).next_at > following
    assert settle(cp, running).state == "saved"


def test_two_that_look_at_the_same_time_begin_one(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    sources.schedule(erin, cp, source.id, Schedule(every=600))
    cp.clock.advance(600)  # type: ignore[attr-defined]
    barrier, begun = threading.Barrier(4), list[int]()

    def look() -> None:
        barrier.wait()
        begun.append(sources.refresh_due(cp))
        release()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(begun) == 1


def test_a_time_zone_that_went_stops_no_other_source(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    broken = saved(cp, erin, of_folder(erin, cp, shared), "first")
    whole = saved(cp, erin, of_folder(erin, cp, shared), "second")
    for source in (broken, whole):
        sources.schedule(erin, cp, source.id, Schedule(cron="0 6 * * *"))
    gone = {"every": 0.0, "cron": "0 6 * * *", "time_zone": "Mars/Olympus"}
    SourceRecord.update(schedule=gone).where(SourceRecord.id == broken.id).execute()
    cp.clock.advance(86_400)  # type: ignore[attr-defined]
    assert sources.refresh_due(cp) == 1
    after = SourceRecord.get_by_id(broken.id)
    assert (after.error, after.next_at) == ("schedule_invalid", 0.0)
    assert sources.refreshing(whole) is not None and sources.refresh_due(cp) == 0


def test_a_schedule_ends(cp: ControlPlane, erin: Actor, shared: Path) -> None:
    source = saved(cp, erin, of_folder(erin, cp, shared))
    sources.schedule(erin, cp, source.id, Schedule(every=600))
    assert sources.schedule(erin, cp, source.id, Schedule()).next_at == 0
    cp.clock.advance(10_000)  # type: ignore[attr-defined]
    assert sources.refresh_due(cp) == 0


# ---- nothing is written down


def test_no_secret_is_written_anywhere(
    cp: ControlPlane, erin: Actor, shared: Path, served: Server, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Not in the database, files, logs, audit, errors, arguments or environments, whatever goes well or wrong."""
    caplog.set_level(logging.DEBUG, "control_plane")
    started, held = [], list[bytes]()
    real, follow = process.subprocess.Popen, process._follow

    def watched(command: list[str], **options: Any) -> Any:
        started.append(f"{command} {options['env']}")
        return real(command, **options)

    def reading(*given: Any) -> None:
        follow(*given)
        held.extend(path.read_bytes() for path in cp.settings.data.rglob("*") if path.is_file())

    monkeypatch.setattr(process.subprocess, "Popen", watched)
    monkeypatch.setattr(process, "_follow", reading)
    secret = {"password": PASSWORD}
    source = saved(cp, erin, sources.begin(erin, cp, "pumps", "http", {"address": served.address()}, secret))
    refreshed(cp, erin, source)
    errors = []
    refuses = f"HTTP/1.1 500 {PASSWORD}\nLocation: http://x/?k={PASSWORD}\nContent-Length: 0"
    with serving(saying(refuses)) as server:
        settle(cp, sources.begin(erin, cp, "pumps", "http", {"address": server.address()}, secret))
        with pytest.raises(SourceRefused) as refused:
            sources.describe(erin, cp, "pumps", "http", {"address": server.address()}, secret)
        errors.append(f"{refused.value} {refused.value.params}")
    database = {"host": "127.0.0.1", "port": 1, "database": "x", "user": "x", "query": "SELECT 1"}
    for name in ("postgresql", "mysql"):
        settle(cp, sources.begin(erin, cp, "pumps", name, database, secret))
    script = "import sys, json; from control_plane.connectors import __main__ as m; m._connector = lambda n: 1 / 0\n"
    script += "import traceback; given = json.load(sys.stdin); sys.excepthook = m._complaining(list(given.values()))\n"
    monkeypatch.setattr(process, "CONNECTORS_PROGRAM", ("-c", script + "raise RuntimeError(str(given))"))
    settle(cp, sources.begin(erin, cp, "pumps", "http", {"address": served.address()}, secret))
    assert "RuntimeError" in caplog.text and MASK in caplog.text
    tables = {table: database_proxy.execute_sql(f'SELECT * FROM "{table}"').fetchall() for table in _tables()}
    assert tables["secrets"] and tables["sources"] and len(started) > 6 and held
    written = [str(tables), caplog.text, *errors, *started]
    written += [path.read_bytes().decode("latin-1") for path in cp.settings.data.rglob("*") if path.is_file()]
    written += [one.decode("latin-1") for one in held]
    for form in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode()):
        assert not [one[max(0, one.find(form) - 200) :][:400] for one in written if form in one]


def _tables() -> list[str]:
    return [str(one) for one in database_proxy.get_tables()]
