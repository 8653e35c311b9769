"""What method code reaches from inside its sandbox, with real processes, and what is said where there is none."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from agent import isolation
from agent.attempts import runner
from agent.environment import Environments
from agent.isolation import Isolation, IsolationMissing, Sandbox
from agent.settings import Installer, IsolationChoice, SettingInvalid, Settings, read
from support import missing
from tests.agent.conftest import Machine
from tests.agent.fake_fleet import FakeFleet
from tests.agent.trainings import GOOD, make_offer, over
from tests.agent.wheels import installer

LOOK = """
def refused(what):
    try:
        what()
    except OSError:
        return True
    return False
data = pathlib.Path(job["parameters"]["data"])
here = pathlib.Path(os.getcwd())
import socket
event(kind="seen", refused={
    "key": refused(lambda: (data / "machine.key").read_bytes()),
    "state": refused(lambda: (data / "state.db").read_bytes()),
    "other attempt": refused(lambda: (data / "attempts" / "99" / "job.json").read_bytes()),
    "cache": refused(lambda: list((data / "cache").iterdir())),
    "home": refused(lambda: (pathlib.Path(job["parameters"]["home"]) / "secret").read_bytes()),
    "code": refused(lambda: (here / "code" / "kit" / "words.py").write_text("evil")),
    "input": refused(lambda: os.chmod(job["inputs"]["dataset"]["train"], 0o600)),
    "exit record": refused(lambda: (here / "exit.json").write_text("{}")),
    "log": refused(lambda: (here / "log" / "agent").unlink()),
    "outputs' folder": refused(lambda: out.rename(here / "gone")),
    "network": refused(lambda: socket.create_connection(("127.0.0.1", job["parameters"]["port"]), 5).close()),
}, processes=len([name for name in os.listdir("/proc") if name.isdigit()]))
"""


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """This machine's sandbox; a skip with the reason where it has none."""
    found = isolation.find(Settings(data=tmp_path / "agent"))
    if found.kind is Isolation.NONE:
        missing(f"method code cannot be isolated here: {found.problem}")
    return found


def test_a_trainer_reaches_nothing_but_what_it_was_given(
    sandbox: Sandbox, fleet: FakeFleet, machine: Machine, tmp_path: Path
) -> None:
    other = machine.settings.data / "attempts" / "99" / "job.json"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    (tmp_path / "secret").write_text("very private")
    with socket.create_server(("127.0.0.1", 0)) as server:
        machine.start()
        port = server.getsockname()[1]
        fleet.offer(make_offer(fleet, LOOK + GOOD, data=str(machine.settings.data), home=str(tmp_path), port=port))
        fleet.wait_for(lambda: over(fleet))
    assert fleet.last_state(12) == "SUCCEEDED", fleet.states[12][-1]
    (seen,) = [event for event in fleet.events[12] if event["kind"] == "seen"]
    kept_out = {"network"} if sandbox.kind is Isolation.SHARED_NETWORK else set()
    assert {what for what, refused in seen["refused"].items() if not refused} == kept_out  # type: ignore[attr-defined]
    assert seen["processes"] <= 2  # bubblewrap's own first process, and itself
    assert fleet.heartbeats[-1].inventory.isolation == sandbox.kind


def test_without_a_sandbox_that_is_what_the_fleet_is_told(fleet: FakeFleet, machine: Machine) -> None:
    machine.start(TUNESMITH_AGENT_ISOLATION="off")
    fleet.wait_for(lambda: fleet.heartbeats)
    inventory = fleet.heartbeats[-1].inventory
    assert (inventory.isolation, "ISOLATION" in inventory.isolation_problem) == ("none", True)


@pytest.mark.parametrize("choice", Installer)
def test_building_an_environment_reaches_as_little(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: Installer
) -> None:
    """A source package's setup.py is code that uv and pip run."""
    key = tmp_path / "agent" / "machine.key"
    key.parent.mkdir()
    key.write_text("very private")
    planted = tmp_path / "agent" / "environments" / "planted"
    source = (
        "import pathlib, setuptools\n"
        f"key, planted = pathlib.Path({str(key)!r}), pathlib.Path({str(planted)!r})\n"
        "try:\n    seen = key.read_text()\nexcept OSError:\n    seen = 'nothing'\n"
        "try:\n    planted.write_text('x'); wrote = True\nexcept OSError:\n    wrote = False\n"
        "pathlib.Path('nosy.py').write_text(f'SEEN = {seen!r}; WROTE = {wrote!r}')\n"
        "setuptools.setup(name='nosy', version='1', py_modules=['nosy'])\n"
    )
    (tmp_path / "wheels").mkdir()
    with tarfile.open(tmp_path / "wheels" / "nosy-1.tar.gz", "w:gz") as package:
        member = tarfile.TarInfo("nosy-1/setup.py")
        member.size = len(source)
        package.addfile(member, io.BytesIO(source.encode()))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "downloads"))
    settings = Settings(data=tmp_path / "agent", tail_seconds=0.05, installer=choice)
    environments, log = Environments(settings, sandbox), tmp_path / "log"
    made = environments.ensure("nosy==1", "", log, lambda: None)
    assert installer(made, "nosy") == choice, log.read_text()
    said = subprocess.run(
        [made.python, "-c", "import nosy; print(nosy.SEEN, nosy.WROTE)"], capture_output=True, text=True
    )
    assert said.stdout == "nothing False\n", said.stderr + log.read_text()


@pytest.mark.parametrize(("status", "reported"), [(0, 0), (7, 7), (143, 143), (137, -9), (139, -11), (255, 255)])
def test_how_a_trainer_ended_is_told_through_the_sandbox(status: int, reported: int) -> None:
    assert runner.status_inside(status) == reported


def test_a_sandbox_that_is_required_and_cannot_be_had_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isolation.find(Settings(data=tmp_path)).kind is Isolation.NONE
    with pytest.raises(IsolationMissing, match="bubblewrap"):
        isolation.find(Settings(data=tmp_path, isolation=IsolationChoice.REQUIRED))


@pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is for Linux")
def test_a_bubblewrap_that_does_not_work_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = isolation.find(Settings(data=tmp_path))
    assert (found.kind, found.problem) == (Isolation.NONE, "No permissions to create new namespace")


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SettingInvalid, match=r"ISOLATION.*one of auto, required, off"):
        read({"TUNESMITH_AGENT_ISOLATION": "perhaps"})


def test_the_data_folder_is_hidden_also_where_a_folder_around_it_is_shown(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "machine.key").write_text("very private")
    (tmp_path / "agent" / "mine").mkdir()
    look = "import json, os, sys; print(json.dumps([os.listdir(path) for path in sys.argv[1:]]))"
    python = [sys.executable, "-I", "-S", "-c", look, str(tmp_path / "agent"), str(tmp_path / "agent" / "mine")]
    command = sandbox.wrap(python, readable=[tmp_path], writable=[tmp_path / "agent" / "mine"], network=False)
    done = subprocess.run(command, capture_output=True, text=True)
    assert json.loads(done.stdout) == [["mine"], []], done.stderr
