"""Guided runs: from a case's data to an evaluated, packaged model, one job after the other.

A run owns no state of a job: it remembers which job belongs to which stage, looks whether that job has succeeded, and
then submits the next one in the name of who started it. A submission that is repeated gets the same job, so a restart
in between costs nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, NotFound, TunesmithError, Unavailable
from control_plane.domain.lifecycle import JOB_OVER, SUCCEEDED
from control_plane.domain.permissions import Actor, require
from control_plane.domain.plans import Plan, parse
from control_plane.services import audit, cases, datasets, jobs, models
from control_plane.services.access import identity, projects
from control_plane.services.cases import Case
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.guided import GuidedRunRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord

IMPORT, TRAIN, EVALUATE, EXPORT = "import", "train", "evaluate", "export"
DONE, STOPPED = "done", "stopped"
STAGES = (IMPORT, TRAIN, EVALUATE, EXPORT)
_NEXT = {IMPORT: TRAIN, TRAIN: EVALUATE, EVALUATE: EXPORT, EXPORT: DONE}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """A run as a page shows it: each stage with its job (None: not yet, or not needed), and what came of it."""

    run: GuidedRunRecord
    jobs: dict[str, JobRecord | None]
    evaluation: EvaluationRecord | None
    packaged: ModelRecord | None


def start(
    actor: Actor, cp: ControlPlane, project: str, case: str, dataset_version_id: int, idempotency_key: str = ""
) -> GuidedRunRecord:
    """Begin the chain of a case on a dataset version of the project. The same key gets the same run.

    Raises NotFound, Denied, and what submitting its first job raises.
    """
    place = projects.get(actor, cp, project, "job.submit")
    plan = cases.get(actor, cp, case)
    version = datasets.get_version(actor, cp, dataset_version_id)
    if DatasetRecord.get_by_id(version.dataset_id).project_id != place.id:
        raise NotFound
    run, made = _insert(actor, cp, place, plan, version, idempotency_key)
    if made:
        _carry_on(cp, run)
        cp.signals.wake(f"project:{place.id}")
    return GuidedRunRecord.get_by_id(run.id)


def get(actor: Actor, cp: ControlPlane, run_id: int) -> GuidedRunRecord:
    """One run. Raises NotFound, Denied."""
    run = GuidedRunRecord.get_or_none(GuidedRunRecord.id == run_id)
    if run is None:
        raise NotFound
    require(actor, "job.see", run.project_id)
    return run


def progress(actor: Actor, cp: ControlPlane, run_id: int) -> Progress:
    """How far a run is. Raises NotFound, Denied."""
    run = get(actor, cp, run_id)
    found = {stage: JobRecord.get_or_none(JobRecord.id == run.jobs.get(stage, 0)) for stage in STAGES}
    return Progress(
        run=run,
        jobs=found,
        evaluation=EvaluationRecord.get_or_none(EvaluationRecord.id == run.made.get("evaluation", 0)),
        packaged=ModelRecord.get_or_none(ModelRecord.id == run.made.get("packaged", 0)),
    )


def of_project(actor: Actor, cp: ControlPlane, project: str, limit: int = 5) -> list[GuidedRunRecord]:
    """The newest runs of a project. Raises NotFound, Denied."""
    place = projects.get(actor, cp, project, "job.see")
    query = GuidedRunRecord.select().where(GuidedRunRecord.project == place.id)
    return list(query.order_by(GuidedRunRecord.id.desc()).limit(limit))


def base_of(actor: Actor, cp: ControlPlane, project: str, case: Case) -> ModelRecord | None:
    """The case's base model, if the project has it already. Raises NotFound, Denied."""
    wanted = plan_of(case).base.parameters.items()
    for model in models.list_models(actor, cp, project, "base"):
        if wanted <= JobRecord.get_by_id(model.job_id).parameters.items():
            return model
    return None


def plan_of(case: Case, locale: str = "en") -> Plan:
    """A case's plan in a language."""
    return parse(case.name, case.plan, locale)


def advance(cp: ControlPlane) -> int:
    """Carry on each run whose job has ended; how many moved. Called by a tick."""
    moved = 0
    for run in GuidedRunRecord.select().where(GuidedRunRecord.stage.not_in((DONE, STOPPED))):
        try:
            if _carry_on(cp, run):
                moved += 1
                cp.signals.wake(f"project:{run.project_id}")
        except Exception:  # a loop's top: one broken run must not hold up the others, and is looked at again
            log.exception("guided run %s could not go on", run.id)
    return moved


def _insert(
    actor: Actor, cp: ControlPlane, place: ProjectRecord, case: Case, version: DatasetVersionRecord, key: str
) -> tuple[GuidedRunRecord, bool]:
    if actor.kind != "user":
        raise Denied(permission="job.submit")
    base = base_of(actor, cp, place.name, case)
    with transaction():
        same = (GuidedRunRecord.project == place.id) & (GuidedRunRecord.idempotency_key == key[:100])
        known = GuidedRunRecord.get_or_none(same) if key else None
        if known is not None:
            return known, False
        run = GuidedRunRecord.create(
            project=place,
            case=case.name,
            dataset_version=version,
            stage=TRAIN if base else IMPORT,
            made={"base": base.id} if base else {},
            idempotency_key=key[:100] or None,
            created_by=int(actor.id),
            created_at=cp.clock(),
        )
        audit.record(actor, cp, "guided_run.start", f"guided_run:{run.id}", place.id, case=case.name)
    return run, True


def _carry_on(cp: ControlPlane, run: GuidedRunRecord) -> bool:
    """As many steps as there are to take now; whether there was one."""
    moved = False
    while run.stage not in (DONE, STOPPED) and _step(cp, run):
        moved, run = True, GuidedRunRecord.get_by_id(run.id)
    return moved


def _step(cp: ControlPlane, run: GuidedRunRecord) -> bool:
    """Submit the stage's job, or look how it ended; whether the run moved."""
    number = run.jobs.get(run.stage)
    try:
        if number is None:
            return _move(run, run.stage, jobs=run.jobs | {run.stage: _submit(cp, run).id})
        job = JobRecord.get_by_id(number)
        if job.state == SUCCEEDED:
            return _follow(run, job)
        return job.state in JOB_OVER and _move(run, STOPPED, reason=job.reason, reason_params=job.reason_params)
    except Unavailable:
        return False  # a full disk, say: the next tick tries again
    except TunesmithError as problem:
        log.info("guided run %s stopped: %s", run.id, problem)
        return _move(
            run, STOPPED, reason=problem.code, reason_params={key: str(value) for key, value in problem.params.items()}
        )


def _follow(run: GuidedRunRecord, job: JobRecord) -> bool:
    """Take down what the job made and go to the next stage; a model that is not better is not packaged."""
    made, following = dict(run.made), _NEXT[run.stage]
    if run.stage == EVALUATE:
        evaluation = EvaluationRecord.get(EvaluationRecord.job == job.id)
        made["evaluation"] = evaluation.id
        following = EXPORT if evaluation.verdict == "better" else DONE
    else:
        named = {IMPORT: "base", TRAIN: "tuned", EXPORT: "packaged"}[run.stage]
        made[named] = ModelRecord.get(ModelRecord.job == job.id).id
    return _move(run, following, made=made)


def _move(run: GuidedRunRecord, stage: str, **columns: Any) -> bool:
    """One guarded step; False if another thread was quicker."""
    same = (GuidedRunRecord.id == run.id) & (GuidedRunRecord.stage == run.stage)
    with transaction():
        return bool(GuidedRunRecord.update(stage=stage, **columns).where(same).execute())


def _submit(cp: ControlPlane, run: GuidedRunRecord) -> JobRecord:
    actor = _on_behalf(run)
    plan = plan_of(cases.get(actor, cp, run.case))
    step = {IMPORT: plan.base, TRAIN: plan.train, EVALUATE: plan.evaluate, EXPORT: plan.export}[run.stage]
    return jobs.submit(
        actor,
        cp,
        ProjectRecord.get_by_id(run.project_id).name,
        step.method,
        name=step.name,
        parameters=step.parameters,
        inputs=_inputs(run),
        idempotency_key=f"guided:{run.id}:{run.stage}",
    )


def _inputs(run: GuidedRunRecord) -> dict[str, int]:
    made, dataset = run.made, run.dataset_version_id
    wanted = {
        IMPORT: {},
        TRAIN: {"base": made.get("base"), "dataset": dataset},
        EVALUATE: {"dataset": dataset, "candidate": made.get("tuned"), "baseline": made.get("base")},
        EXPORT: {"model": made.get("tuned")},
    }
    return wanted[run.stage]


def _on_behalf(run: GuidedRunRecord) -> Actor:
    """Who started the run, with what they may do now: whoever left the project goes no further in it."""
    user = UserRecord.get_or_none(UserRecord.id == run.created_by_id, UserRecord.active == True)  # noqa: E712
    if user is None:
        raise Denied(permission="job.submit")
    return identity.actor_of(user, "")
