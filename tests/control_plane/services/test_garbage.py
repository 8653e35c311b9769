"""What nobody names goes; what somebody is about to name stays."""

import hashlib
import os
import threading
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor
from control_plane.services import garbage, references
from control_plane.services.fleet import artifacts, logs
from control_plane.store.audit import AuditRecord
from control_plane.store.jobs import AttemptRecord
from fleet_support import Fleet, announced, report, upload
from patience import PATIENCE

DAY = 86_400.0


def sweep(cp: ControlPlane) -> int:
    """A whole turn: each run looks at its share."""
    found = 0
    for _ in range(256):
        cp.clock.advance(garbage.PERIOD)  # type: ignore[attr-defined]
        found += garbage.collect(cp)
    return found


def age(cp: ControlPlane, path: Path, seconds: float = 2 * DAY) -> None:
    os.utime(path, (cp.clock() - seconds,) * 2)


def test_blobs_that_nobody_names_go_after_their_grace(
    cp: ControlPlane, fleet: Fleet, machine: Actor, attempt: AttemptRecord
) -> None:
    dataset = fleet.dataset()
    upload(machine, cp, attempt, "model", {"model.json": b'{"form": "base"}'})
    logs.append(machine, cp, attempt.id, attempt.fence, "stdout", 0, b"line\n")
    sealed = hashlib.sha256(b"line\n").hexdigest()
    assert logs.seal(machine, cp, attempt.id, attempt.fence, "stdout", 5, sealed)[0]
    nobodys, fresh = cp.blobs.put_bytes(b"of a crash"), cp.blobs.put_bytes(b"just stored")
    for path in (cp.settings.data / "blobs").glob("??/*"):
        age(cp, path)
    age(cp, cp.blobs.path(fresh), -DAY)
    assert sweep(cp) == 1
    assert not cp.blobs.has(nobodys) and cp.blobs.has(fresh)
    kept = [dataset.train_sha256, dataset.test_sha256, sealed, hashlib.sha256(b'{"form": "base"}').hexdigest()]
    assert all(map(cp.blobs.has, kept))
    (entry,) = AuditRecord.select().where(AuditRecord.action == "garbage.collect")
    assert (entry.subject, entry.details) == ("blobs", {"staging": 0, "blobs": 1, "bytes": len(b"of a crash")})


def test_staging_goes_with_its_attempt(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    file = announced("model.safetensors", b"weights")
    number = artifacts.begin(machine, cp, attempt.id, attempt.fence, "model", [file])
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], b"weights")
    folder = cp.settings.data / "blobs" / "staging" / f"artifact-{number}"
    assert garbage.collect(cp) == 0 and artifacts.missing(machine, cp, number, attempt.fence) == []
    report(machine, cp, attempt, "FAILED", reason="trainer_crashed")
    assert garbage.collect(cp) == 1 and not folder.exists()


def test_temporary_files_of_a_crash_go_after_their_grace(cp: ControlPlane) -> None:
    staging = cp.settings.data / "blobs" / "staging"
    for name in ("tmpold", "tmpnew"):
        (staging / name).write_bytes(b"half a blob")
        age(cp, staging / name, 2 * DAY if name == "tmpold" else 1.0)
    (staging / "upload-1").mkdir()
    (staging / "upload-1" / "train").write_bytes(b"row\n")
    age(cp, staging / "upload-1" / "train", 1.0)
    age(cp, staging / "upload-1")
    assert garbage.collect(cp) == 1
    assert sorted(path.name for path in staging.iterdir()) == ["tmpnew", "upload-1"]


def test_what_is_held_is_not_removed(cp: ControlPlane) -> None:
    """Between storing a blob and the commit that names it, a collector that knows no age still leaves it."""
    sha256 = cp.blobs.put_bytes(b"was here before")
    stored, looked = threading.Event(), threading.Event()

    def write() -> None:
        with cp.blobs.holding():
            cp.blobs.put_bytes(b"was here before")
            stored.set()
            looked.wait(PATIENCE)

    writer = threading.Thread(target=write)
    writer.start()
    stored.wait(PATIENCE)
    assert cp.blobs.remove(sha256, lambda _: False) == 0
    looked.set()
    writer.join()
    assert cp.blobs.remove(sha256, lambda _: True) == 0
    assert cp.blobs.remove(sha256, lambda _: False) == len(b"was here before")
    assert cp.blobs.remove(sha256, lambda _: False) == 0


def test_what_is_held_and_named_during_the_look_is_not_removed(cp: ControlPlane) -> None:
    sha256 = cp.blobs.put_bytes(b"was here before")

    def late(_: str) -> bool:
        with cp.blobs.holding():  # a writer stores the same again and names it, after the question was answered
            cp.blobs.put_bytes(b"was here before")
        return False

    assert cp.blobs.remove(sha256, late) == 0 and cp.blobs.has(sha256)


def test_a_row_never_names_what_is_not_there(cp: ControlPlane) -> None:
    with pytest.raises(NotFound):
        references.add(cp, references.DATASET, 1, ["0" * 64])
