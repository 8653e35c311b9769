"""Every drawer "Do this by API", as its page prints it: the sign-in, then each command and each Python, run verbatim.

The pages are a furnished project's, behind a real API port and a real web port; a simulated machine does the jobs, and
an engine that answers at once stands behind what is served.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import re
import shlex
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pytest
import rooms
from click.testing import CliRunner
from client_support import Engine, Said
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from control_plane.context import Answer, ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.rpc.server import Server
from control_plane.rpc.serving import ServingChannels
from control_plane.services import jobs
from control_plane.services.access import credentials, identity, people, projects
from control_plane.services.datasets import json_lines
from control_plane.services.endpoints import keeping
from control_plane.services.fleet import machines
from control_plane.services.things import trash
from control_plane.services.workflows import deciding
from control_plane.store.cases import CaseRecord
from control_plane.store.people import UserRecord
from method_support import METHODS
from patience import PATIENCE
from served import token_of
from simulated import SimulatedMachine
from support import FakeClock, close_database, make_control_plane
from tunesmith import cli
from web import create_app, fleet_snippets, snippets
from web.snippets import Snippet

RECORD = '{"machine": "pump 12", "part": "seal", "fault": "leak", "priority": "high"}'
WHOLE = {"choices": [{"message": {"content": RECORD}}]}
PIECE = {"choices": [{"delta": {"content": RECORD}}]}


class Ready(Engine):
    """An engine that has the answer."""

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        if json.loads(body).get("stream"):
            return Said([f"data: {json.dumps(PIECE)}\n\ndata: [DONE]\n\n".encode()])
        return Said([json.dumps(WHOLE).encode()], content_type="application/json")


@dataclass(frozen=True)
class Drawer:
    """What one page says."""

    page: str
    command: str
    python: str
    install: str
    login: str


@dataclass
class Place:
    cp: ControlPlane
    app: Flask
    room: rooms.Rooms
    root: FlaskClient  # the administrator's browser
    machine: SimulatedMachine


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("TUNESMITH_API", "TUNESMITH_TOKEN", "TUNESMITH_AUTHORITY", "TUNESMITH_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ports = {"api_port": 0, "fleet_port": 0, "web_port": listening.getsockname()[1]}
        cp = make_control_plane(tmp_path / "data", FakeClock(time.time()), **ports)  # TLS looks at the real time
        cp = replace(cp, inference=Ready())
        server = Server(cp, ServingChannels())
        server.start()
        cp = replace(cp, settings=replace(cp.settings, api_port=server.api_port))
        app = create_app(cp)
        web = make_server("127.0.0.1", cp.settings.web_port, app, threaded=True, fd=listening.fileno())
        serving = threading.Thread(target=web.serve_forever)
        serving.start()
        people.invite(SYSTEM, cp, "root", "Root", True)
        projects.create(SYSTEM, cp, "lab", "Lab")
        projects.set_member(SYSTEM, cp, "lab", "root", "Owner")
        furnished = rooms.with_triggers(rooms.with_listener(rooms.with_sweep(rooms.furnished(cp))))
        room = rooms.with_run(rooms.with_labelling(rooms.with_draft(furnished, "root")))
        keeping.save(SYSTEM, cp, "lab", "other", keeping.Wanted("https://api.example.com/v1", "large-1"))
        throw_away(room)
        machine = SimulatedMachine(cp, room.machine)
        yield Place(cp, app, room, signed_in(app, cp), machine)
        machine.done.set()
        if machine.ident:
            machine.join(PATIENCE)
        web.shutdown()
        serving.join()
    server.stop(grace_seconds=0.2)
    close_database()


def signed_in(app: Flask, cp: ControlPlane) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = credentials.new_session(cp, UserRecord.get(UserRecord.name == "root"))
    return client


def drawers(place: Place) -> list[Drawer]:
    """One for each page that has one; what two pages say alike is once there."""
    found: dict[tuple[str, str], Drawer] = {}
    for address in rooms.addresses(place.app, place.room):
        page = place.root.get(address).text
        if "-drawer" not in page:
            continue
        said = [_text(page, f"api-{part}") for part in ("command", "python", "install", "login")]
        assert 'href="/account/tokens"' in page and 'href="/authority.pem"' in page, address
        found.setdefault((said[0], said[1]), Drawer(address, *said))
    return list(found.values())


def _text(page: str, name: str) -> str:
    (text,) = re.findall(rf'id="{name}"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    return html.unescape(text)


def test_each_page_but_the_way_in_has_a_drawer(place: Place) -> None:
    without = {
        address for address in rooms.addresses(place.app, place.room) if "-drawer" not in place.root.get(address).text
    }
    assert without == {"/sign-in"}


def test_every_drawer_does_what_it_says(place: Place) -> None:
    """First the steps that it names, then the rest; each prints something."""
    found = drawers(place)
    assert len(found) > 25
    sign_in(place, found[0])
    Path("edits.json").write_text('{"removed": [2]}')
    Path("train.jsonl").write_bytes(rooms.rows(20, "valve"))  # the reader's own file …
    shutil.copytree(METHODS / "sft_demo", "sft_demo")  # … and folder
    for name in ("my-workflow", "thread"):
        Path(f"{name}.yaml").write_text(rooms.WORKFLOW.replace("name: thread", f"name: {name}"))
    for name in ("my-prompt", "short"):
        Path(f"{name}.json").write_text(rooms.PROMPT)
    for name in ("my-reward", "record"):
        Path(f"{name}.json").write_text('[{"check": "json_valid"}]')
    end_what_runs(place)
    place.machine.start()
    faults = []
    for drawer in [*found, *(Drawer("", one.command, one.python, "", "") for one in elsewhere(place))]:
        for kind, text in (("command", drawer.command), ("python", drawer.python)):
            prepare(place, drawer)
            begun = time.monotonic()
            printed, fault = (in_terminal if kind == "command" else in_python)(text)
            if fault or not printed.strip() or time.monotonic() - begun > PATIENCE:
                faults.append((drawer.page, text, fault, printed[-300:]))
    assert not faults, "\n".join(f"{page}: {text!r} {fault} {printed!r}" for page, text, fault, printed in faults)


def throw_away(room: rooms.Rooms) -> None:
    """Something lies in the trash."""
    unwanted, _ = json_lines.upload(room.actor, room.cp, "lab", "unwanted", BytesIO(rooms.rows(20, "tap")), None)
    trash.delete(room.actor, room.cp, "dataset", int(unwanted.dataset_id))


def elsewhere(place: Place) -> list[Snippet]:
    """What stands in drawers of pages that a walk does not reach: answers to forms, runs, and a viewer's machine."""
    return [
        snippets.watch_workflow_run("lab", 1),
        snippets.check_workflow("lab", "thread"),
        fleet_snippets.create_join_token("laptop"),
        fleet_snippets.show_machine(place.room.machine.id),
        fleet_snippets.undrain_machine(place.room.machine.id),
    ]


def sign_in(place: Place, drawer: Drawer) -> None:
    """As the drawer says: fetch the certificate, sign in with a token."""
    Path("authority.pem").write_bytes(place.root.get("/authority.pem").data)
    words = shlex.split(drawer.login)[1:]
    result = CliRunner().invoke(cli.main, words, input=token_of(place.cp, "root") + "\n")
    assert result.exit_code == 0, result.output
    assert "pip install ./tunesmith" in drawer.install  # from the folder: no registry has this name


def end_what_runs(place: Place) -> None:
    """The job that is watched ends well, one that waits is done by the machine, and one is cancelled.

    The run that waits for an approval gets it from somebody else than who started it.
    """
    people.invite(SYSTEM, place.cp, "bea", "Bea", False)
    projects.set_member(SYSTEM, place.cp, "lab", "bea", "Owner")
    bea = identity.actor_of(UserRecord.get(UserRecord.name == "bea"), "127.0.0.1")
    deciding.approve(bea, place.cp, place.room.made["run"])
    jobs.cancel(place.room.actor, place.cp, place.room.train("given-up").id)
    attempt = place.room.latest(place.room.made["running"])
    place.room.finish_model(attempt, "adapter")


def prepare(place: Place, drawer: Drawer) -> None:
    """Ada is there where she is to become a member, and not where she is invited; the machine takes jobs.

    The case that the drawer's other half saved under the same title is gone.
    """
    CaseRecord.delete().where(CaseRecord.name.startswith("case-")).execute()
    UserRecord.delete().where(UserRecord.name == "ada", drawer.page != "/p/lab/members").execute()
    if drawer.page == "/p/lab/members" and not UserRecord.select().where(UserRecord.name == "ada").exists():
        people.invite(SYSTEM, place.cp, "ada", "Ada", False)
    machines.undrain(SYSTEM, place.cp, place.room.machine.id)


def in_terminal(command: str) -> tuple[str, str]:
    """What a command printed, and how it failed."""
    program, *words = shlex.split(command)
    assert program == "tunesmith"
    result = CliRunner().invoke(cli.main, words)
    told = "watch" in words and "FAILED" in result.output  # of a job that failed: exit code 1 says so
    fault = f"exit code {result.exit_code}: {result.exception}" if result.exit_code != int(told) else ""
    return result.output, fault


def in_python(text: str) -> tuple[str, str]:
    """The same of lines of Python."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(text, "drawer", "exec"), {"__name__": "__main__"})
    except Exception as problem:  # noqa: BLE001 whatever it is, the drawer does not work
        return printed.getvalue(), f"{type(problem).__name__}: {problem}"
    return printed.getvalue(), ""


def test_where_a_method_lacks_its_inputs_the_drawer_looks(place: Place) -> None:
    projects.create(SYSTEM, place.cp, "bare", "Bare")
    projects.set_member(SYSTEM, place.cp, "bare", "root", "Owner")
    place.root.get("/p/bare/")
    assert _text(place.root.get("/methods/sft_demo").text, "api-command") == "tunesmith methods show sft_demo"
    place.root.get("/p/lab/")
    command = _text(place.root.get("/methods/sft_demo").text, "api-command")
    assert command.startswith("tunesmith --project lab jobs submit sft_demo --input ")


def test_the_drawer_of_the_jobs_keeps_what_is_chosen(place: Place) -> None:
    page = place.root.get("/p/lab/jobs?status=failed&method=sft_demo").text
    assert _text(page, "api-command") == "tunesmith --project lab jobs list --state FAILED --method sft_demo"
    assert "list_jobs('lab', state='FAILED', method='sft_demo')" in _text(page, "api-python")
    (failed,) = jobs.list_jobs(SYSTEM, place.cp, "lab", jobs.Wanted("FAILED", "sft_demo"))[0]
    sign_in(place, drawers(place)[0])
    printed, fault = in_python(_text(page, "api-python"))
    assert (printed, fault) == (f"{failed.id} {failed.name} FAILED\n", "")
