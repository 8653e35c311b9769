"""Workflow runs: a case's graph carried out on a dataset version; start, watch, list and cancel one.

What carries them out is `workflow_steps.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import Denied, GraphEmpty, NotFound, WorkflowRunOver
from control_plane.domain.graph import BLOCKED, CANCELLED, DATA, DEPLOY, DONE, READY, SKIPPED, Fact, Graph, Step
from control_plane.domain.lifecycle import JOB_OVER
from control_plane.domain.names import checked
from control_plane.domain.permissions import Actor, require
from control_plane.domain.plans import Plan, parse
from control_plane.services import asking, audit, cases, jobs, methods, pins, transitions
from control_plane.services.access import projects
from control_plane.services.cases import Case
from control_plane.services.datasets import versions
from control_plane.services.things.kinds import DATASET
from control_plane.services.workflows import steps as workflow_steps
from control_plane.services.workflows import telling
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import WorkflowRunRecord


@dataclass(frozen=True)
class Seen:
    """A step of a run: how it stands, what carries it out and what it made."""

    step: Step
    state: str  # as domain/graph.py has them
    made: dict[str, int]  # output → id
    job: JobRecord | None
    reused: bool  # it was there already, from the very same pins


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


def plan_of(case: Case, locale: str = "en") -> Plan:
    """What a case says, in a language."""
    return parse(case.name, case.plan, locale)


def graph_of(actor: Actor, cp: ControlPlane, case: Case) -> Graph:
    """A case's graph over the methods as they are now.

    Raises Denied, MethodUnknown, GraphInvalid, NameInvalid, ParameterUnknown, ParameterInvalid.
    """
    source = case.plan.get("steps", [])
    if not isinstance(source, list):
        raise GraphEmpty
    manifests = {name: methods.manifest(methods.get(actor, cp, name)) for name in graphs.methods_of(source)}
    graph = graphs.build(source, manifests)
    for step in graph:
        if step.method:
            methods.check_parameters(manifests[step.method], step.parameters)
        if step.kind != DATA:
            checked(step.title)
    return graph


def graph_for(actor: Actor, cp: ControlPlane, case: Case, version: DatasetVersionRecord) -> Graph:
    """A case's graph for a dataset version: fitted to it, unless it is the case's own data. Raises like `graph_of`."""
    graph = graph_of(actor, cp, case)
    name = str(DatasetRecord.get_by_id(version.dataset_id).name)
    if name == plan_of(case).dataset.name:
        return graph
    manifests = {step.method: methods.manifest(methods.get(actor, cp, step.method)) for step in graph if step.method}
    return graphs.fitted(graph, manifests, name, version.facts)


def check_data(actor: Actor, cp: ControlPlane, graph: Graph, version: DatasetVersionRecord) -> None:
    """Whether the data suits every step that is given it, also those that come after hours.

    Raises InputUnfit, HeldOutMissing, Denied.
    """
    data = {step.name for step in graph if step.kind == DATA}
    for step in graph:
        given = [name for name, edge in step.inputs.items() if edge.step in data and step.method]
        if given:
            wanted = methods.manifest(methods.get(actor, cp, step.method)).inputs
            for name in given:
                asking.check_dataset(wanted[name], version)


def start(
    actor: Actor, cp: ControlPlane, project: str, case: str, dataset_version_id: int, idempotency_key: str = ""
) -> WorkflowRunRecord:
    """Begin the graph of a case on a dataset version of the project. The same key gets the same run.

    Raises NotFound, Denied, InputUnfit, HeldOutMissing, and what `graph_of` raises.
    """
    place = projects.get(actor, cp, project, "job.submit")
    found = cases.get(actor, cp, case)
    version = versions.get_version(actor, cp, dataset_version_id)
    if DatasetRecord.get_by_id(version.dataset_id).project_id != place.id:
        raise NotFound
    if actor.kind != "user":  # its jobs are submitted in somebody's name, also later
        raise Denied(permission="job.submit")
    if idempotency_key and (known := _with_key(place, idempotency_key)) is not None:
        return known  # even where the plan or a method has changed since
    graph = graph_for(actor, cp, found, version)
    check_data(actor, cp, graph, version)
    if any(step.kind == DEPLOY for step in graph):
        require(actor, "deployment.change", place.id)
    run = _insert(actor, cp, place, found, version, graph, idempotency_key)
    workflow_steps.carry_on(cp, run)
    cp.signals.wake(f"project:{place.id}")
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
            audit.record(actor, cp, "workflow_run.cancel", f"workflow_run:{run.id}", run.project_id, case=run.case)
        for job in open_jobs:
            transitions.cancel(actor, cp, job)
    cp.signals.wake(f"project:{run.project_id}", *(topic for job in open_jobs for topic in jobs.topics(job)))
    return WorkflowRunRecord.get_by_id(run.id)


def get(actor: Actor, cp: ControlPlane, run_id: int, permission: str = "job.see") -> WorkflowRunRecord:
    """One run. Raises NotFound, Denied, InTrash where its project is there."""
    run: WorkflowRunRecord = projects.inside(actor, WorkflowRunRecord, run_id, permission)
    return run


def progress(actor: Actor, cp: ControlPlane, run_id: int) -> Progress:
    """How far a run is. Raises NotFound, Denied."""
    return _progress([get(actor, cp, run_id)])[0]


def of_project(actor: Actor, cp: ControlPlane, project: str, case: str = "", limit: int = 50) -> list[Progress]:
    """The newest runs of a project, of one case if it is named. Raises NotFound, Denied."""
    place = projects.get(actor, cp, project, "job.see")
    query = WorkflowRunRecord.select().where(WorkflowRunRecord.project == place.id)
    if case:
        query = query.where(WorkflowRunRecord.case == case)
    return _progress(list(query.order_by(WorkflowRunRecord.id.desc()).limit(limit)))


def foreseen(actor: Actor, cp: ControlPlane, project: str, graph: Graph, dataset_version_id: int) -> set[str]:
    """The steps of a run on this data whose result is there already. Raises what submitting its jobs would raise."""
    facts = workflow_steps.given(graph, dataset_version_id)
    while ready := [step for step in graphs.ready(graph, facts) if step.method]:
        for step in ready:
            inputs = graphs.inputs_of(step, facts)
            asked = asking.check(actor, cp, project, step.method, step.title, step.parameters, inputs)
            job = asking.earlier(asked)
            facts[step.name] = workflow_steps.of_job(step, job) if job else Fact(graphs.OPEN)
    return {step.name for step in graph if step.method and step.name in facts and facts[step.name].state == DONE}


def _insert(
    actor: Actor,
    cp: ControlPlane,
    place: ProjectRecord,
    case: Case,
    version: DatasetVersionRecord,
    graph: Graph,
    key: str,
) -> WorkflowRunRecord:
    with transaction():
        if key and (known := _with_key(place, key)) is not None:
            return known
        pins.refuse_gone(place.id, [{"kind": DATASET, "id": version.id}])
        run = WorkflowRunRecord.create(
            project=place,
            case=case.name,
            dataset_version=version,
            graph=graphs.as_data(graph),
            idempotency_key=key[:100] or None,
            created_by=int(actor.id),
            created_at=cp.clock(),
        )
        audit.record(actor, cp, "workflow_run.start", f"workflow_run:{run.id}", place.id, case=case.name)
        telling.started(cp, run)
    return run


def _with_key(place: ProjectRecord, key: str) -> WorkflowRunRecord | None:
    return WorkflowRunRecord.get_or_none(
        WorkflowRunRecord.project == place.id, WorkflowRunRecord.idempotency_key == key[:100]
    )


def _progress(runs: Sequence[WorkflowRunRecord]) -> list[Progress]:
    facts, found = workflow_steps.facts_of(runs), _jobs(runs)
    return [Progress(run, _seen(run, facts[run.id], found)) for run in runs]


def _seen(run: WorkflowRunRecord, facts: dict[str, Fact], found: dict[int, JobRecord]) -> list[Seen]:
    graph = graphs.of_data(run.graph)
    stands = graphs.standing(graph, facts)
    if run.outcome:  # what has not begun never will
        stands = {name: SKIPPED if state in (READY, BLOCKED) else state for name, state in stands.items()}
    return [
        Seen(
            step=step,
            state=stands[step.name],
            made=dict(facts[step.name].made) if step.name in facts else {},
            job=found.get(run.begun.get(step.name, {}).get("job", 0)),
            reused=run.begun.get(step.name, {}).get("reused", False),
        )
        for step in graph
    ]


def _jobs(runs: Sequence[WorkflowRunRecord]) -> dict[int, JobRecord]:
    numbers = [begun["job"] for run in runs for begun in run.begun.values() if "job" in begun]
    return {int(job.id): job for job in JobRecord.select().where(JobRecord.id.in_(numbers))}


def _open_jobs(run: WorkflowRunRecord) -> list[JobRecord]:
    """The run's own jobs that have not ended."""
    return [job for job in _jobs([run]).values() if job.state not in JOB_OVER]
