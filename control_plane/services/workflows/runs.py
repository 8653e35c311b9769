"""Workflow runs: the graph of a workflow carried out on data of a project; start, watch, list, cancel and resume one.

What carries them out is `steps.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from peewee import Case, fn

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import Denied, TunesmithError, WorkflowRunGoesOn, WorkflowRunOver
from control_plane.domain.graph import (
    APPROVAL,
    BLOCKED,
    CANCELLED,
    DATA,
    DONE,
    READY,
    REFUSED,
    SKIPPED,
    Fact,
    Graph,
    Step,
)
from control_plane.domain.lifecycle import JOB_OVER
from control_plane.domain.permissions import Actor
from control_plane.domain.workflows import spec as specs
from control_plane.services import asking, audit, jobs, pins, transitions
from control_plane.services.access import projects
from control_plane.services.things.kinds import DATASET
from control_plane.services.workflows import approvals, planning, sources, telling
from control_plane.services.workflows import steps as workflow_steps
from control_plane.services.workflows.planning import Built
from control_plane.services.workflows.sources import Source, Wanted
from control_plane.store.database import transaction
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord, WorkflowVersionRecord


@dataclass(frozen=True)
class Seen:
    """A step of a run: how it stands, what carries it out and what it made."""

    step: Step
    state: str  # as domain/graph.py has them
    made: dict[str, int]  # output → id
    job: JobRecord | None
    reused: bool  # it was there already, from the very same pins
    earlier: tuple[int, ...] = ()  # jobs that had been asked for before, and did not succeed
    chosen: Mapping[str, Any] = field(default_factory=dict)  # of several variants, the one that went on: axis → value
    shut: TunesmithError | None = None  # the gate that keeps it from beginning
    approval: ApprovalRecord | None = None  # what somebody is to decide, or has decided


@dataclass(frozen=True)
class Progress:
    """A run and its steps, in the graph's order."""

    run: WorkflowRunRecord
    steps: list[Seen]

    def first(self, kind: str) -> int:
        """The id of the first output of a kind (evaluation, deployment …) that there is; 0 if there is none yet."""
        made = (
            seen.made.get(name, 0) for seen in self.steps for name, is_a in seen.step.outputs.items() if is_a == kind
        )
        return next(filter(None, made), 0)


def start(actor: Actor, cp: ControlPlane, project: str, wanted: Wanted) -> WorkflowRunRecord:
    """Begin a case, a kept workflow or the text of one. The same idempotency key gets the same run.

    A case's own data is put into the project first if it is to be taken and is not there.

    Raises NotFound, Denied, FieldInvalid, WorkflowInvalid, InputUnfit, HeldOutMissing, and what `planning` raises.
    """
    place = projects.get(actor, cp, project, "job.submit")
    if actor.kind != "user":  # its jobs are submitted in somebody's name, also later
        raise Denied(permission="job.submit")
    if wanted.idempotency_key and (known := with_key(place.id, wanted.idempotency_key)) is not None:
        return known  # even where the workflow or a method has changed since
    source = sources.find(actor, cp, project, wanted)
    built = planning.build(actor, cp, source, wanted.given)
    planning.check_permissions(actor, place, built.graph)
    if sources.lacks_sample(actor, cp, project, source, wanted):
        sources.bring_sample(actor, cp, project, source)
    graph = planning.on_data(actor, cp, place, built, wanted.dataset_version_id)
    planning.check_data(actor, cp, graph)
    run = _insert(actor, cp, place, wanted, source, built, graph)
    workflow_steps.carry_on(cp, run)
    cp.signals.wake(f"project:{place.id}")
    return WorkflowRunRecord.get_by_id(run.id)


def resume(actor: Actor, cp: ControlPlane, run_id: int) -> WorkflowRunRecord:
    """Have a run go on that has stopped or was cancelled: what succeeded stays, what did not is asked for again.

    Its jobs are submitted in the name of whoever began it. Raises NotFound, Denied, WorkflowRunGoesOn, WorkflowRunOver.
    """
    run = get(actor, cp, run_id, "job.submit")
    planning.check_permissions(actor, ProjectRecord.get_by_id(run.project_id), graphs.of_data(run.graph))
    with transaction():
        run = WorkflowRunRecord.get_by_id(run.id)
        if not run.outcome:
            raise WorkflowRunGoesOn
        if run.outcome in (DONE, REFUSED):
            raise WorkflowRunOver(state=run.outcome)
        workflow_steps.reopen(run)
        audit.record(actor, cp, "workflow_run.resume", f"workflow_run:{run.id}", run.project_id, name=run.label)
    workflow_steps.carry_on(cp, WorkflowRunRecord.get_by_id(run.id))
    cp.signals.wake(f"project:{run.project_id}", f"notifications:{run.created_by_id}")
    return WorkflowRunRecord.get_by_id(run.id)


def cancel(actor: Actor, cp: ControlPlane, run_id: int) -> WorkflowRunRecord:
    """Have a run start nothing more, and its open jobs end; a second time changes nothing.

    What is deployed stays so. Raises NotFound, Denied, WorkflowRunOver.
    """
    run = get(actor, cp, run_id, "job.cancel")
    with transaction():
        run = WorkflowRunRecord.get_by_id(run.id)
        if run.outcome not in ("", CANCELLED):
            raise WorkflowRunOver(state=run.outcome)
        open_jobs = [] if run.outcome else _open_jobs(run)
        if not run.outcome:
            workflow_steps.move(cp, run, outcome=CANCELLED, ended_at=cp.clock())
            audit.record(actor, cp, "workflow_run.cancel", f"workflow_run:{run.id}", run.project_id, name=run.label)
        for job in open_jobs:
            transitions.cancel(actor, cp, job)
    cp.signals.wake(*approvals.topics(run.project_id), *(topic for job in open_jobs for topic in jobs.topics(job)))
    return WorkflowRunRecord.get_by_id(run.id)


def get(actor: Actor, cp: ControlPlane, run_id: int, permission: str = "job.see") -> WorkflowRunRecord:
    """One run. Raises NotFound, Denied, InTrash where its project is there."""
    run: WorkflowRunRecord = projects.inside(actor, WorkflowRunRecord, run_id, permission)
    return run


def progress(actor: Actor, cp: ControlPlane, run_id: int) -> Progress:
    """How far a run is. Raises NotFound, Denied."""
    return _progress([get(actor, cp, run_id)])[0]


def of_project(
    actor: Actor, cp: ControlPlane, project: str, case: str = "", workflow_id: int = 0, limit: int = 50
) -> list[Progress]:
    """How far the newest runs of a project are, of one case or workflow if it is named. Raises NotFound, Denied."""
    return _progress(list_runs(actor, cp, project, case, workflow_id, limit))


def list_runs(
    actor: Actor, cp: ControlPlane, project: str, case: str = "", workflow_id: int = 0, limit: int = 50
) -> list[WorkflowRunRecord]:
    """The newest runs of a project, of one case or one workflow if it is named. Raises NotFound, Denied."""
    place = projects.get(actor, cp, project, "job.see")
    query = WorkflowRunRecord.select().where(WorkflowRunRecord.project == place.id)
    if case:
        query = query.where(WorkflowRunRecord.case == case)
    if workflow_id:
        mine = WorkflowVersionRecord.select(WorkflowVersionRecord.id)
        mine = mine.where(WorkflowVersionRecord.workflow == workflow_id)
        query = query.where(WorkflowRunRecord.workflow_version.in_(mine))
    return list(query.order_by(WorkflowRunRecord.id.desc()).limit(limit))


def foreseen(actor: Actor, cp: ControlPlane, project: str, graph: Graph) -> set[str]:
    """The steps of a run whose result is there already, if all that is to be approved is.

    Raises what submitting its jobs would raise.
    """
    facts = workflow_steps.given(graph)
    while ready := [step for step in graphs.ready(graph, facts) if step.method or step.kind == APPROVAL]:
        for step in ready:
            inputs = graphs.inputs_of(step, facts)
            if step.kind == APPROVAL:
                edge = step.inputs.get("evaluation")
                passed_on = facts[edge.step] if edge else Fact(DONE)
                facts[step.name] = Fact(DONE, inputs, passed_on.verdict, marks=passed_on.marks)
                continue
            asked = asking.check(actor, cp, project, step.method, step.title, step.parameters, inputs)
            job = asking.earlier(asked)
            facts[step.name] = workflow_steps.of_job(step, job) if job else Fact(graphs.OPEN)
    return {step.name for step in graph if step.method and step.name in facts and facts[step.name].state == DONE}


def machine_seconds(cp: ControlPlane, run_ids: Sequence[int]) -> dict[int, float]:
    """What each run has cost so far: the seconds that machines held its own jobs, added up over all attempts."""
    ended = Case(None, [(AttemptRecord.ended_at == 0.0, cp.clock())], AttemptRecord.ended_at)
    query = (
        AttemptPartRecord.select(JobRecord.workflow_run, fn.SUM(ended - AttemptRecord.accepted_at))
        .join(AttemptRecord, on=(AttemptPartRecord.attempt == AttemptRecord.id))
        .join(JobRecord, on=(AttemptRecord.job == JobRecord.id))
        .where(JobRecord.workflow_run.in_(list(run_ids)), AttemptRecord.accepted_at > 0.0)
        .group_by(JobRecord.workflow_run)
    )
    counted: Any = query.tuples()
    return dict.fromkeys(run_ids, 0.0) | {int(run): float(seconds) for run, seconds in counted}


def _insert(
    actor: Actor,
    cp: ControlPlane,
    place: ProjectRecord,
    wanted: Wanted,
    source: Source,
    built: Built,
    graph: Graph,
) -> WorkflowRunRecord:
    key, data = wanted.idempotency_key, [step.dataset_version for step in graph if step.kind == DATA]
    with transaction():
        if key and (known := with_key(place.id, key)) is not None:
            return known
        pins.refuse_gone(place.id, [{"kind": DATASET, "id": number} for number in data])
        run = WorkflowRunRecord.create(
            project=place,
            title=source.spec.label,
            case=source.case,
            workflow_version=source.version,
            dataset_version=data[0] if data else None,
            spec=specs.as_data(source.spec),
            given=dict(built.given),
            graph=graphs.as_data(graph),
            fresh=wanted.fresh,
            idempotency_key=key[:100] or None,
            created_by=int(actor.id),
            created_at=cp.clock(),
        )
        told: dict[str, object] = {"case": source.case} if source.case else {"name": source.spec.name}
        told |= {"number": source.version.number} if source.version else {}
        audit.record(actor, cp, "workflow_run.start", f"workflow_run:{run.id}", place.id, **told)
        telling.started(cp, run)
    return run


def with_key(project_id: int, key: str) -> WorkflowRunRecord | None:
    """The run that was begun with this idempotency key."""
    return WorkflowRunRecord.get_or_none(
        WorkflowRunRecord.project == project_id, WorkflowRunRecord.idempotency_key == key[:100]
    )


def _progress(runs: Sequence[WorkflowRunRecord]) -> list[Progress]:
    found, asked = workflow_steps.jobs_of(runs), approvals.of_runs(runs)
    facts = workflow_steps.facts_of(runs, found, asked)
    return [Progress(run, _seen(run, facts[run.id], found, asked)) for run in runs]


def _seen(
    run: WorkflowRunRecord, facts: dict[str, Fact], found: Mapping[int, JobRecord], asked: Mapping[int, ApprovalRecord]
) -> list[Seen]:
    graph = graphs.of_data(run.graph)
    stands = graphs.standing(graph, facts)
    if run.outcome:  # what has not begun never will
        stands = {name: SKIPPED if state in (READY, BLOCKED) else state for name, state in stands.items()}
    return [
        replace(
            _seen_step(run, step, stands, facts, found),
            approval=asked.get(run.begun.get(step.name, {}).get("approval", 0)),
        )
        for step in graph
    ]


def _seen_step(
    run: WorkflowRunRecord, step: Step, stands: Mapping[str, str], facts: graphs.Facts, found: Mapping[int, JobRecord]
) -> Seen:
    begun, before = run.begun.get(step.name, {}), {stands[name] for name in step.before}
    waits = step.name in facts or run.outcome == CANCELLED or before & {BLOCKED, READY, graphs.OPEN}
    best = None if waits and step.name not in facts else graphs.chosen(step, facts)
    lost = before - {DONE} if not step.choices else set()
    return Seen(
        step=step,
        state=stands[step.name],
        made=dict(facts[step.name].made) if step.name in facts else {},
        job=found.get(begun.get("job", 0)),
        reused=begun.get("reused", False),
        earlier=tuple(begun.get("earlier", ())),
        chosen=best.variant if best else {},
        shut=None if waits or lost else graphs.shut(step, facts),
    )


def _open_jobs(run: WorkflowRunRecord) -> list[JobRecord]:
    """The run's own jobs that have not ended."""
    return [job for job in workflow_steps.jobs_of([run]).values() if job.state not in JOB_OVER]
