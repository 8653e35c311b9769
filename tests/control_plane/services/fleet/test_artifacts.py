"""Artifacts in chunks: interrupted, corrupt, repeated, late; and who may read which blob."""

import hashlib
import threading
from dataclasses import replace

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    ArtifactIncomplete,
    ArtifactUnderWay,
    ChunkCorrupt,
    Fenced,
    FieldInvalid,
    FileTypeRefused,
    NotFound,
    PathRefused,
)
from control_plane.domain.files import CHUNK, File
from control_plane.domain.permissions import Actor
from control_plane.services import jobs
from control_plane.services.fleet import artifacts, offers, scheduling, staging
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.jobs import AttemptRecord
from fleet_support import Fleet, announced, model_files, report, succeed, upload
from patience import PATIENCE


def begin(machine: Actor, cp: ControlPlane, attempt: AttemptRecord, *files: File, name: str = "model") -> int:
    return artifacts.begin(machine, cp, attempt.id, attempt.fence, name, files)


def test_a_file_of_several_chunks_resumes_at_the_chunk(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord
) -> None:
    data = b"a" * CHUNK + b"b" * CHUNK + b"end"
    file = announced("model.safetensors", data)
    number = begin(machine, cp, attempt, file)
    assert begin(machine, cp, attempt, file) == number
    assert artifacts.missing(machine, cp, number, attempt.fence) == list(file.chunks)
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[1], data[CHUNK : 2 * CHUNK])
    with pytest.raises(ArtifactIncomplete) as refused:
        artifacts.commit(machine, cp, number, attempt.fence)
    assert refused.value.params == {"missing": 2}
    assert artifacts.missing(machine, cp, number, attempt.fence) == [file.chunks[0], file.chunks[2]]
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], data[:CHUNK])
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], data[:CHUNK])
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[2], b"end")
    artifacts.commit(machine, cp, number, attempt.fence)
    artifacts.commit(machine, cp, number, attempt.fence)  # twice is harmless
    with cp.blobs.open(file.sha256) as blob:
        assert blob.read() == data
    assert artifacts.missing(machine, cp, number, attempt.fence) == []


def test_what_does_not_match_its_hash(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    file = announced("model.safetensors", b"weights")
    number = begin(machine, cp, attempt, file)
    with pytest.raises(ChunkCorrupt):
        artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], b"Weights")
    with pytest.raises(NotFound):
        artifacts.put_chunk(machine, cp, number, attempt.fence, hashlib.sha256(b"x").hexdigest(), b"x")
    lied = replace(file, path="other.safetensors", sha256="0" * 64)
    number = begin(machine, cp, attempt, lied)
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], b"weights")
    with pytest.raises(ChunkCorrupt):
        artifacts.commit(machine, cp, number, attempt.fence)
    assert not cp.blobs.has("0" * 64) and ArtifactRecord.get_by_id(number).committed_at == 0


def test_equal_files_and_equal_chunks_travel_once(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    zeros, empty = b"\0" * (2 * CHUNK) + b"end", b""
    files = [announced(name, zeros) for name in ("a.safetensors", "b.safetensors")] + [announced("c.txt", empty)]
    number = begin(machine, cp, attempt, *files)
    assert artifacts.missing(machine, cp, number, attempt.fence) == [files[0].chunks[0], files[0].chunks[2]]
    artifacts.put_chunk(machine, cp, number, attempt.fence, files[0].chunks[0], b"\0" * CHUNK)
    artifacts.put_chunk(machine, cp, number, attempt.fence, files[0].chunks[2], b"end")
    artifacts.commit(machine, cp, number, attempt.fence)
    assert cp.blobs.path(files[0].sha256).read_bytes() == zeros and cp.blobs.size(files[2].sha256) == 0


def test_nothing_is_copied_on_the_way(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    """The file in staging is the blob: no second copy on the disk, however large it is."""
    data = b"a" * CHUNK + b"end"
    file = announced("model.safetensors", data)
    number = begin(machine, cp, attempt, file)
    for at, chunk in enumerate(file.chunks):
        artifacts.put_chunk(machine, cp, number, attempt.fence, chunk, data[at * CHUNK :][:CHUNK])
    (staged,) = (path for path in cp.blobs.staging(f"artifact-{number}").iterdir() if path.stat().st_size == len(data))
    inode = staged.stat().st_ino
    artifacts.commit(machine, cp, number, attempt.fence)
    assert cp.blobs.path(file.sha256).stat().st_ino == inode


def test_knowing_a_hash_is_not_having_the_bytes(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    file = announced("model.safetensors", b"somebody else's")
    cp.blobs.put_bytes(b"somebody else's")
    number = begin(machine, cp, attempt, file)
    with pytest.raises(ArtifactIncomplete):
        artifacts.commit(machine, cp, number, attempt.fence)


def test_a_long_verification_is_asked_about_again_and_runs_once(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    cp = replace(cp, settings=replace(cp.settings, commit_wait_seconds=0.0))
    file = announced("model.safetensors", b"weights")
    number = begin(machine, cp, attempt, file)
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], b"weights")
    may_read, began, done = threading.Event(), [], threading.Event()
    verify = staging._verify

    def slowly(plan: staging.Layout) -> None:
        began.append(plan)
        may_read.wait(PATIENCE)
        verify(plan)
        done.set()

    monkeypatch.setattr(staging, "_verify", slowly)
    for _ in range(3):
        with pytest.raises(ArtifactUnderWay):
            artifacts.commit(machine, cp, number, attempt.fence)
    may_read.set()
    assert done.wait(PATIENCE)
    cp = replace(cp, settings=replace(cp.settings, commit_wait_seconds=PATIENCE))
    artifacts.commit(machine, cp, number, attempt.fence)
    assert len(began) == 1 and ArtifactRecord.get_by_id(number).committed_at > 0


def test_a_move_that_was_interrupted_before_its_commit_is_finished(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = announced("model.safetensors", b"weights")
    number = begin(machine, cp, attempt, file)
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], b"weights")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(artifacts, "_name", dies)
        with pytest.raises(KeyboardInterrupt):
            artifacts.commit(machine, cp, number, attempt.fence)
    assert cp.blobs.has(file.sha256)
    artifacts.commit(machine, cp, number, attempt.fence)
    assert ArtifactRecord.get_by_id(number).committed_at > 0


def test_a_download_works_out_what_an_attempt_needs_once(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = cp.blobs.put_bytes(b"print('hello')\n")
    built, offer_of = [], offers.offer_of
    monkeypatch.setattr(offers, "offer_of", lambda *given: built.append(1) or offer_of(*given))
    assert b"".join(artifacts.read_blob(machine, cp, code, at, 1)[0] for at in range(15)) == b"print('hello')\n"
    assert len(built) == 1


def test_what_may_not_arrive(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    good = announced("a.json", b"{}")
    with pytest.raises(PathRefused):
        begin(machine, cp, attempt, replace(good, path="../../etc/passwd.json"))
    with pytest.raises(FileTypeRefused):
        begin(machine, cp, attempt, replace(good, path="pytorch_model.bin"))
    for name in ("another", "checkpoint:", "checkpoint:1/../2"):
        with pytest.raises(FieldInvalid):
            begin(machine, cp, attempt, good, name=name)
    with pytest.raises(FieldInvalid):
        begin(machine, cp, attempt)
    assert ArtifactRecord.select().count() == 0


def test_foreign_and_late_machines(cp: ControlPlane, fleet: Fleet, machine: Actor, attempt: AttemptRecord) -> None:
    file = announced("a.json", b"{}")
    number = begin(machine, cp, attempt, file)
    with pytest.raises(NotFound):
        artifacts.put_chunk(fleet.machine(), cp, number, attempt.fence, file.chunks[0], b"{}")
    with pytest.raises(Fenced):
        artifacts.put_chunk(machine, cp, number, attempt.fence - 1, file.chunks[0], b"{}")
    artifacts.put_chunk(machine, cp, number, attempt.fence, file.chunks[0], b"{}")
    report(machine, cp, attempt, "FAILED", reason="trainer_crashed")
    with pytest.raises(Fenced):
        artifacts.commit(machine, cp, number, attempt.fence)
    with pytest.raises(Fenced):
        begin(machine, cp, attempt, file, name="checkpoint:1")


def test_a_machine_reads_what_its_attempts_need_and_nothing_else(
    cp: ControlPlane, fleet: Fleet, machine: Actor, attempt: AttemptRecord
) -> None:
    code = cp.blobs.put_bytes(b"print('hello')\n")
    other = cp.blobs.put_bytes(b"somebody else's")
    assert artifacts.read_blob(machine, cp, code, 6, 8) == (b"'hello')", 15)
    with pytest.raises(NotFound):
        artifacts.read_blob(machine, cp, other, 0, 10)
    with pytest.raises(NotFound):
        artifacts.read_blob(fleet.machine(), cp, code, 0, 10)
    checkpoint = upload(machine, cp, attempt, "checkpoint:5", {"state.json": b"{}"})
    assert checkpoint
    report(machine, cp, attempt, "FAILED", reason="trainer_crashed")
    with pytest.raises(NotFound):
        artifacts.read_blob(machine, cp, code, 0, 10)


def test_artifacts_hash_to_their_ids(cp: ControlPlane, fleet: Fleet, machine: Actor) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    succeed(machine, cp, fleet.attempt(job.id), {"model": model_files("base")})
    (artifact,) = jobs.files(fleet.user, cp, job.id)
    assert artifacts.content_hash(artifact.files) == artifact.hash
    for file in artifact.files:
        assert hashlib.sha256(cp.blobs.path(file["sha256"]).read_bytes()).hexdigest() == file["sha256"]
