"""Artifacts in chunks: interrupted, corrupt, repeated, late; and who may read which blob."""

import hashlib
from dataclasses import replace

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    ArtifactIncomplete,
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
from control_plane.services.fleet import artifacts, scheduling
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.jobs import AttemptRecord
from fleet_support import Fleet, announced, model_files, report, succeed, upload


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
