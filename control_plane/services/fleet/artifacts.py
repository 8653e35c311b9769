"""Artifacts: files arrive in chunks, lie aside until they are whole, and become the job's by one fenced commit."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import files as rules
from control_plane.domain.errors import (
    ArtifactIncomplete,
    ArtifactUnderWay,
    ChunkCorrupt,
    Fenced,
    FieldInvalid,
    NotFound,
)
from control_plane.domain.files import File
from control_plane.domain.lifecycle import ATTEMPT_HELD
from control_plane.domain.permissions import Actor
from control_plane.services import audit, references
from control_plane.services.fleet import attempts, checkpoints, needs, offers, staging
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import transaction
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.methods import MethodVersionRecord

_CHECKPOINT = re.compile(rf"{offers.CHECKPOINT}:[0-9]{{1,12}}")
_MOST_FILES = 10_000


def begin(actor: Actor, cp: ControlPlane, attempt_id: int, fence: int, name: str, files: Sequence[File]) -> int:
    """Announce a promised output, or `checkpoint:<step>`; the artifact's id. The same announcement gets the same id.

    Raises NotFound, Fenced, FieldInvalid, PathRefused, FileTypeRefused, DiskFull.
    """
    attempt = attempts.held(actor, attempt_id, fence)
    _check_name(attempt, name)
    if not 0 < len(files) <= _MOST_FILES:
        raise FieldInvalid(field="files", problem=f"{len(files)}")
    rules.check(files)
    content = [{"path": f.path, "size": f.size, "sha256": f.sha256, "chunks": list(f.chunks)} for f in files]
    size = sum(file.size for file in files)
    cp.blobs.require_space(size)
    what = {"attempt": attempt.id, "name": name, "hash": content_hash(content)}
    with transaction():
        artifact = ArtifactRecord.get_or_none(**what)
        if artifact is None:
            artifact = ArtifactRecord.create(**what, files=content, size=size, begun_at=cp.clock())
    return int(artifact.id)


def content_hash(files: Sequence[dict[str, Any]]) -> str:
    """The identity of a set of files: sha256 over the sorted (path, sha256) pairs."""
    pairs = sorted((one["path"], one["sha256"]) for one in files)
    return hashlib.sha256(json.dumps(pairs, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def missing(actor: Actor, cp: ControlPlane, artifact_id: int, fence: int) -> list[str]:
    """The chunks that have not arrived yet. Raises NotFound, Fenced."""
    artifact = _own(actor, artifact_id, fence)
    return [] if artifact.committed_at else staging.missing(_layout(cp, artifact))


def put_chunk(actor: Actor, cp: ControlPlane, artifact_id: int, fence: int, sha256: str, data: bytes) -> None:
    """Take one chunk. Raises NotFound (also for a chunk that was not announced), Fenced, ChunkCorrupt, DiskFull."""
    artifact = _own(actor, artifact_id, fence)
    plan = _layout(cp, artifact)
    if sha256 not in plan.places:
        raise NotFound
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ChunkCorrupt
    if artifact.committed_at:
        return
    cp.blobs.require_space(len(data))
    staging.write(plan, sha256, data)


def commit(actor: Actor, cp: ControlPlane, artifact_id: int, fence: int) -> None:
    """Verify each file as a whole and make the artifact the attempt's. Repeating it is harmless.

    Raises NotFound, Fenced, ArtifactIncomplete, ChunkCorrupt; ArtifactUnderWay while the files are still being read:
    the caller asks again.
    """
    artifact = _own(actor, artifact_id, fence)
    if artifact.committed_at:
        return
    plan = _layout(cp, artifact)
    try:
        lacking = staging.missing(plan)
        if lacking:
            raise ArtifactIncomplete(missing=len(lacking))
        if not staging.verified(plan, cp.settings.commit_wait_seconds):
            raise ArtifactUnderWay
        with cp.blobs.holding():
            staging.adopt(cp, plan)
            job = _name(actor, cp, artifact, plan, fence)
    except (FileNotFoundError, ArtifactIncomplete):
        if ArtifactRecord.get_by_id(artifact.id).committed_at:
            return  # a repeated call has just committed and cleared staging away
        raise
    staging.forget(plan.folder)
    shutil.rmtree(plan.folder, ignore_errors=True)
    if artifact.name.startswith(f"{offers.CHECKPOINT}:"):
        checkpoints.keep_newest(cp, job.id)
    cp.signals.wake(f"job:{job.id}")


def _name(actor: Actor, cp: ControlPlane, artifact: ArtifactRecord, plan: staging.Layout, fence: int) -> JobRecord:
    """The artifact is the attempt's, and its blobs are named, in one transaction; the job."""
    with transaction():
        attempt = attempts.held(actor, artifact.attempt_id, fence)
        done = ArtifactRecord.update(committed_at=cp.clock()).where(
            ArtifactRecord.id == artifact.id, ArtifactRecord.committed_at == 0
        )
        job = JobRecord.get_by_id(attempt.job_id)
        if done.execute():
            references.add(cp, references.ARTIFACT, artifact.id, [file.sha256 for file in plan.files])
            subject = f"job:{job.id}"
            audit.record(actor, cp, "artifact.commit", subject, job.project_id, name=artifact.name, hash=artifact.hash)
            JobRecord.update(version=JobRecord.version + 1).where(JobRecord.id == job.id).execute()
    return job


def read_blob(actor: Actor, cp: ControlPlane, sha256: str, offset: int, length: int) -> tuple[bytes, int]:
    """A slice of a blob that one of the machine's attempts or replicas needs, and the blob's size. Raises NotFound."""
    if not needs.may_read(actor, cp, sha256):
        raise NotFound
    size = cp.blobs.size(sha256)
    with cp.blobs.open(sha256) as source:
        source.seek(max(0, min(offset, size)))
        return source.read(max(0, min(length, rules.CHUNK))), size


def _check_name(attempt: AttemptRecord, name: str) -> None:
    job = JobRecord.get_by_id(attempt.job_id)
    method = MethodVersionRecord.get_by_id(job.method_version_id)
    if name not in method.manifest["outputs"] and not _CHECKPOINT.fullmatch(name):
        raise FieldInvalid(field="name", problem=name[:100])


def _own(actor: Actor, artifact_id: int, fence: int) -> ArtifactRecord:
    """The artifact, of an attempt that the machine holds; a committed one may be asked about afterwards too."""
    columns = (column for column in ArtifactRecord._meta.sorted_fields if column.name != "files")  # up to megabytes
    artifact = ArtifactRecord.select(*columns).where(ArtifactRecord.id == artifact_id).get_or_none()
    if artifact is None:
        raise NotFound
    attempt = attempts.own(actor, artifact.attempt_id, fence)
    if attempt.state not in ATTEMPT_HELD and not artifact.committed_at:
        raise Fenced
    return artifact


def _layout(cp: ControlPlane, artifact: ArtifactRecord) -> staging.Layout:
    return staging.layout(cp, int(artifact.id), str(artifact.hash))
