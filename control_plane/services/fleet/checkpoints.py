"""What is kept of a job's checkpoints: the newest, from which another machine resumes, and the one before it."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.services.fleet.offers import CHECKPOINT
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.jobs import AttemptRecord, LogRecord
from control_plane.store.methods import MethodVersionRecord

KEPT = 2
_HEAVY = ".safetensors"  # nearly all bytes of a checkpoint


def keep_newest(cp: ControlPlane, job_id: int) -> int:
    """Drop a job's committed checkpoints but the newest two, with their weights unless something else has the same.

    How many were dropped.
    """
    with transaction():
        older = list(_committed(job_id))[KEPT:]
        if not older:
            return 0
        ArtifactRecord.delete().where(ArtifactRecord.id.in_([one.id for one in older])).execute()
        # in the same transaction: an artifact that is announced later brings its files along again
        for sha256 in _unnamed(_heavy(older)):
            cp.blobs.remove(sha256)
    return len(older)


def _committed(job_id: int):  # type: ignore[no-untyped-def]  # peewee's queries have no types
    return (
        ArtifactRecord.select()
        .join(AttemptRecord)
        .where(
            AttemptRecord.job == job_id,
            ArtifactRecord.name.startswith(f"{CHECKPOINT}:"),
            ArtifactRecord.committed_at > 0,
        )
        .order_by(ArtifactRecord.committed_at.desc(), ArtifactRecord.id.desc())
    )


def _heavy(older: list[ArtifactRecord]) -> set[str]:
    return {file["sha256"] for one in older for file in one.files if file["path"].endswith(_HEAVY)}


def _unnamed(wanted: set[str]) -> set[str]:
    """Those that no row names. Names and endings prove nothing: a checkpoint may hold a copy of somebody's dataset."""
    rows = [*ArtifactRecord.select(ArtifactRecord.files), *MethodVersionRecord.select(MethodVersionRecord.files)]
    named = {file["sha256"] for row in rows for file in row.files}
    for column in (DatasetVersionRecord.train_sha256, DatasetVersionRecord.test_sha256, LogRecord.sha256):
        named |= {row[0] for row in column.model.select(column).where(column.in_(list(wanted))).tuples()}
    return wanted - named
