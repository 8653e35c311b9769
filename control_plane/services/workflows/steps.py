"""What carries workflow runs out: from what has come of a run's steps it begins those that are ready.

A run owns no state of a job: it remembers which job, deployment or approval belongs to which step, and everything else
follows from those. A step begins together with the note of it, in one transaction that looks at the run again: a
restart in between costs nothing, and a cancelled run starts nothing more. What was made from the very same pins is used
again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain import lifecycle, scores
from control_plane.domain.errors import DeploymentChanged, StepCancelled, TunesmithError, Unavailable
from control_plane.domain.graph import APPROVAL, CANCELLED, DATA, DEPLOY, DONE, FAILED, OPEN, REFUSED, Fact, Graph, Step
from control_plane.domain.permissions import Actor
from control_plane.domain.verdict import Interval
from control_plane.domain.workflows.gates import Marks
from control_plane.services import asking, deployments, transitions
from control_plane.services.access import identity
from control_plane.services.things.kinds import is_kept
from control_plane.services.workflows import approvals, telling
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import transaction
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord

log = logging.getLogger(__name__)


def advance(cp: ControlPlane) -> int:
    """Carry on each run that something has come of; how many moved. Called whenever a job or a replica has changed."""
    approvals.expire(cp)
    moved, runs = 0, list(WorkflowRunRecord.select().where(WorkflowRunRecord.outcome == ""))
    facts: dict[int, dict[str, Fact]] = {}
    try:
        facts = facts_of(runs)
    except Exception:  # of one of them; below it is looked at alone
        log.exception("workflow runs could not be looked at together")
    for run in runs:
        try:
            moved += _has_moved(run, facts) and carry_on(cp, run)
        except Exception:  # a loop's top: one broken run must not hold up the others, and is looked at again
            log.exception("workflow run %s could not go on", run.id)
    return moved


def _has_moved(run: WorkflowRunRecord, facts: Mapping[int, dict[str, Fact]]) -> bool:
    """Whether something has come of a run that it does not know yet."""
    graph, found = graphs.of_data(run.graph), facts[run.id] if run.id in facts else facts_of([run])[run.id]
    return bool(graphs.outcome(graph, found) or graphs.ready(graph, found) or telling.ended(run, found))


def carry_on(cp: ControlPlane, run: WorkflowRunRecord) -> bool:
    """Begin all that can begin now; whether anything did, or the run ended."""
    moved = False
    while not run.outcome and _carry_on(cp, run):
        moved, run = True, WorkflowRunRecord.get_by_id(run.id)
    if moved:
        cp.signals.wake(f"project:{run.project_id}", f"notifications:{run.created_by_id}")
    return moved


def move(cp: ControlPlane, run: WorkflowRunRecord, **columns: Any) -> bool:
    """Change a run that is as it was read; False if somebody was quicker. Called inside a transaction.

    Listeners are told what follows from the columns.
    """
    same = (
        (WorkflowRunRecord.id == run.id)
        & (WorkflowRunRecord.version == run.version)
        & (WorkflowRunRecord.outcome == "")
    )
    if not WorkflowRunRecord.update(version=WorkflowRunRecord.version + 1, **columns).where(same).execute():
        return False
    telling.changed(cp, run, **columns)
    return True


def _carry_on(cp: ControlPlane, run: WorkflowRunRecord) -> bool:
    graph, facts = graphs.of_data(run.graph), facts_of([run])[run.id]
    if over := telling.ended(run, facts):
        with transaction():
            return move(cp, run, begun={name: one | over.get(name, {}) for name, one in run.begun.items()})
    if ended := graphs.outcome(graph, facts):
        by_state = {fact.state: fact for fact in facts.values()} if ended != DONE else {}
        bad = by_state.get(FAILED) or by_state.get(CANCELLED) or by_state.get(REFUSED) or Fact(DONE)
        return _end(cp, run, ended, bad.reason, dict(bad.reason_params))
    try:
        return any(_begin(cp, run, step, graphs.inputs_of(step, facts)) for step in graphs.ready(graph, facts))
    except Unavailable:
        return False  # a full disk, say: it is tried again
    except TunesmithError as problem:
        log.info("workflow run %s stopped: %s", run.id, problem)
        return _end(cp, run, graphs.STOPPED, problem.code, problem.storable())


def _end(cp: ControlPlane, run: WorkflowRunRecord, outcome: str, reason: str, params: dict[str, Any]) -> bool:
    with transaction():
        return move(cp, run, outcome=outcome, ended_at=cp.clock(), reason=reason, reason_params=params)


def _begin(cp: ControlPlane, run: WorkflowRunRecord, step: Step, inputs: dict[str, int]) -> bool:
    """Have a step carried out, in the name of who started the run; False if the run has changed meanwhile."""
    actor = identity.acting_for(run.created_by_id, "job.submit", run.project_id)
    project = str(ProjectRecord.get_by_id(run.project_id).name)
    if step.kind == APPROVAL:
        return _begin_approval(cp, run, step, inputs)
    if step.kind == DEPLOY:
        return _begin_deployment(actor, cp, project, run, step, inputs["model"])
    asked = asking.check(actor, cp, project, step.method, step.title, step.parameters, inputs)
    with transaction():
        if not _is_as_read(run):
            return False
        job = None if run.fresh else asking.earlier(asked)
        begun = _tried(run.begun.get(step.name, {})) | {"reused": job is not None}
        job = job or asking.create(actor, cp, asked, workflow_run=run)
        move(cp, run, begun=run.begun | {step.name: begun | {"job": job.id}})
    cp.signals.wake(*transitions.topics(job))
    return True


def _tried(before: Mapping[str, Any]) -> dict[str, Any]:
    """What the note of a step keeps of those before: the jobs that did not succeed, and how often it was tried."""
    earlier = [*before.get("earlier", ()), *([before["job"]] if "job" in before else ())]
    return {"tries": before.get("tries", 0) + 1} | ({"earlier": earlier} if earlier else {})


def reopen(run: WorkflowRunRecord) -> None:
    """Let a run go on that is over: the steps that did not succeed begin anew. Called inside a transaction."""
    facts, jobs = facts_of([run])[int(run.id)], _by_id(JobRecord, [*run.begun.values()], "job")
    # one that has not heard yet that it was cancelled will not succeed either
    ending = {number for number, job in jobs.items() if job.cancel_requested_at and job.state != lifecycle.SUCCEEDED}
    kept = {}
    for name, begun in run.begun.items():
        ended = name in facts and facts[name].state in (FAILED, CANCELLED)
        ended = ended and "approval" not in begun  # a decision that was still to come is still to come
        kept[name] = _tried(begun) | {"tries": 0} if ended or begun.get("job") in ending else begun
    same = (WorkflowRunRecord.id == run.id) & (WorkflowRunRecord.version == run.version)
    again = {"outcome": "", "ended_at": 0.0, "reason": "", "reason_params": {}, "begun": kept}
    WorkflowRunRecord.update(version=WorkflowRunRecord.version + 1, **again).where(same).execute()


def _begin_approval(cp: ControlPlane, run: WorkflowRunRecord, step: Step, inputs: dict[str, int]) -> bool:
    """Ask for a decision; never one that was made in another run."""
    with transaction():
        if not _is_as_read(run):
            return False
        asked = approvals.ask(cp, run, step, inputs)
        move(cp, run, begun=run.begun | {step.name: {"approval": asked.id, "reused": False}})
    cp.signals.wake(*approvals.topics(run.project_id))
    return True


def _begin_deployment(
    actor: Actor, cp: ControlPlane, project: str, run: WorkflowRunRecord, step: Step, model_id: int
) -> bool:
    with transaction():
        if not _is_as_read(run):
            return False
        deployment: DeploymentRecord | None = DeploymentRecord.get_or_none(
            DeploymentRecord.project == run.project_id, DeploymentRecord.name == step.title, is_kept(DeploymentRecord)
        )
        reused = deployment is not None and _serves(deployment, model_id)
        if deployment is None or not reused:
            kept = {name: getattr(deployment, name) for name in ("context_length", "slots") if deployment}
            deployment = deployments.deploy(actor, cp, project, step.title, model_id, **kept)
        begun = {"reused": reused, "model": model_id, "deployment": deployment.id}
        move(cp, run, begun=run.begun | {step.name: begun})
    deployments.wake(cp, deployment)  # once more: only now is it there for everybody
    return True


def _serves(deployment: DeploymentRecord, model_id: int) -> bool:
    """Whether it serves this model, or is about to."""
    desired = (deployment.model_id, deployment.desired_state) == (model_id, lifecycle.SERVING)
    return desired and deployments.condition(deployment).state != lifecycle.FAILED


def _is_as_read(run: WorkflowRunRecord) -> bool:
    """Whether nobody was quicker. What is read inside a transaction stays true until its end."""
    now = WorkflowRunRecord.get_by_id(run.id)
    return not now.outcome and bool(now.version == run.version)


# ---- what has come of the steps


def given(graph: Graph) -> dict[str, Fact]:
    """The facts of a run before anything has begun: its data is there."""
    return {
        step.name: Fact(DONE, dict.fromkeys(step.outputs, step.dataset_version)) for step in graph if step.kind == DATA
    }


def jobs_of(runs: Sequence[WorkflowRunRecord]) -> dict[int, JobRecord]:
    """The jobs of the steps that have begun, by id."""
    return _by_id(JobRecord, [one for run in runs for one in run.begun.values()], "job")


def facts_of(
    runs: Sequence[WorkflowRunRecord],
    jobs: Mapping[int, JobRecord] | None = None,
    asked: Mapping[int, ApprovalRecord] | None = None,
) -> dict[int, dict[str, Fact]]:
    """What has come of the steps that have begun, by run; `jobs` and approvals (`asked`) where they were read."""
    begun = [one for run in runs for one in run.begun.values()]
    jobs = jobs_of(runs) if jobs is None else jobs
    served = _by_id(DeploymentRecord, begun, "deployment")
    made, scored = _models([*jobs]), _evaluations([*jobs])
    asked = approvals.of_runs(runs) if asked is None else asked
    names = approvals.names_of(asked.values())
    found = {}
    for run in runs:
        graph = graphs.of_data(run.graph)
        facts = given(graph)
        for step in graph:
            one = run.begun.get(step.name, {})
            if "job" in one:
                if not run.outcome and _is_tried_again(step, jobs[one["job"]], one):
                    continue  # as if it had not begun: it is ready
                facts[step.name] = _of_job(step, jobs[one["job"]], made[one["job"]], scored.get(one["job"]))
            elif "approval" in one:
                best = graphs.chosen(step, facts)
                edge = (best or step).inputs.get("evaluation")
                passed_on = facts.get(edge.step) if edge else None
                facts[step.name] = approvals.fact(asked[one["approval"]], bool(run.outcome), names, passed_on)
            elif "deployment" in one:
                facts[step.name] = _of_deployment(run, step, served[one["deployment"]], one["model"])
        found[int(run.id)] = facts
    return found


def _is_tried_again(step: Step, job: JobRecord, begun: Mapping[str, Any]) -> bool:
    failed = job.state == lifecycle.FAILED
    return failed and graphs.is_tried_again(step, str(job.reason), begun.get("tries", 1))


def of_job(step: Step, job: JobRecord) -> Fact:
    """What has come of a step that this job carries out."""
    return _of_job(step, job, _models([job.id])[job.id], _evaluations([job.id]).get(job.id))


def _of_job(step: Step, job: JobRecord, models: dict[str, int], evaluation: EvaluationRecord | None) -> Fact:
    state = graphs.state_of(job.state)
    if state == CANCELLED:
        return Fact(state, reason=StepCancelled().code, reason_params={"job": job.id})
    if state != DONE:
        return Fact(state, reason=job.reason, reason_params=job.reason_params)
    if evaluation is None:
        return Fact(DONE, models)
    named = {name: int(evaluation.id) for name, kind in step.outputs.items() if kind == "evaluation"}
    return Fact(DONE, models | named, evaluation.verdict, marks=_marks(evaluation))


def _marks(evaluation: EvaluationRecord) -> Marks:
    def scored(candidate: str) -> dict[str, Interval]:
        mine = (one for one in evaluation.scores if one["candidate"] == candidate)
        return {one["metric"]: Interval(one["value"], one["low"], one["high"]) for one in mine}

    found = evaluation.differences.get(evaluation.primary_metric)
    difference = Interval(found["value"], found["low"], found["high"]) if found else None
    return Marks(evaluation.primary_metric, scored(scores.CANDIDATE), scored(scores.BASELINE), difference)


def _of_deployment(run: WorkflowRunRecord, step: Step, deployment: DeploymentRecord, model_id: int) -> Fact:
    made = {} if deployment.deleted_at else dict.fromkeys(step.outputs, int(deployment.id))
    if run.outcome in (DONE, REFUSED):  # it served; what has been done with it since is no part of the run
        return Fact(DONE, made)
    if deployment.model_id != model_id or deployment.desired_state == lifecycle.STOPPED:
        return Fact(CANCELLED, made, "", DeploymentChanged().code, {"deployment": deployment.name})
    stands = deployments.condition(deployment)
    state = graphs.state_of(stands.state)
    if state == FAILED and not stands.given_up:
        state = OPEN  # another machine is about to be tried
    return Fact(state, made, "", stands.code if state == FAILED else "", stands.params)


def _models(job_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """job → output → model, without what is in the trash. An artifact is called like the output that it is."""
    query = (
        ModelRecord.select(ModelRecord.job, ModelRecord.id, ArtifactRecord.name)
        .join(ArtifactRecord, on=(ModelRecord.artifact == ArtifactRecord.id))
        .where(ModelRecord.job.in_(list(job_ids)), is_kept(ModelRecord))
    )
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for job_id, model_id, output in query.tuples().iterator():
        found[job_id][output] = model_id
    return found


def _evaluations(job_ids: Sequence[int]) -> dict[int, EvaluationRecord]:
    one = EvaluationRecord
    query = one.select(one.id, one.job, one.verdict, one.primary_metric, one.scores, one.differences)
    query = query.join(JobRecord, on=(EvaluationRecord.job == JobRecord.id))
    scored = query.where(EvaluationRecord.job.in_(list(job_ids)), is_kept(JobRecord))
    return {int(one.job_id): one for one in scored}


def _by_id(record: type[Any], begun: Sequence[dict[str, Any]], key: str) -> dict[int, Any]:
    numbers = [one[key] for one in begun if key in one]
    if not numbers:
        return {}
    return {int(one.id): one for one in record.select().where(record.id.in_(numbers))}
