"""What carries sweeps out: from what has come of a sweep's jobs it begins the next ones, and ends those far behind.

A sweep owns no state of a job: its jobs name it, and everything else follows from them. A job begins in a transaction
that looks at the sweep again: a restart in between costs nothing, and a cancelled sweep starts nothing more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import sweeps
from control_plane.domain.errors import (
    SweepBehind,
    SweepFailing,
    SweepMethodChanged,
    TunesmithError,
    Unavailable,
    code_of,
)
from control_plane.domain.lifecycle import FAILED, JOB_OVER, SUCCEEDED
from control_plane.domain.permissions import SYSTEM
from control_plane.domain.policies import Policy
from control_plane.domain.sweeps import DONE, STOPPED, Trial
from control_plane.services import asking, transitions
from control_plane.services.access import identity
from control_plane.services.fleet import points
from control_plane.services.jobs import topics
from control_plane.services.methods import manifest, of_version
from control_plane.services.sweeps import sampler
from control_plane.store.database import transaction
from control_plane.store.jobs import JobRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sweeps import SweepRecord

log = logging.getLogger(__name__)

_FAILURES_IN_A_ROW = 3  # jobs that failed before any has succeeded: the next ones would, too
_MOST_COMPARED = 200  # points of a course


def advance(cp: ControlPlane) -> int:
    """Carry on each sweep that goes on; how many moved. Called whenever a job has changed."""
    return sum(_each(cp, carry_on))


def prune(cp: ControlPlane) -> int:
    """Cancel the running jobs that are too far behind the others of their sweep; in how many sweeps. A tick."""
    return sum(_each(cp, _prune))


def _each(cp: ControlPlane, look: Callable[[ControlPlane, SweepRecord], bool]) -> Iterator[bool]:
    for sweep in list(SweepRecord.select().where(SweepRecord.outcome == "")):
        try:
            yield look(cp, sweep)
        except Exception:  # a loop's top: one broken sweep must not hold up the others, and is looked at again
            log.exception("sweep %s could not go on", sweep.id)


def carry_on(cp: ControlPlane, sweep: SweepRecord) -> bool:
    """Begin all that can begin now; whether anything did, or the sweep ended."""
    moved = False
    while not sweep.outcome and _carry_on(cp, sweep):
        moved, sweep = True, SweepRecord.get_by_id(sweep.id)
    if moved:
        cp.signals.wake(f"project:{sweep.project_id}")
    return moved


def space_of(sweep: SweepRecord) -> sweeps.Space:
    """What the sweep varies."""
    return sweeps.space(sweep.space, manifest(of_version(sweep.method_version_id)).parameters["properties"])


def jobs_of(sweep: SweepRecord) -> list[JobRecord]:
    """The sweep's jobs, the first one first."""
    return list(JobRecord.select().where(JobRecord.sweep == sweep.id).order_by(JobRecord.id))


def trials_of(sweep: SweepRecord, jobs: Sequence[JobRecord], last: Mapping[int, float] | None = None) -> list[Trial]:
    """What came of the sweep's jobs so far, in their order. `last`: the objective's last values by job, if known."""
    values = points.last_values([job.id for job in jobs], sweep.objective) if last is None else last
    return [
        Trial(
            number=int(job.id),
            values={name: job.parameters[name] for name in sweep.space},
            over=job.state in JOB_OVER,
            value=values.get(job.id) if job.state == SUCCEEDED else None,
        )
        for job in jobs
    ]


def move(sweep: SweepRecord, **columns: Any) -> bool:
    """Change a sweep that is as it was read; False if somebody was quicker. Called inside a transaction."""
    same = (SweepRecord.id == sweep.id) & (SweepRecord.version == sweep.version) & (SweepRecord.outcome == "")
    return bool(SweepRecord.update(version=SweepRecord.version + 1, **columns).where(same).execute())


def _with_course(sweep: SweepRecord, trial: Trial) -> Trial:
    found = points.series(trial.number, names=(sweep.objective,))["series"]
    course = [(int(step), float(value)) for step, value in found[0]["points"][-_MOST_COMPARED:]] if found else []
    return replace(trial, course=tuple(course))


def _carry_on(cp: ControlPlane, sweep: SweepRecord) -> bool:
    jobs = jobs_of(sweep)
    unfinished = sum(job.state not in JOB_OVER for job in jobs)
    if unfinished and (unfinished >= sweep.at_once or len(jobs) >= sweep.trials):
        return False
    if failing := _failing(jobs):
        return _end(cp, sweep, STOPPED, SweepFailing(count=len(jobs), job=failing.id))
    if len(jobs) < sweep.trials:
        values = sampler.suggest(space_of(sweep), trials_of(sweep, jobs), sweep.objective, sweep.seed)
        if values is not None:
            return _begin(cp, sweep, len(jobs) + 1, values)
    return False if unfinished else _end(cp, sweep, DONE)


def _failing(jobs: Sequence[JobRecord]) -> JobRecord | None:
    """The newest job, where the first ones have all failed."""
    over = [job for job in jobs if job.state in JOB_OVER]
    all_failed = all(job.state == FAILED for job in over)
    return over[-1] if len(over) >= _FAILURES_IN_A_ROW and all_failed else None


def _begin(cp: ControlPlane, sweep: SweepRecord, number: int, values: dict[str, Any]) -> bool:
    """Submit the sweep's next job in the name of who started it; False if the sweep has changed meanwhile."""
    method, project = of_version(sweep.method_version_id), ProjectRecord.get_by_id(sweep.project_id)
    parameters, inputs = sweep.parameters | values, {name: pin["id"] for name, pin in sweep.inputs.items()}
    try:
        actor = identity.acting_for(sweep.created_by_id, "job.submit", sweep.project_id)
        asked = asking.check(actor, cp, project.name, method.name, "", parameters, inputs, sweep.seed)
        if asked.method_version.id != method.id:
            raise SweepMethodChanged(method=method.name)
    except Unavailable:
        return False  # it is tried again
    except TunesmithError as problem:
        log.info("sweep %s stopped: %s", sweep.id, problem)
        return _end(cp, sweep, STOPPED, problem)
    with transaction():
        if not move(sweep):
            return False
        named = replace(asked, name=f"{sweep.name}-{number}")
        job = asking.create(actor, cp, named, Policy(**sweep.policy), sweep=sweep)
    cp.signals.wake(*transitions.topics(job))
    return True


def _prune(cp: ControlPlane, sweep: SweepRecord) -> bool:
    """Cancel the sweep's running jobs that are too far behind the others; whether there were any."""
    jobs = [job for job in jobs_of(sweep) if not job.cancel_requested_at or job.state in JOB_OVER]
    if all(job.state in JOB_OVER for job in jobs):
        return False
    trials = [_with_course(sweep, one) for one in trials_of(sweep, jobs)]
    behind = [
        job
        for job, trial in zip(jobs, trials, strict=True)
        if not trial.over and sampler.is_behind(space_of(sweep), trials, trial, sweep.objective, sweep.seed)
    ]
    for job in behind:
        with transaction():
            transitions.cancel(SYSTEM, cp, job, reason=code_of(SweepBehind))
        cp.signals.wake(*topics(job))
    return bool(behind)


def _end(cp: ControlPlane, sweep: SweepRecord, outcome: str, problem: TunesmithError | None = None) -> bool:
    reason = {"reason": problem.code, "reason_params": problem.storable()} if problem else {}
    with transaction():
        return move(sweep, outcome=outcome, ended_at=cp.clock(), **reason)
