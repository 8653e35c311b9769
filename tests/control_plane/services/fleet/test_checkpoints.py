"""A job's checkpoints: the newest is offered to the next attempt, the older ones go."""

import hashlib

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services import jobs, references
from control_plane.services.fleet import attempts, offers, scheduling
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.jobs import AttemptRecord
from fleet_support import Fleet, upload


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def checkpoint(machine: Actor, cp: ControlPlane, attempt: AttemptRecord, step: int, weights: bytes) -> None:
    files = {"optimizer.pt.safetensors": weights, "trainer_state.json": f'{{"step": {step}}}'.encode()}
    upload(machine, cp, attempt, f"checkpoint:{step}", files)
    cp.clock.advance(1)  # type: ignore[attr-defined]


def kept() -> list[str]:
    return [one.name for one in ArtifactRecord.select(ArtifactRecord.name).order_by(ArtifactRecord.id)]


def test_the_newest_two_are_kept(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    for step in (1, 2, 3, 4):
        checkpoint(machine, cp, attempt, step, b"weights %d" % step)
    assert kept() == ["checkpoint:3", "checkpoint:4"]
    assert [cp.blobs.has(sha256(b"weights %d" % step)) for step in (1, 2, 3, 4)] == [False, False, True, True]


def test_what_something_else_has_too_stays(
    cp: ControlPlane, fleet: Fleet, machine: Actor, attempt: AttemptRecord
) -> None:
    dataset = fleet.dataset()
    rows = cp.blobs.open(dataset.train_sha256).read()
    upload(machine, cp, attempt, "model", {"model.safetensors": b"same", "model.json": b'{"form": "base"}'})
    for step, weights in enumerate((b"same", rows, b"3", b"4")):
        checkpoint(machine, cp, attempt, step, weights)
    assert kept() == ["model", "checkpoint:2", "checkpoint:3"]
    assert cp.blobs.has(sha256(b"same")) and cp.blobs.has(dataset.train_sha256)


def test_a_checkpoint_costs_what_its_own_job_has(
    cp: ControlPlane, fleet: Fleet, machine: Actor, attempt: AttemptRecord
) -> None:
    """No row of anybody else's artifacts is read: 0.27 s under the write lock at 5,000 of them, once."""
    other = fleet.machine()
    jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    theirs = AttemptRecord.get(AttemptRecord.machine == other.id)
    ArtifactRecord.create(attempt=theirs, name="model", files="no list", hash="h", size=1, begun_at=0, committed_at=1)
    ArtifactRecord.update(files=ArtifactRecord.name).where(ArtifactRecord.attempt == theirs.id).execute()  # no JSON
    for step in (1, 2, 3):
        checkpoint(machine, cp, attempt, step, b"weights %d" % step)
    assert kept()[-2:] == ["checkpoint:2", "checkpoint:3"]


def test_files_go_after_the_commit(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in (1, 2):
        checkpoint(machine, cp, attempt, step, b"weights %d" % step)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(references, "drop", dies)
    with pytest.raises(KeyboardInterrupt):
        checkpoint(machine, cp, attempt, 3, b"weights 3")
    assert kept() == ["checkpoint:1", "checkpoint:2", "checkpoint:3"] and cp.blobs.has(sha256(b"weights 1"))


def test_the_next_attempt_resumes_from_the_newest(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    for step in (20, 9, 40):
        checkpoint(machine, cp, attempt, step, b"weights %d" % step)
    attempts.lose_unheld(machine, cp, machine.id, [])
    scheduling.run_pass(cp)
    following = AttemptRecord.get(AttemptRecord.number == 2)
    resume = offers.offer_of(cp, following).resume
    assert resume is not None and resume.kind == "checkpoint"
    assert {ref.sha256 for ref in resume.files} >= {sha256(b"weights 40")}
