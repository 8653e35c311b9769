"""Notifications: what became of what a user asked for, what waits for their decision, which sources, listeners and
machines fail.

Each is read from what is stored anyway: a job that ended, a run that ended, a source that fails, a listener that is not
reached, a machine that is not heard. Kept is only how far a user has been told (`users.notified_until`), which is no
act on the installation and so has no audit entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.graph import APPROVAL, DONE, REFUSED, STOPPED
from control_plane.domain.learning import NOT_LEARNT
from control_plane.domain.lifecycle import DISCONNECTED, FAILED, SUCCEEDED
from control_plane.domain.permissions import Actor
from control_plane.services import overview
from control_plane.services.access import people
from control_plane.services.labelling import waiting
from control_plane.services.things.kinds import is_kept
from control_plane.services.workflows import approvals
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.labelling import LabellingRecord
from control_plane.store.listeners import ListenerRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sources import SourceRecord
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord

MOST = 100  # in one answer
_WINDOW = 30 * 86_400.0  # seconds: what is older is in the lists of jobs and runs

# kinds, beside those of what a training did not learn by
ENDED, BROKEN, DECISION, JUDGING, SILENT = "ended", "failed", "decision", "judging", "silent"


@dataclass(frozen=True)
class Notification:
    """One thing to know; `id` is that of the evaluation where one waits for a decision."""

    kind: str  # ended | failed | refused | diverged | flat | constant | decision | approval | judging | silent
    noun: str  # job | evaluation | workflow_run | source | listener | labelling | machine
    id: int | str
    name: str  # of the job, the case, the source's dataset, the labelling, whom a listener reaches, or the machine
    project: str  # its name; empty for a machine
    place: str  # what pages call the project
    at: float  # seconds since the epoch
    unread: bool
    title: str = ""  # beside the name, in any script; a job's
    reason: str = ""  # a code: why it failed
    reason_params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it is: the same thing has the same key until it happens again."""
        return f"{self.noun}:{self.id}@{self.at:.3f}"


def unread(actor: Actor, cp: ControlPlane) -> int:
    """How many the actor has not read yet, in one statement."""
    if actor.kind != "user":
        return 0
    counts = [query.select(fn.COUNT(1)) for query in _unread(actor, cp)]
    found = UserRecord.select(*counts).where(UserRecord.id == int(actor.id)).tuples().first()
    return sum(found or ())


def listed(actor: Actor, cp: ControlPlane, limit: int = MOST) -> list[Notification]:
    """The newest, of the last 30 days; at most MOST. Empty for who is no user."""
    if actor.kind != "user":
        return []
    until, limit = people.user(actor, cp).notified_until, max(0, min(limit, MOST))
    found = [
        *_jobs(actor, cp, until, limit),
        *_runs(actor, cp, until, limit),
        *_approvals(actor, cp, until, limit),
        *_sources(actor, cp, until, limit),
        *_listeners(actor, cp, until, limit),
        *_labellings(actor, cp, until, limit),
        *_machines(actor, cp, until),
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:limit]


def mark_read(actor: Actor, cp: ControlPlane, until: float = 0.0) -> None:
    """What happened up to `until` (seconds since the epoch; 0: until now) has been read. It never goes back."""
    now = cp.clock()
    with transaction():
        user = people.user(actor, cp)
        read = min(until or now, now)
        if read > user.notified_until:
            UserRecord.update(notified_until=read).where(UserRecord.id == user.id).execute()
    cp.signals.wake(f"notifications:{user.id}")


# ---- what there is to know; what somebody deleted is none of it, which belongs into these conditions


def _ended_jobs(actor: Actor, since: Any) -> Any:
    """The actor's own jobs that ended by themselves; those of a workflow run are told by the run."""
    return JobRecord.select().where(
        JobRecord.created_by == actor.id,
        JobRecord.workflow_run.is_null(),
        JobRecord.state.in_((SUCCEEDED, FAILED)),
        JobRecord.ended_at > since,
        is_kept(JobRecord),
        _seen(actor, JobRecord.project),
    )


def _ended_runs(actor: Actor, since: Any) -> Any:
    return WorkflowRunRecord.select().where(
        WorkflowRunRecord.created_by == int(actor.id),
        WorkflowRunRecord.outcome.in_((DONE, STOPPED, REFUSED)),
        WorkflowRunRecord.ended_at > since,
        _seen(actor, WorkflowRunRecord.project),
    )


def _asked_approvals(actor: Actor, since: Any) -> Any:
    """What waits for the actor's decision."""
    return approvals.awaited_by(actor).where(ApprovalRecord.asked_at > since)


def _failed_sources(actor: Actor, since: Any) -> Any:
    """Sources that are fetched in the actor's name, and the last time in vain."""
    kept = SourceRecord.dataset.in_(DatasetRecord.select(DatasetRecord.id).where(is_kept(DatasetRecord)))
    return SourceRecord.select().where(
        SourceRecord.created_by == actor.id,
        SourceRecord.error != "",
        SourceRecord.looked_at > since,
        kept,
        _seen(actor, SourceRecord.project),
    )


def _failed_listeners(actor: Actor, since: Any) -> Any:
    """Listeners that are told in the actor's name, and were not reached."""
    return ListenerRecord.select().where(
        ListenerRecord.created_by == int(actor.id),
        ListenerRecord.error != "",
        ListenerRecord.failed_at > since,
        _seen(actor, ListenerRecord.project),
    )


def _to_judge(actor: Actor, since: Any) -> Any:
    """Labellings that others began and in which something waits for the actor."""
    kept = LabellingRecord.project.in_(ProjectRecord.select(ProjectRecord.id).where(is_kept(ProjectRecord)))
    return waiting.for_actor(actor, since).where(kept)


def _silent_machines(actor: Actor, since: Any) -> Any:
    """Machines that reported themselves and do so no more, for those who see the fleet."""
    return MachineRecord.select().where(
        MachineRecord.connectivity == DISCONNECTED,
        MachineRecord.removed_at == 0,
        MachineRecord.locked_reason == "",
        MachineRecord.last_seen > since,
        actor.may("machine.see"),
    )


def _unread(actor: Actor, cp: ControlPlane) -> list[Any]:
    since, window = UserRecord.notified_until, cp.clock() - _WINDOW
    return [
        _ended_jobs(actor, since).where(JobRecord.ended_at > window),
        _ended_runs(actor, since).where(WorkflowRunRecord.ended_at > window),
        _asked_approvals(actor, since).where(ApprovalRecord.asked_at > window),
        _failed_sources(actor, since).where(SourceRecord.looked_at > window),
        _failed_listeners(actor, since).where(ListenerRecord.failed_at > window),
        _to_judge(actor, since).where(LabellingRecord.created_at > window),
        _silent_machines(actor, since).where(MachineRecord.last_seen > window),
    ]


def _seen(actor: Actor, project: Any) -> Any:
    """Whether the row is of a project that the actor may look into now, and that is not in the trash."""
    kept = project.in_(ProjectRecord.select(ProjectRecord.id).where(is_kept(ProjectRecord)))
    if actor.administrator:
        return kept
    return kept & project.in_([number for number in actor.roles if actor.may("job.see", number)])


def _placed(query: Any, record: Any) -> Any:
    """Rows of the query with their project's `place` (its name) and `place_title`."""
    columns = (record, ProjectRecord.name.alias("place"), ProjectRecord.title.alias("place_title"))
    return query.select(*columns).join(ProjectRecord, on=(record.project == ProjectRecord.id))


def _where_and_when(row: Any, at: float, until: float) -> dict[str, Any]:
    """What a notification says of a row of `_placed`: its project, when it happened, and whether it was read."""
    return {"project": row.place, "place": row.place_title or row.place, "at": at, "unread": at > until}


def _jobs(actor: Actor, cp: ControlPlane, until: float, limit: int) -> list[Notification]:
    named = _placed(_ended_jobs(actor, cp.clock() - _WINDOW), JobRecord)
    found = list(named.order_by(JobRecord.ended_at.desc()).limit(limit).objects())
    waiting = {
        int(one.job_id): int(one.id)
        for one in EvaluationRecord.select(EvaluationRecord.id, EvaluationRecord.job).where(
            EvaluationRecord.job.in_([job.id for job in found]), overview.waits_for_decision()
        )
    }
    return [_of_job(job, waiting.get(job.id), until) for job in found]


def _of_job(job: Any, evaluation_id: int | None, until: float) -> Notification:
    kind = BROKEN if job.state == FAILED else job.learning if job.learning in NOT_LEARNT else ENDED
    return Notification(
        kind=DECISION if evaluation_id else kind,
        noun="evaluation" if evaluation_id else "job",
        id=evaluation_id or int(job.id),
        name=job.name,
        title=job.title,
        **_where_and_when(job, job.ended_at, until),
        reason=job.reason if job.state == FAILED else "",
        reason_params=job.reason_params,
    )


def _runs(actor: Actor, cp: ControlPlane, until: float, limit: int) -> list[Notification]:
    named = _placed(_ended_runs(actor, cp.clock() - _WINDOW), WorkflowRunRecord)
    return [
        Notification(
            kind={DONE: ENDED, REFUSED: REFUSED}.get(run.outcome, BROKEN),
            noun="workflow_run",
            id=int(run.id),
            name=run.case,
            title=run.label,
            **_where_and_when(run, run.ended_at, until),
            reason=run.reason,
            reason_params=run.reason_params,
        )
        for run in named.order_by(WorkflowRunRecord.ended_at.desc()).limit(limit).objects()
    ]


def _approvals(actor: Actor, cp: ControlPlane, until: float, limit: int) -> list[Notification]:
    placed = _asked_approvals(actor, cp.clock() - _WINDOW).select_extend(
        WorkflowRunRecord.case.alias("case"),
        ProjectRecord.name.alias("place"),
        ProjectRecord.title.alias("place_title"),
    )
    named = placed.join_from(ApprovalRecord, ProjectRecord, on=(ApprovalRecord.project == ProjectRecord.id))
    return [
        Notification(
            kind=APPROVAL,
            noun="workflow_run",
            id=int(one.run_id),
            name=one.case,
            project=one.place,
            place=one.place_title or one.place,
            at=one.asked_at,
            unread=one.asked_at > until,
        )
        for one in named.order_by(ApprovalRecord.asked_at.desc()).limit(limit).objects()
    ]


def _sources(actor: Actor, cp: ControlPlane, until: float, limit: int) -> list[Notification]:
    named = _placed(_failed_sources(actor, cp.clock() - _WINDOW), SourceRecord)
    of_datasets = named.select_extend(DatasetRecord.name.alias("called"), DatasetRecord.title.alias("title"))
    joined = of_datasets.join_from(SourceRecord, DatasetRecord, on=(SourceRecord.dataset == DatasetRecord.id))
    return [
        Notification(
            kind=BROKEN,
            noun="source",
            id=int(source.id),
            name=source.called,
            title=source.title,
            **_where_and_when(source, source.looked_at, until),
            reason=source.error,
            reason_params=source.error_params,
        )
        for source in joined.order_by(SourceRecord.looked_at.desc()).limit(limit).objects()
    ]


def _listeners(actor: Actor, cp: ControlPlane, until: float, limit: int) -> list[Notification]:
    named = _placed(_failed_listeners(actor, cp.clock() - _WINDOW), ListenerRecord)
    return [
        Notification(
            kind=BROKEN,
            noun="listener",
            id=int(listener.id),
            name=listener.label,
            **_where_and_when(listener, listener.failed_at, until),
            reason=listener.error,
            reason_params=listener.error_params,
        )
        for listener in named.order_by(ListenerRecord.failed_at.desc()).limit(limit).objects()
    ]


def _labellings(actor: Actor, cp: ControlPlane, until: float, limit: int) -> list[Notification]:
    named = _placed(_to_judge(actor, cp.clock() - _WINDOW), LabellingRecord)
    return [
        Notification(
            kind=JUDGING,
            noun="labelling",
            id=int(one.id),
            name=one.name,
            **_where_and_when(one, one.created_at, until),
        )
        for one in named.order_by(LabellingRecord.created_at.desc()).limit(limit).objects()
    ]


def _machines(actor: Actor, cp: ControlPlane, until: float) -> list[Notification]:
    return [
        Notification(SILENT, "machine", str(one.id), one.name, "", "", one.last_seen, one.last_seen > until)
        for one in _silent_machines(actor, cp.clock() - _WINDOW)
    ]
