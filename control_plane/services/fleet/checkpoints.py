"""What is kept of a job's checkpoints: the newest, from which another machine resumes, and the one before it."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.services import references
from control_plane.services.fleet.offers import CHECKPOINT
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import transaction
from control_plane.store.jobs import AttemptRecord

KEPT = 2


def keep_newest(cp: ControlPlane, job_id: int) -> int:
    """Drop a job's committed checkpoints but the newest two, and of their files what nothing else names.

    How many were dropped. Files go after the commit: a death in between leaves garbage, never a row without its files.
    """
    with transaction():
        older = [int(one.id) for one in _committed(job_id).offset(KEPT)]
        if not older:
            return 0
        ArtifactRecord.delete().where(ArtifactRecord.id.in_(older)).execute()
        dropped = references.drop(references.ARTIFACT, older)
    for sha256 in references.unnamed(dropped):
        cp.blobs.remove(sha256, references.is_named)
    return len(older)


def _committed(job_id: int):  # type: ignore[no-untyped-def]  # peewee's queries have no types
    return (
        ArtifactRecord.select(ArtifactRecord.id)
        .join(AttemptRecord)
        .where(
            AttemptRecord.job == job_id,
            ArtifactRecord.name.startswith(f"{CHECKPOINT}:"),
            ArtifactRecord.committed_at > 0,
        )
        .order_by(ArtifactRecord.committed_at.desc(), ArtifactRecord.id.desc())
        .limit(10_000)
    )
