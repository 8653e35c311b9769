"""Triggers of a workflow: one is set, listed and removed; what it started is listed."""

from __future__ import annotations

import operator
import secrets as random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from peewee import Select, fn

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, TriggersTooMany
from control_plane.domain.permissions import Actor, require
from control_plane.domain.preparation import told
from control_plane.domain.schedules import Schedule
from control_plane.domain.workflows import triggers as domain
from control_plane.domain.workflows.triggers import BASE_MODEL, DATASET, KINDS, MISSED, MOST, SCHEDULE, WEBHOOK, Quiet
from control_plane.services import audit, schedules, secrets
from control_plane.services.access import projects
from control_plane.services.datasets import versions
from control_plane.services.things.kinds import is_kept
from control_plane.services.workflows import kept
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.triggers import FiringRecord, TriggerRecord
from control_plane.store.workflows import WorkflowRecord

KEY = "key"  # the name of the secret
MOST_LISTED = 100
_NEWEST_FIRST = (FiringRecord.created_at.desc(), FiringRecord.id.desc())


@dataclass(frozen=True)
class Wanted:
    """What is to start a workflow, and with which parameters of the run."""

    kind: str
    schedule: Schedule = field(default_factory=Schedule)
    missed: str = domain.ONCE
    dataset: str = ""  # a name
    quiet: Quiet = field(default_factory=Quiet)
    given: Mapping[str, Any] = field(default_factory=dict)


def add(actor: Actor, cp: ControlPlane, workflow_id: int, wanted: Wanted) -> tuple[TriggerRecord, str]:
    """Have a workflow started by itself, in the actor's name: the trigger, and a webhook's key, shown this once.

    Raises NotFound, Denied, InTrash, FieldInvalid, ScheduleInvalid, TriggersTooMany.
    """
    workflow = kept.get(actor, cp, workflow_id, "workflow.change").workflow
    require(actor, "job.submit", workflow.project_id)
    now, quiet = cp.clock(), domain.checked(wanted.quiet, schedules.zones())
    columns = _columns(actor, cp, workflow.project_id, wanted)
    key = random.token_urlsafe(32) if wanted.kind == WEBHOOK else ""
    with transaction():
        if TriggerRecord.select().where(TriggerRecord.workflow == workflow.id).count() >= MOST:
            raise TriggersTooMany(most=MOST)
        trigger = TriggerRecord.create(
            project=workflow.project_id,
            workflow=workflow.id,
            kind=wanted.kind,
            quiet={} if quiet.is_none else told(quiet),
            given=dict(wanted.given),
            secret=secrets.keep(actor, cp, workflow.project_id, {KEY: key}),
            created_by=int(actor.id),
            created_at=now,
            **columns,
        )
        said = {"name": workflow.name, "kind": wanted.kind, **trigger.schedule}
        audit.record(actor, cp, "trigger.add", f"trigger:{trigger.id}", workflow.project_id, **said)
    cp.signals.wake(f"project:{workflow.project_id}")
    return trigger, key


def listed(actor: Actor, cp: ControlPlane, workflow_id: int) -> list[TriggerRecord]:
    """What starts a workflow, the oldest first. Raises NotFound, Denied, InTrash."""
    workflow = kept.get(actor, cp, workflow_id).workflow
    return list(TriggerRecord.select().where(TriggerRecord.workflow == workflow.id).order_by(TriggerRecord.id))


def get(actor: Actor, cp: ControlPlane, trigger_id: int, permission: str = "workflow.see") -> TriggerRecord:
    """One trigger. Raises NotFound, Denied, InTrash where its project is there."""
    trigger: TriggerRecord = projects.inside(actor, TriggerRecord, trigger_id, permission)
    return trigger


def firings(actor: Actor, cp: ControlPlane, trigger_id: int, limit: int = MOST_LISTED) -> list[FiringRecord]:
    """Each time that it fired, the newest first. Raises NotFound, Denied."""
    trigger = get(actor, cp, trigger_id)
    return list(_newest(trigger.id, max(1, min(limit, MOST_LISTED))))


def firings_of(triggers: Sequence[TriggerRecord], most: int) -> dict[int, list[FiringRecord]]:
    """The last times that each of these fired, which the caller may see; by trigger."""
    found: dict[int, list[FiringRecord]] = {int(one.id): [] for one in triggers}
    if not found:
        return found
    # a limit for each, so that one that fires often hides no other; all in one statement
    newest = [_newest(number, most).select(FiringRecord.id).alias(f"of_{number}") for number in found]
    numbers = reduce(operator.add, (Select([one], [one.c.id]) for one in newest))  # UNION ALL
    for one in FiringRecord.select().where(FiringRecord.id.in_(numbers)).order_by(*_NEWEST_FIRST):
        found[one.trigger_id].append(one)
    return found


def dataset_names(triggers: Sequence[TriggerRecord]) -> dict[int, str]:
    """The names of the datasets whose versions these wait for, by id."""
    numbers = [one.dataset for one in triggers if one.dataset]
    return {int(one.id): str(one.name) for one in DatasetRecord.select().where(DatasetRecord.id.in_(numbers))}


def who(trigger: TriggerRecord) -> str:
    """The name of whoever set it."""
    return str(UserRecord.get_by_id(trigger.created_by_id).name)


def remove(actor: Actor, cp: ControlPlane, trigger_id: int) -> None:
    """Have it start nothing more; the runs that it started stay. Raises NotFound, Denied."""
    trigger = get(actor, cp, trigger_id, "workflow.change")
    with transaction():
        FiringRecord.delete().where(FiringRecord.trigger == trigger.id).execute()
        TriggerRecord.delete().where(TriggerRecord.id == trigger.id).execute()
        secrets.remove(trigger.secret_id)
        audit.record(actor, cp, "trigger.remove", f"trigger:{trigger.id}", trigger.project_id, kind=trigger.kind)
    cp.signals.wake(f"project:{trigger.project_id}")


def working() -> Any:
    """The triggers that are not stopped, of workflows and projects that are not in the trash."""
    return (
        TriggerRecord.select()
        .join(WorkflowRecord, on=(TriggerRecord.workflow == WorkflowRecord.id))
        .join(ProjectRecord, on=(TriggerRecord.project == ProjectRecord.id))
        .where(~TriggerRecord.stopped, is_kept(WorkflowRecord), is_kept(ProjectRecord))
    )


def newest(trigger_kind: str, project_id: int, dataset_id: int) -> int:
    """The highest id of what a trigger of this kind waits for: nothing that is there already starts a run."""
    if trigger_kind == DATASET:
        of = DatasetVersionRecord.dataset == dataset_id
        return int(DatasetVersionRecord.select(fn.MAX(DatasetVersionRecord.id)).where(of).scalar() or 0)
    if trigger_kind == BASE_MODEL:
        of = (ModelRecord.project == project_id) & (ModelRecord.form == "base") & is_kept(ModelRecord)
        return int(ModelRecord.select(fn.MAX(ModelRecord.id)).where(of).scalar() or 0)
    return 0


def _newest(trigger_id: int, most: int) -> Any:
    return FiringRecord.select().where(FiringRecord.trigger == trigger_id).order_by(*_NEWEST_FIRST).limit(most)


def _columns(actor: Actor, cp: ControlPlane, project_id: int, wanted: Wanted) -> dict[str, Any]:
    """What a kind has of its own. Raises FieldInvalid, ScheduleInvalid, NotFound, InTrash."""
    if wanted.kind not in KINDS:
        raise FieldInvalid(field="kind", problem=", ".join(KINDS))
    if wanted.missed not in MISSED:
        raise FieldInvalid(field="missed", problem=", ".join(MISSED))
    if wanted.kind == SCHEDULE:
        if wanted.schedule.is_none:
            raise FieldInvalid(field="schedule", problem="every | cron")
        following = schedules.next_after(schedules.checked(wanted.schedule, cp.clock()), cp.clock())
        return {"schedule": told(wanted.schedule), "missed": wanted.missed, "next_at": wanted.quiet.after(following)}
    dataset_id = 0
    if wanted.kind == DATASET:
        project = str(ProjectRecord.get_by_id(project_id).name)
        dataset_id = int(versions.get_dataset(actor, cp, project, wanted.dataset)[0].id)
    return {"dataset": dataset_id, "seen": newest(wanted.kind, project_id, dataset_id)}
