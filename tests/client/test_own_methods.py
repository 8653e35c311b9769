"""`tunesmith method`: a folder of one's own, from its template to everybody's list, against the real API port."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from client_support import Installation

from control_plane.services import methods
from control_plane.services.fleet import scheduling
from control_plane.store.jobs import AttemptRecord
from control_plane.store.methods import MethodVersionRecord
from fleet_support import model_files, succeed
from patience import PATIENCE
from tunesmith import cli

BEFORE = "sft_demo"


def run(installation: Installation, *arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["--data", str(installation.cp.settings.data), "method", *arguments])


@pytest.fixture
def folder(installation: Installation, tmp_path: Path) -> Path:
    MethodVersionRecord.delete().where(MethodVersionRecord.name == BEFORE).execute()
    methods.register_shipped(installation.cp)
    place = tmp_path / "mine"
    said = run(installation, "new", "mine", str(place), "--from", BEFORE)
    assert said.exit_code == 0, said.output
    return place


def fleet_of(installation: Installation, files: dict[str, bytes]) -> threading.Thread:
    """A machine that carries out the next job with these files as its result."""
    machine = installation.fleet.machine()

    def work() -> None:
        while not AttemptRecord.select().exists():
            installation.cp.signals.wait(frozenset({"schedule"}), {"schedule": 0}, 0.05)
            scheduling.run_pass(installation.cp)
        succeed(machine, installation.cp, AttemptRecord.get(), {"model": files})

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_new_check_run_publish_list_delete(installation: Installation, folder: Path) -> None:
    assert 'name = "mine"' in (folder / "method.toml").read_text("utf-8")
    assert "not empty" in run(installation, "new", "mine", str(folder), "--from", BEFORE).output
    (folder / "README.md").write_text("# Mine\n")
    assert "can be handed in" in run(installation, "check", str(folder)).output
    assert "no method “mine”" in run(installation, "show", "mine").output
    worker = fleet_of(installation, model_files("adapter"))
    said = run(installation, "run", str(folder))
    worker.join(PATIENCE)
    assert said.exit_code == 0 and "It went well" in said.output, said.output
    assert "what new jobs take" in run(installation, "publish", "mine").output
    assert "mine" in run(installation, "list").output
    with installation.connect() as client:
        assert [(one.state, one.current) for one in client.list_method_versions("mine")] == [("published", True)]
    assert "Versions of mine" in run(installation, "versions", "mine").output
    assert "is deleted" in run(installation, "delete", "mine").output
    assert "mine" not in run(installation, "list").output
    assert "is back" in run(installation, "restore", "mine").output
    assert "mine" in run(installation, "list").output


def test_a_fault_is_one_sentence_with_its_line(installation: Installation, folder: Path) -> None:
    text = (folder / "method.toml").read_text("utf-8")
    (folder / "method.toml").write_text(text.replace('kind = "train"', 'kind = "juggle"'), "utf-8")
    said = run(installation, "check", str(folder))
    assert said.exit_code == 1 and "line 2 of method.toml, at kind" in said.output and "Traceback" not in said.output
    (folder / "method.toml").unlink()
    assert "method.toml" in run(installation, "run", str(folder)).output
    (folder / "link.py").symlink_to("/etc/passwd")
    assert "is a link" in run(installation, "check", str(folder)).output


def test_a_difference_is_that_of_diff(installation: Installation, folder: Path) -> None:
    with installation.connect() as client:
        client.upload_method(folder)
        (folder / "train.py").write_text("print()\n")
        client.upload_method(folder)
    assert "+print()" in run(installation, "diff", "mine", "1", "2").output
    assert "has no version 7" in run(installation, "diff", "mine", "1", "7").output
