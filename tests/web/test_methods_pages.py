"""The pages of methods: the list, a method with its README and versions, and making, editing, publishing one's own."""

from __future__ import annotations

import io
from collections.abc import Callable
from zipfile import ZipFile

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain import method_files
from control_plane.services import authoring, dry_runs, methods
from control_plane.services.fleet import scheduling
from control_plane.store.database import database
from control_plane.store.jobs import AttemptRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.projects import ProjectRecord
from fleet_support import Fleet, model_files, succeed
from web import markdown

Browser = Callable[[str], FlaskClient]


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Developer")
    invite("root", role="Owner", administrator=True)
    invite("eve", role="Expert")
    return rooms.furnished(cp)


@pytest.fixture
def open_forms(app: object) -> None:
    app.config["WTF_CSRF_ENABLED"] = False  # type: ignore[attr-defined]


def test_the_list_counts_uses_and_filters(room: rooms.Rooms, browser: Browser) -> None:
    page = browser("ada").get("/methods").text
    row = page[page.index("/methods/sft_demo") :]
    assert "cpu, cuda" in row[: row.index("</tr>")] and "Shipped" in row[: row.index("</tr>")]
    assert "/methods/evaluate" not in browser("ada").get("/methods?q=sft").text
    assert "No method is like that" in browser("ada").get("/methods?source=ours").text
    assert "New method" in page and "New method" not in browser("eve").get("/methods").text


def test_a_method_shows_its_readme_versions_and_users(room: rooms.Rooms, browser: Browser) -> None:
    page = browser("ada").get("/methods/sft_demo").text
    assert "Supervised fine-tuning with a LoRA adapter" in page and "<code>" in page
    assert "faults" in page[page.index("Who used it") :]
    assert browser("eve").get("/methods/sft_demo/edit").status_code == 403
    assert browser("ada").get("/methods/sft_demo?version=77").status_code == 404


def test_markdown_can_do_nothing() -> None:
    hostile = "# T\n<script>x()</script>\n[a](javascript:x) ![i](http://x/y.png)\n<img src=x onerror=x>\n`a<b`"
    html = str(markdown.rendered(hostile))
    assert "<script" not in html and "javascript:" not in html.replace("[a](javascript:x)", "")
    assert len(markdown.rendered("word " * 1_000_000)) < 70_000
    assert "<img" not in html and "<h1" not in html and "<code>a&lt;b</code>" in html


def test_from_the_template_to_everybody(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser, open_forms: None
) -> None:
    ada, root = browser("ada"), browser("root")
    source = methods.get(room.actor, cp, "sft_demo").id
    sent = {"source": source, "name": "mine", "display": "Mine", "option-name-0": "beta", "option-type-0": "number"}
    made = ada.post("/methods/-/new", data=sent | {"option-default-0": "0.5", "option-maximum-0": "1"})
    assert made.status_code == 302, made.text
    draft = MethodVersionRecord.get(MethodVersionRecord.name == "mine")
    assert draft.manifest["parameters"]["properties"]["beta"]["default"] == 0.5
    address = f"/methods/mine/edit?version={draft.number}&file=train.py"
    assert "make_trainer" in ada.get(address).text
    saved = ada.post(address, data={"path": "train.py", "content": "print(1)\r\n"})
    assert saved.status_code == 302, saved.text
    newest = MethodVersionRecord.get(MethodVersionRecord.name == "mine", MethodVersionRecord.number == 2)
    assert authoring.read_file(room.actor, cp, newest.id, "train.py") == b"print(1)\n"
    shown = ada.get("/methods/mine/difference?old=1&new=2").text
    assert "+print(1)" in shown

    assert root.post("/methods/mine/publish", data={"version": 2}).status_code == 409
    fleet = Fleet(cp, ProjectRecord.get(), room.actor)
    fleet.machine()
    scheduling.run_pass(cp)  # the first one is for what has been waiting
    machine = fleet.machine()
    run = ada.post("/methods/mine/run", data={"version": 2, "project": "lab", "machine": machine.id})
    assert run.status_code == 302, run.text
    assert ada.get(run.headers["Location"]).status_code == 200
    scheduling.run_pass(cp)
    attempt = AttemptRecord.select().order_by(AttemptRecord.id.desc()).get()
    succeed(machine, cp, attempt, {"model": model_files("adapter")})
    assert ada.get(run.headers["Location"]).status_code == 200
    assert ada.post("/methods/mine/publish", data={"version": 2}).status_code == 403
    assert root.post("/methods/mine/publish", data={"version": 2}).status_code == 302
    assert "Mine" in browser("eve").get("/methods").text
    assert 'beta"' in browser("eve").get("/p/lab/jobs/new?method=mine").text


def test_a_fault_stands_at_the_form_with_its_line_and_keeps_the_text(
    room: rooms.Rooms, browser: Browser, open_forms: None
) -> None:
    ada = browser("ada")
    refused = ada.post(
        "/methods/sft_demo/edit", data={"path": "method.toml", "content": 'name = "sft_demo"\nkind = 3\n'}
    )
    assert refused.status_code == 400
    assert "of method.toml" in refused.text and "kind = 3" in refused.text
    refused = ada.post("/methods/sft_demo/edit", data={"path": "../evil.py", "content": "x"})
    assert refused.status_code == 400 and "cannot be part of a method" in refused.text
    taken = ada.post("/methods/-/new", data={"source": MethodVersionRecord.get().id, "name": "sft_demo"})
    assert taken.status_code == 409 and "sft_demo" in taken.text
    wrong = {"source": MethodVersionRecord.get().id, "name": "mine", "pasted": "{"}
    assert ada.post("/methods/-/new", data=wrong).status_code == 400
    assert MethodVersionRecord.select().where(MethodVersionRecord.source == "ours").count() == 0


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with ZipFile(target, "w") as archive:
        for path, data in files.items():
            archive.writestr(f"zipped/{path}", data)
    return target.getvalue()


def test_an_archive_and_a_folder_are_taken(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser, open_forms: None
) -> None:
    ada, record = browser("ada"), methods.get(room.actor, cp, "sft_demo")
    files = {path: authoring.content(cp, one) for path, one in authoring.own_files(record).items()}
    files["method.toml"] = files["method.toml"].replace(b'name = "sft_demo"', b'name = "zipped"')
    sent = ada.post("/methods/-/upload", data={"archive": (io.BytesIO(zipped(files)), "zipped.zip")})
    assert sent.status_code == 302, sent.text
    folder = [(io.BytesIO(data), f"other/{path}") for path, data in files.items() if path != "method.toml"]
    manifest = files["method.toml"].replace(b'"zipped"', b'"other"')
    sent = ada.post("/methods/-/upload", data={"files": [*folder, (io.BytesIO(manifest), "other/method.toml")]})
    assert sent.status_code == 302, sent.text
    names = {one.name for one in MethodVersionRecord.select().where(MethodVersionRecord.source == "ours")}
    assert names == {"zipped", "other"}
    broken = ada.post("/methods/-/upload", data={"archive": (io.BytesIO(b"no zip"), "x.zip")})
    assert broken.status_code == 400 and "no ZIP archive" in broken.text
    data = bytearray(zipped(files))
    data[data.rindex(b"PK\x01\x02") + 6] = 255  # a version of the format that is yet to come
    assert ada.post("/methods/-/upload", data={"archive": (io.BytesIO(data), "x.zip")}).status_code == 400
    large = [(io.BytesIO(b"x" * (method_files.LARGEST // 2 + 1)), f"other/{name}") for name in ("a", "b")]
    refused = ada.post("/methods/-/upload", data={"files": large})
    assert refused.status_code == 400 and "16" in refused.text


def test_a_page_with_drafts_and_dry_runs_asks_the_database_little(
    cp: ControlPlane, room: rooms.Rooms, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = methods.get(room.actor, cp, "sft_demo").id
    draft = authoring.copy(room.actor, cp, source, "mine")
    for number in range(6):
        dry_runs.start(room.actor, cp, "lab", draft.id, room.machine.id)
        draft, _ = authoring.edit(room.actor, cp, draft.id, {"train.py": f"print({number})\n".encode()})
    execute, statements = database.obj.execute_sql, []
    monkeypatch.setattr(database.obj, "execute_sql", lambda sql, *given: statements.append(sql) or execute(sql, *given))
    client = browser("ada")
    for address in ("/methods/mine", "/methods?state=draft", "/methods/mine/difference", "/methods/mine/edit"):
        client.get(address)
        statements.clear()
        assert client.get(address).status_code == 200
        assert len(statements) <= 15, (address, len(statements))


def test_hiding_and_its_way_back(cp: ControlPlane, room: rooms.Rooms, browser: Browser, open_forms: None) -> None:
    root = browser("root")
    number = methods.get(room.actor, cp, "sft_demo").number
    assert root.post("/methods/sft_demo/delete", data={"version": number}).status_code == 302
    assert "/methods/sft_demo" not in browser("eve").get("/methods").text
    page = root.get("/methods/sft_demo").text
    assert "Restore" in page and "This is deleted" in page
    job = browser("eve").get(f"/p/lab/jobs/new?from={room.made['train']}")
    assert job.status_code == 200
    assert root.post("/methods/sft_demo/restore", data={"version": number}).status_code == 302
    assert "/methods/sft_demo" in browser("eve").get("/methods").text
