"""What still needs a thing: why it cannot be put into the trash, or out of it, just now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from control_plane.domain.errors import (
    CarriedBy,
    DeploymentWanted,
    InUse,
    JobUnderWay,
    NeedsPurged,
    NeedsTrashed,
    ReadByJobs,
    RestedOn,
    RunUnderWay,
    ServedBy,
    SweepUnderWay,
)
from control_plane.domain.forms import ON_A_MODEL
from control_plane.domain.lifecycle import JOB_OVER, STOPPED
from control_plane.services.things.kinds import (
    DATASET,
    DEPLOYMENT,
    JOB,
    MODEL,
    PROJECT,
    PROMPT,
    REWARD,
    WORKFLOW,
    is_kept,
    kind_of,
)
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.prompts import PromptVersionRecord
from control_plane.store.sweeps import SweepRecord
from control_plane.store.things import Thing
from control_plane.store.workflows import WorkflowRunRecord

_NAMED = 5  # users that a refusal names


def refuse_use(thing: Any) -> None:
    """Let pass what nobody needs; called inside the transaction that puts it into the trash.

    Raises JobUnderWay, DeploymentWanted, and InUse with the names of who needs it.
    """
    _CHECKS[kind_of(thing)](thing)


def refuse_lacking(thing: Any) -> None:
    """Let pass what has all that it needs; called inside the transaction that restores it.

    Raises NeedsTrashed, NeedsPurged.
    """
    needed = None
    if isinstance(thing, DeploymentRecord):
        needed = ModelRecord.get_by_id(thing.model_id)
    elif isinstance(thing, ModelRecord) and thing.form in ON_A_MODEL and thing.base_id:
        needed = ModelRecord.get_by_id(thing.base_id)
    if needed is not None and needed.purged_at:
        raise NeedsPurged(name=thing.label, other=needed.label)
    if needed is not None and needed.deleted_at:
        raise NeedsTrashed(name=thing.label, other=needed.label)


def _dataset(dataset: Any) -> None:
    query = DatasetVersionRecord.select(DatasetVersionRecord.id).where(DatasetVersionRecord.dataset == dataset.id)
    versions = {int(version.id) for version in query}
    _refuse_readers(dataset, DATASET, versions)
    _refuse_runs(dataset, [run for run in _open_runs(dataset.project_id) if versions & _data_of(run)])


def _model(model: Any) -> None:
    serving = DeploymentRecord.select().where(DeploymentRecord.model == model.id, is_kept(DeploymentRecord))
    _refuse(ServedBy, model, (one.label for one in serving))
    resting = (ModelRecord.base == model.id) & ModelRecord.form.in_(ON_A_MODEL) & is_kept(ModelRecord)
    _refuse(RestedOn, model, (one.label for one in ModelRecord.select().where(resting)))
    _refuse_readers(model, MODEL, {int(model.id)})
    _refuse_runs(model, _runs_with(model.project_id, "job", model.job_id))


def _job(job: Any) -> None:
    if job.state not in JOB_OVER:
        raise JobUnderWay(name=job.label)
    _refuse_sweeps(job, [sweep for sweep in _open_sweeps(job.project_id) if sweep.id == job.sweep_id])
    _refuse_runs(job, _runs_with(job.project_id, "job", job.id))


def _deployment(deployment: Any) -> None:
    if deployment.desired_state != STOPPED:
        raise DeploymentWanted(name=deployment.label)
    _refuse_runs(deployment, _runs_with(deployment.project_id, "deployment", deployment.id))


def _workflow(_: Any) -> None:
    """Nothing needs one: a run has kept what it carries out."""


def _prompt(prompt: Any) -> None:
    versions = PromptVersionRecord.select(PromptVersionRecord.id).where(PromptVersionRecord.prompt == prompt.id)
    carrying = DeploymentRecord.select().where(DeploymentRecord.prompt_version.in_(versions), is_kept(DeploymentRecord))
    _refuse(CarriedBy, prompt, (one.label for one in carrying))


def _reward(_: Any) -> None:
    """Nothing needs one: a job has kept its checks."""


def _project(project: Any) -> None:
    _refuse(ReadByJobs, project, (_title(job) for job in _open_jobs(project.id)))
    wanted = (DeploymentRecord.project == project.id) & (DeploymentRecord.desired_state != STOPPED)
    _refuse(ServedBy, project, (one.label for one in DeploymentRecord.select().where(wanted)))
    _refuse_runs(project, _open_runs(project.id))
    _refuse_sweeps(project, _open_sweeps(project.id))


_CHECKS = {
    DATASET: _dataset,
    MODEL: _model,
    JOB: _job,
    DEPLOYMENT: _deployment,
    WORKFLOW: _workflow,
    PROMPT: _prompt,
    REWARD: _reward,
    PROJECT: _project,
}


def _refuse_readers(thing: Any, kind: str, numbers: Collection[int]) -> None:
    """Raises ReadByJobs and SweepUnderWay where one of these models or dataset versions was given to what goes on."""

    def is_given(one: JobRecord | SweepRecord) -> bool:
        return any(pin["kind"] == kind and pin["id"] in numbers for pin in one.inputs.values())

    _refuse(ReadByJobs, thing, (_title(job) for job in _open_jobs(thing.project_id) if is_given(job)))
    _refuse_sweeps(thing, [sweep for sweep in _open_sweeps(thing.project_id) if is_given(sweep)])


def _refuse_sweeps(thing: Thing, sweeps: Iterable[SweepRecord]) -> None:
    _refuse(SweepUnderWay, thing, (f"#{sweep.id} {sweep.name}" for sweep in sweeps))


def _refuse_runs(thing: Thing, runs: Iterable[WorkflowRunRecord]) -> None:
    _refuse(RunUnderWay, thing, (f"#{run.id} {run.label}" for run in runs))


def _refuse(problem: type[InUse], thing: Thing, users: Iterable[str]) -> None:
    found = list(users)
    if found:
        more = [f"+ {len(found) - _NAMED}"] if len(found) > _NAMED else []
        raise problem(name=thing.label, users=found[:_NAMED] + more)


def _open_jobs(project_id: int) -> list[JobRecord]:
    query = JobRecord.select().where(JobRecord.project == project_id, JobRecord.state.not_in(JOB_OVER))
    return list(query.order_by(JobRecord.id))


def _open_runs(project_id: int) -> list[WorkflowRunRecord]:
    query = WorkflowRunRecord.select().where(WorkflowRunRecord.project == project_id, WorkflowRunRecord.outcome == "")
    return list(query.order_by(WorkflowRunRecord.id))


def _data_of(run: WorkflowRunRecord) -> set[int]:
    """The dataset versions that a run was given."""
    return {run.dataset_version_id or 0, *(int(step.get("dataset_version", 0)) for step in run.graph)}


def _open_sweeps(project_id: int) -> list[SweepRecord]:
    query = SweepRecord.select().where(SweepRecord.project == project_id, SweepRecord.outcome == "")
    return list(query.order_by(SweepRecord.id))


def _runs_with(project_id: int, kind: str, number: int) -> list[WorkflowRunRecord]:
    """The runs that go on and have this job or deployment among their steps."""
    return [run for run in _open_runs(project_id) if any(one.get(kind) == number for one in run.begun.values())]


def _title(job: JobRecord) -> str:
    return f"#{job.id} {job.label}"
