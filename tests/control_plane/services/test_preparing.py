"""Processes that prepare: bounded, told little, ended whole, begun again; other programs stand in for the reader."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from data_support import bring, draft_of, expert, settle

from control_plane.blobs import Blobs
from control_plane.context import ControlPlane
from control_plane.domain.errors import DraftsTooMany
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.preparations import Preparations
from control_plane.services.datasets import drafts, preparing, process, row_index, uploads
from control_plane.services.things import trash
from control_plane.store.database import database
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord
from patience import wait_until

# a child beside it, its number in a file, and then nothing more
HANGS = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen(["sleep", "60"])
(pathlib.Path(sys.argv[1]).parents[1] / "child").write_text(str(child.pid))
print('{"done": 5, "of": 10}', flush=True)
time.sleep(60)
"""
FAILS = """
import json, pathlib, sys
(pathlib.Path(sys.argv[1]) / "failure.json").write_text(json.dumps({"code": %r, "params": {"file": "f"}}))
sys.exit(2)
"""
TELLS_ITS_WORLD = """
import json, os, pathlib, sys
kept = {"environment": dict(os.environ), "umask": os.umask(0), "path": sys.path, "open": os.listdir("/proc/self/fd")}
(pathlib.Path(sys.argv[1]).parents[1] / "world").write_text(json.dumps(kept))
"""

Stand = Callable[[str], None]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Stand:
    return lambda script: monkeypatch.setattr(process, "PROGRAM", ("-c", script))


@pytest.fixture
def erin(cp: ControlPlane) -> Actor:
    return expert(cp)


def begun(cp: ControlPlane, erin: Actor) -> DatasetDraftRecord:
    draft = drafts.begin(erin, cp, "pumps", bring(erin, cp))
    preparing.advance(cp)
    return draft


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped by whoever does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def child_of(cp: ControlPlane) -> int:
    """The number of the process that a hanging one has started."""
    place = cp.settings.data / "blobs" / "staging" / "child"
    wait_until(lambda: place.is_file() and place.read_text())
    return int(place.read_text())


def test_cancelling_ends_the_process_with_its_children(cp: ControlPlane, erin: Actor, stand_in: Stand) -> None:
    stand_in(HANGS)
    draft = begun(cp, erin)
    child = child_of(cp)
    wait_until(lambda: drafts.get(erin, cp, draft.id).done_bytes == 5)
    over = drafts.cancel(erin, cp, draft.id)
    cp.preparations.join()
    wait_until(lambda: not is_there(child))
    assert over.state == "cancelled"
    assert not [path for path in (cp.settings.data / "blobs").rglob("*") if path.is_file() and path.name != "child"]
    assert drafts.list_drafts(erin, cp, "pumps") == [] and drafts.cancel(erin, cp, draft.id).state == "cancelled"


def test_at_most_so_many_at_once_and_the_others_in_order(cp: ControlPlane, erin: Actor, stand_in: Stand) -> None:
    stand_in(HANGS)
    cp = replace(cp, settings=replace(cp.settings, preparations=1))
    first, second, third = (drafts.begin(erin, cp, "pumps", bring(erin, cp)) for _ in range(3))
    assert (preparing.advance(cp), preparing.advance(cp), cp.preparations.running("draft")) == (1, 0, {first.id})
    drafts.cancel(erin, cp, first.id)
    cp.preparations.join()
    assert (preparing.advance(cp), cp.preparations.running("draft")) == (1, {second.id})
    assert drafts.get(erin, cp, third.id).started_at == 0
    cp.preparations.close()
    assert preparing.advance(cp) == 0


def test_a_step_is_begun_again_after_a_restart(cp: ControlPlane, erin: Actor, stand_in: Stand) -> None:
    stand_in(HANGS)
    draft = begun(cp, erin)
    child = child_of(cp)
    wait_until(lambda: drafts.get(erin, cp, draft.id).started_at)
    cp.preparations.close()
    wait_until(lambda: not is_there(child))
    assert drafts.get(erin, cp, draft.id).state == "looking"
    stand_in(FAILS % "file_unfit")
    assert settle(replace(cp, preparations=Preparations()), draft).error == "file_unfit"


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (FAILS % "file_unfit", "file_unfit"),
        (FAILS % "no_code_of_ours", "preparation_broke"),
        ("import os; print('x' * 1_000_000); os.kill(os.getpid(), 9)", "preparation_broke"),
        ("print('no progress')", "preparation_broke"),  # it says that it was done, and nothing is there
    ],
)
def test_what_goes_wrong_is_said(cp: ControlPlane, erin: Actor, stand_in: Stand, script: str, code: str) -> None:
    stand_in(script)
    found = settle(cp, begun(cp, erin))
    assert (found.state, found.error) == ("failed", code)


def test_a_file_that_was_removed_is_said_to_be_gone(cp: ControlPlane, erin: Actor, stand_in: Stand) -> None:
    stand_in("raise SystemExit('not to be begun')")
    draft = drafts.begin(erin, cp, "pumps", bring(erin, cp))
    uploads.cancel(erin, cp, draft.train_upload_id)
    found = settle(cp, draft)
    assert (found.state, found.error, found.error_params) == ("failed", "upload_gone", {"file": "faults.jsonl"})


def test_what_a_killed_control_plane_left_goes_with_the_next_step(
    cp: ControlPlane, erin: Actor, stand_in: Stand
) -> None:
    stand_in(FAILS % "file_unfit")
    draft = drafts.begin(erin, cp, "pumps", bring(erin, cp))
    left = preparing.folder(cp, draft) / "run-left"
    left.mkdir()
    (left / "scratch").write_bytes(bytes(99))
    settle(cp, draft)
    assert list(preparing.folder(cp, draft).iterdir()) == []


def test_no_version_is_made_in_a_project_that_is_in_the_trash(cp: ControlPlane, erin: Actor) -> None:
    saving = drafts.save(erin, cp, draft_of(erin, cp).id)
    trash.delete(SYSTEM, cp, "project", saving.project_id)
    found = settle(cp, saving)
    assert (found.state, found.error) == ("failed", "in_trash")
    assert not DatasetVersionRecord.select().exists()


def test_nobody_waits_while_it_is_worked_out_where_rows_begin(
    cp: ControlPlane, erin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets, asked = row_index._offsets, list[bool]()

    def watched(*given: Any) -> Any:
        asked.append(database.in_transaction())
        return offsets(*given)

    monkeypatch.setattr(row_index, "_offsets", watched)
    assert settle(cp, drafts.save(erin, cp, draft_of(erin, cp).id)).state == "saved"
    assert asked == [False, False]  # of the rows to learn from, and of those held out


def test_too_slow_and_a_full_disk(cp: ControlPlane, erin: Actor, stand_in: Stand) -> None:
    stand_in(HANGS)
    slow = replace(cp, settings=replace(cp.settings, preparation_seconds=0))
    found = settle(slow, begun(slow, erin))
    assert (found.error, found.error_params) == ("preparation_too_slow", {"allowed": 0})
    full = replace(cp, blobs=Blobs(cp.settings.data / "blobs", 1 << 30, lambda _: 1 << 20))
    again = settle(full, drafts.change(erin, cp, found.id))
    assert again.error == "disk_full" and drafts.get(erin, cp, found.id).state == "failed"


def test_it_is_told_nothing_that_opens_a_door(
    cp: ControlPlane, erin: Actor, stand_in: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(TELLS_ITS_WORLD)
    monkeypatch.setenv("TUNESMITH_DATABASE", "postgresql://user:secret@host/db")
    settle(cp, begun(cp, erin))
    world = json.loads((cp.settings.data / "blobs" / "staging" / "world").read_text())
    assert set(world["environment"]) <= {
        "PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_ALL", "HOME", "TMPDIR", "LC_CTYPE",
        "SSL_CERT_FILE", "SSL_CERT_DIR",  # where authorities' certificates lie
    }  # fmt: skip
    assert world["umask"] == 0o077 and not [place for place in world["path"] if "run-" in place]
    assert len(world["open"]) <= 4  # three, and the one that looks


def test_nobody_fills_the_queue_with_one_file(cp: ControlPlane, erin: Actor) -> None:
    cp = replace(cp, settings=replace(cp.settings, uploads_per_person=2))
    upload = bring(erin, cp)
    first, _ = (drafts.begin(erin, cp, "pumps", upload) for _ in range(2))
    with pytest.raises(DraftsTooMany):
        drafts.begin(erin, cp, "pumps", upload)
    drafts.cancel(erin, cp, first.id)
    drafts.begin(erin, cp, "pumps", upload)
