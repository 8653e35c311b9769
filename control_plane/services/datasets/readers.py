"""Who read a version: the jobs that were given it, and the models that learnt from it."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services.datasets import versions
from control_plane.services.things.kinds import DATASET, is_kept
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord

_MOST_LOOKED_AT = 2_000  # jobs: what a job was given is not queried into


def jobs_of(actor: Actor, cp: ControlPlane, version_id: int, limit: int = 10) -> list[JobRecord]:
    """The newest jobs that were given this version, in the trash or not. Raises NotFound."""
    dataset, version = versions.of_version(actor, cp, version_id)
    query = JobRecord.select().where(
        JobRecord.project == dataset.project_id, JobRecord.created_at >= version.created_at, JobRecord.purged_at == 0.0
    )
    found: list[JobRecord] = []
    for job in query.order_by(JobRecord.id.desc()).limit(_MOST_LOOKED_AT).iterator():
        if any(pin["kind"] == DATASET and pin["id"] == version.id for pin in job.inputs.values()):
            found.append(job)
        if len(found) == limit:
            break
    return found


def models_of(actor: Actor, cp: ControlPlane, version_id: int, limit: int = 10) -> list[ModelRecord]:
    """The newest models that learnt from this version. Raises NotFound."""
    _dataset, version = versions.of_version(actor, cp, version_id)
    learnt = ModelRecord.select().where(ModelRecord.dataset_version == version.id, is_kept(ModelRecord))
    return list(learnt.order_by(ModelRecord.id.desc()).limit(limit))
