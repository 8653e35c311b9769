"""Sweeps as people see them: start, look at, list and cancel one. What carries them out is `steps.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import sweeps
from control_plane.domain.errors import Denied, HeldOutMissing, InputUnfit, SweepOver
from control_plane.domain.learning import HELD_OUT_LOSS
from control_plane.domain.lifecycle import JOB_OVER
from control_plane.domain.names import LONGEST_NAME
from control_plane.domain.permissions import Actor
from control_plane.domain.policies import Policy
from control_plane.domain.sweeps import CANCELLED, Space, Trial
from control_plane.services import asking, audit, jobs, methods, transitions
from control_plane.services.access import projects
from control_plane.services.asking import Asked
from control_plane.services.fleet import points
from control_plane.services.sweeps import steps
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sweeps import SweepRecord

_TRAIN = "train"
_LONGEST_SUFFIX = len("-200")


@dataclass(frozen=True)
class Progress:
    """A sweep, its jobs and what came of each, in their order."""

    sweep: SweepRecord
    jobs: list[JobRecord]
    trials: list[Trial]

    @property
    def best(self) -> Trial | None:
        """The trial with the best last value of the objective; None while no job has succeeded."""
        return sweeps.best(self.trials, self.sweep.objective)

    @property
    def ended(self) -> int:
        """How many of the jobs are over."""
        return sum(one.over for one in self.trials)


@dataclass(frozen=True)
class Wanted:
    """A sweep as it is asked for: a job, with what is varied of it."""

    method: str
    varied: Mapping[str, Any]  # as domain/sweeps.py::space reads it
    trials: int  # how many jobs at most
    at_once: int = 1
    objective: str = HELD_OUT_LOSS
    name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)  # of every job; what is left out has its default
    inputs: Mapping[str, int | Mapping[str, Any]] = field(default_factory=dict)
    seed: int = 42
    policy: Policy = Policy()  # noqa: RUF009  # it is frozen


def start(actor: Actor, cp: ControlPlane, project: str, wanted: Wanted, idempotency_key: str = "") -> SweepRecord:
    """Ask for the jobs of a sweep, `at_once` of them at a time. The same key gets the same sweep.

    Raises what `asking.check` and `domain/sweeps.py::space` raise, InputUnfit, HeldOutMissing, FieldInvalid, Denied.
    """
    asked, dimensions = _checked(actor, cp, project, wanted)
    if actor.kind != "user":  # its jobs are submitted in somebody's name, also later
        raise Denied(permission="job.submit")
    with transaction():
        if idempotency_key and (known := _with_key(asked.project, idempotency_key)) is not None:
            return known
        asking.refuse_gone(asked)
        sweep = _insert(actor, cp, wanted, asked, dimensions, idempotency_key)
    steps.carry_on(cp, sweep)
    cp.signals.wake(f"project:{asked.project.id}")
    return SweepRecord.get_by_id(sweep.id)


def _checked(actor: Actor, cp: ControlPlane, project: str, wanted: Wanted) -> tuple[Asked, Space]:
    """A job of the sweep, and what is varied of it: each bound is held against the method's schema."""
    projects.get(actor, cp, project, "job.submit")
    sweeps.check_counts(wanted.trials, wanted.at_once)
    sweeps.more_is_better(wanted.objective)
    wanted.policy.check()
    manifest = methods.manifest(methods.get(actor, cp, wanted.method))
    if manifest.kind != _TRAIN:
        raise InputUnfit(input="method", accepted=_TRAIN, given=manifest.kind)
    dimensions = sweeps.space(wanted.varied, manifest.parameters.get("properties", {}), wanted.method)
    complete = dict(wanted.parameters)
    for corner in sweeps.corners(dimensions):
        complete |= corner
        methods.check_parameters(manifest, complete)
    asked = asking.check(actor, cp, project, wanted.method, wanted.name, complete, wanted.inputs, wanted.seed)
    if wanted.objective == HELD_OUT_LOSS:
        _check_held_out(asked)
    return asked, dimensions


def _insert(actor: Actor, cp: ControlPlane, wanted: Wanted, asked: Asked, dimensions: Space, key: str) -> SweepRecord:
    all_of_them = sweeps.combinations(dimensions)
    sweep = SweepRecord.create(
        project=asked.project,
        name=asked.name[: LONGEST_NAME - _LONGEST_SUFFIX],
        method_version=asked.method_version,
        parameters={key: value for key, value in asked.parameters.items() if key not in dimensions},
        space=sweeps.as_data(dimensions),
        inputs=asked.inputs,
        seed=wanted.seed,
        policy=asdict(wanted.policy),
        objective=wanted.objective,
        trials=min(wanted.trials, len(all_of_them)) if all_of_them else wanted.trials,
        at_once=wanted.at_once,
        idempotency_key=key[:100] or None,
        created_by=int(actor.id),
        created_at=cp.clock(),
    )
    audit.record(actor, cp, "sweep.start", f"sweep:{sweep.id}", asked.project.id, name=sweep.name)
    return sweep


def get(actor: Actor, cp: ControlPlane, sweep_id: int, permission: str = "job.see") -> SweepRecord:
    """One sweep. Raises NotFound, Denied, InTrash where its project is there."""
    sweep: SweepRecord = projects.inside(actor, SweepRecord, sweep_id, permission)
    return sweep


def progress(actor: Actor, cp: ControlPlane, sweep_id: int) -> Progress:
    """How far a sweep is. Raises NotFound, Denied."""
    return _progress([get(actor, cp, sweep_id)])[0]


def space_of(sweep: SweepRecord) -> Space:
    """What a sweep varies."""
    return steps.space_of(sweep)


def of_project(actor: Actor, cp: ControlPlane, project: str, limit: int = 50) -> list[Progress]:
    """The newest sweeps of a project. Raises NotFound, Denied."""
    place = projects.get(actor, cp, project, "job.see")
    query = SweepRecord.select().where(SweepRecord.project == place.id)
    return _progress(list(query.order_by(SweepRecord.id.desc()).limit(limit)))


def cancel(actor: Actor, cp: ControlPlane, sweep_id: int) -> SweepRecord:
    """Have a sweep start nothing more, and its open jobs end; a second time changes nothing.

    Raises NotFound, Denied, SweepOver.
    """
    sweep = get(actor, cp, sweep_id, "job.cancel")
    with transaction():
        sweep = SweepRecord.get_by_id(sweep.id)
        if sweep.outcome not in ("", CANCELLED):
            raise SweepOver(state=sweep.outcome)
        open_jobs = [] if sweep.outcome else [job for job in steps.jobs_of(sweep) if job.state not in JOB_OVER]
        if not sweep.outcome:
            steps.move(sweep, outcome=CANCELLED, ended_at=cp.clock())
            audit.record(actor, cp, "sweep.cancel", f"sweep:{sweep.id}", sweep.project_id, name=sweep.name)
        for job in open_jobs:
            transitions.cancel(actor, cp, job)
    cp.signals.wake(f"project:{sweep.project_id}", *(topic for job in open_jobs for topic in jobs.topics(job)))
    return SweepRecord.get_by_id(sweep.id)


def _progress(found: Sequence[SweepRecord]) -> list[Progress]:
    of_sweep: dict[int | None, list[JobRecord]] = defaultdict(list)
    for job in JobRecord.select().where(JobRecord.sweep.in_([one.id for one in found])).order_by(JobRecord.id):
        of_sweep[job.sweep_id].append(job)
    last = {}
    for objective in {str(one.objective) for one in found}:
        numbers = [job.id for one in found if one.objective == objective for job in of_sweep[one.id]]
        last[objective] = points.last_values(numbers, objective)
    return [
        Progress(one, of_sweep[one.id], steps.trials_of(one, of_sweep[one.id], last[one.objective])) for one in found
    ]


def _check_held_out(asked: Asked) -> None:
    """Raises HeldOutMissing where no data has held-out rows that the results could be compared by."""
    given = [pin["id"] for pin in asked.inputs.values() if pin["kind"] == "dataset"]
    versions = DatasetVersionRecord.select().where(DatasetVersionRecord.id.in_(given))
    if not any(version.test_sha256 for version in versions):
        raise HeldOutMissing


def _with_key(place: ProjectRecord, key: str) -> SweepRecord | None:
    return SweepRecord.get_or_none(SweepRecord.project == place.id, SweepRecord.idempotency_key == key[:100])
