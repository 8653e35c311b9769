"""What a job led to, by its id: for lists that show many jobs at once."""

from __future__ import annotations

from collections.abc import Collection

from control_plane.services.things.kinds import is_kept
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord


def models_of(job_ids: Collection[int]) -> dict[int, int]:
    """job id → id of the (last) model it made, without what is in the trash.

    The caller has shown that it may see the jobs.
    """
    found = ModelRecord.select(ModelRecord.id, ModelRecord.job)
    found = found.where(ModelRecord.job.in_(list(job_ids)), is_kept(ModelRecord))
    return {int(model.job_id): int(model.id) for model in found.order_by(ModelRecord.id)}


def evaluations_of(job_ids: Collection[int]) -> dict[int, int]:
    """job id → id of its evaluation. The caller has shown that it may see the jobs."""
    found = EvaluationRecord.select(EvaluationRecord.id, EvaluationRecord.job)
    return {int(one.job_id): int(one.id) for one in found.where(EvaluationRecord.job.in_(list(job_ids)))}


def owners_of(user_ids: Collection[str]) -> dict[str, str]:
    """Names of users by id, as a job has it. The caller has shown that it may see what they asked for."""
    numbers = [int(one) for one in user_ids if one.isdecimal()]
    found = UserRecord.select(UserRecord.id, UserRecord.name).where(UserRecord.id.in_(numbers))
    return {str(user.id): str(user.name) for user in found}


def seconds_of(job_ids: Collection[int], now: float) -> dict[int, float]:
    """job id → how long its newest attempt ran, or has been running; without those that never ran."""
    tried = AttemptRecord.select(AttemptRecord.job, AttemptRecord.running_at, AttemptRecord.ended_at)
    ran = tried.where(AttemptRecord.job.in_(list(job_ids)), AttemptRecord.running_at > 0).order_by(AttemptRecord.id)
    return {int(one.job_id): float((one.ended_at or now) - one.running_at) for one in ran}


def methods_of(version_ids: Collection[int]) -> dict[int, MethodVersionRecord]:
    """Method versions by id; methods are everybody's."""
    found = MethodVersionRecord.select().where(MethodVersionRecord.id.in_(list(version_ids)))
    return {int(method.id): method for method in found}


def model_names(model_ids: Collection[int | None]) -> dict[int, str]:
    """What models are called, by id. The caller has shown that it may see what names them."""
    wanted = sorted({number for number in model_ids if number})
    if not wanted:
        return {}
    found = ModelRecord.select(ModelRecord.id, ModelRecord.name, ModelRecord.title)
    return {int(model.id): model.label for model in found.where(ModelRecord.id.in_(wanted))}
