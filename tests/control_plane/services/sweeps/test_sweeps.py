"""A sweep from its start to its best job. The fleet is played by the test."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Denied,
    FieldInvalid,
    HeldOutMissing,
    InputUnfit,
    NotFound,
    ParameterOutOfRange,
    SweepOver,
    SweepWithoutChoice,
    TunesmithError,
)
from control_plane.domain.permissions import SYSTEM, VIEWER, Actor
from control_plane.domain.policies import Policy
from control_plane.services import jobs, methods
from control_plane.services.access import identity, people, projects
from control_plane.services.fleet import events, scheduling
from control_plane.services.fleet.attempts import accept
from control_plane.services.sweeps import runs, steps
from control_plane.services.sweeps.runs import Wanted
from control_plane.store.allocations import AllocationRecord
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.audit import AuditRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import UserRecord
from control_plane.store.sweeps import SweepRecord
from fleet_support import Fleet, report

STEPS = [10, 20, 30]


@pytest.fixture
def ada(cp: ControlPlane, fleet: Fleet) -> Actor:
    """An expert of the fleet's project."""
    people.invite(SYSTEM, cp, "ada", "Ada", False)
    projects.set_member(SYSTEM, cp, "default", "ada", "Expert")
    return identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")


@pytest.fixture
def wanted(cp: ControlPlane, fleet: Fleet, machine: Actor) -> Wanted:
    """The fleet's method on a base model and rows, with three counts of steps."""
    job = JobRecord.get_or_none() or _import(cp, fleet)
    artifact = ArtifactRecord.create(
        attempt=fleet.attempt(job.id), name="model", files=[], hash="h", size=1, begun_at=0
    )
    model = ModelRecord.create(
        project=fleet.project,
        name="base",
        form="base",
        job=job,
        artifact=artifact,
        hash="h",
        size=1,
        card={},
        created_at=0,
    )
    inputs = {"base": int(model.id), "dataset": int(fleet.dataset().id)}
    return Wanted("tune", {"steps": STEPS}, trials=10, at_once=2, inputs=inputs)


def _import(cp: ControlPlane, fleet: Fleet) -> JobRecord:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    AttemptRecord.update(state="SUCCEEDED").where(AttemptRecord.id == attempt.id).execute()
    JobRecord.update(state="SUCCEEDED").where(JobRecord.id == job.id).execute()
    AllocationRecord.delete().execute()
    return job


def begin(cp: ControlPlane, ada: Actor, wanted: Wanted) -> SweepRecord:
    return runs.start(ada, cp, "default", wanted)


def jobs_of(sweep: SweepRecord) -> list[JobRecord]:
    return list(JobRecord.select().where(JobRecord.sweep == sweep.id).order_by(JobRecord.id))


def tell(cp: ControlPlane, machine: Actor, attempt: AttemptRecord, *losses: float) -> None:
    """Report held-out losses, of the steps 1, 2 and so on."""
    told = [
        {"kind": "metric", "time": 1, "step": at, "values": {"held_out_loss": one}} for at, one in enumerate(losses, 1)
    ]
    events.append(machine, cp, attempt.id, attempt.fence, list(enumerate(map(json.dumps, told), 1)))


def play(cp: ControlPlane, job: JobRecord, *losses: float, state: str = "SUCCEEDED") -> None:
    """What the fleet would do: the job's curve is told, and the job ends."""
    machine = Actor(kind="machine", id=str(_machine()), name="machine")
    attempt = AttemptRecord.create(
        job=job, number=1, machine=machine.id, fence=job.fence, state="RUNNING", offered_at=0, offer_expires_at=0
    )
    tell(cp, machine, attempt, *losses)
    AttemptRecord.update(state=state).where(AttemptRecord.id == attempt.id).execute()
    JobRecord.update(state=state).where(JobRecord.id == job.id).execute()


def _machine() -> str:
    return str(MachineRecord.get().id)


def test_so_many_jobs_run_at_once_until_all_settings_are_tried(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, replace(wanted, policy=Policy(priority=3)))
    assert (sweep.name, sweep.trials) == ("faults", 3)  # not ten: there are only three settings
    first, second = jobs_of(sweep)
    assert [job.parameters["steps"] for job in (first, second)] == [10, 20]
    assert (first.name, second.name) == ("faults-1", "faults-2")
    assert (first.created_by, first.priority, first.seed) == (ada.id, 3, sweep.seed)
    assert steps.advance(cp) == 0  # nothing has ended: nothing moves
    play(cp, first, 0.9, 0.4)
    assert steps.advance(cp) == 1
    assert [job.parameters["steps"] for job in jobs_of(sweep)] == STEPS
    play(cp, jobs_of(sweep)[1], 0.9, 0.2)
    assert steps.advance(cp) == 0
    play(cp, jobs_of(sweep)[2], 0.9, 0.3)
    assert steps.advance(cp) == 1
    seen = runs.progress(ada, cp, sweep.id)
    assert (seen.sweep.outcome, seen.ended) == ("done", 3)
    assert seen.best and (seen.best.values, seen.best.value) == ({"steps": 20}, 0.2)
    assert seen.sweep.ended_at == cp.clock()


def test_a_range_is_drawn_from_as_often_as_was_asked(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, replace(wanted, varied={"steps": {"low": 5, "high": 500, "log": True}}, trials=4, at_once=4))
    found = [job.parameters["steps"] for job in jobs_of(sweep)]
    assert len(set(found)) == 4 and all(5 <= one <= 500 for one in found)
    for job in jobs_of(sweep):
        play(cp, job, 0.5)
    steps.advance(cp)
    assert runs.get(ada, cp, sweep.id).outcome == "done"


def test_a_job_that_is_far_behind_is_ended(
    cp: ControlPlane, fleet: Fleet, ada: Actor, wanted: Wanted, machine: Actor
) -> None:
    sweep = begin(cp, ada, replace(wanted, varied={"steps": [10, 20, 30, 40, 50]}, at_once=5))
    *others, last = jobs_of(sweep)
    for job in others:
        play(cp, job, 0.9, 0.5, 0.2)
    scheduling.run_pass(cp)
    attempt = fleet.attempt(last.id)
    accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    tell(cp, machine, attempt, 0.9, 0.4)
    assert steps.prune(cp) == 0  # better than the others were at this step
    more = {"kind": "metric", "time": 1, "step": 3, "values": {"held_out_loss": 0.6}}
    events.append(machine, cp, attempt.id, attempt.fence, [(3, json.dumps(more))])
    assert steps.prune(cp) == 1
    ended = JobRecord.get_by_id(last.id)
    assert ended.cancel_requested_at and ended.reason == "sweep_behind"
    assert steps.prune(cp) == 0  # asked once
    entry = (
        AuditRecord.select().where(AuditRecord.subject == f"job:{last.id}", AuditRecord.action == "job.cancel").get()
    )
    assert entry.details == {"reason": "sweep_behind"}


def test_after_three_failures_and_no_success_it_stops(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, replace(wanted, varied={"steps": [1, 2, 3, 4, 5]}, at_once=1))
    for _ in range(3):
        play(cp, jobs_of(sweep)[-1], state="FAILED")
        steps.advance(cp)
    stopped = runs.get(ada, cp, sweep.id)
    assert (stopped.outcome, stopped.reason) == ("stopped", "sweep_failing")
    assert stopped.reason_params == {"count": 3, "job": jobs_of(sweep)[-1].id}
    assert len(jobs_of(sweep)) == 3
    assert runs.progress(ada, cp, sweep.id).best is None


def test_one_failure_among_successes_does_not_stop_it(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, replace(wanted, at_once=1))
    for state in ("FAILED", "SUCCEEDED", "FAILED"):
        play(cp, jobs_of(sweep)[-1], 0.5, state=state)
        steps.advance(cp)
    assert runs.get(ada, cp, sweep.id).outcome == "done"
    best = runs.progress(ada, cp, sweep.id).best
    assert best and best.values == {"steps": 20}


def test_cancelling_ends_its_jobs_and_starts_no_more(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, wanted)
    assert runs.cancel(ada, cp, sweep.id).outcome == "cancelled"
    assert [job.state for job in jobs_of(sweep)] == ["CANCELLED", "CANCELLED"]
    assert steps.advance(cp) == 0 and len(jobs_of(sweep)) == 2
    assert runs.cancel(ada, cp, sweep.id).version == runs.get(ada, cp, sweep.id).version  # again: nothing
    done = begin(cp, ada, replace(wanted, at_once=3))
    for job in jobs_of(done):
        play(cp, job, 0.5)
    steps.advance(cp)
    with pytest.raises(SweepOver):
        runs.cancel(ada, cp, done.id)


def test_the_same_key_gets_the_same_sweep(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    first = runs.start(ada, cp, "default", wanted, "key")
    assert runs.start(ada, cp, "default", wanted, "key").id == first.id
    assert runs.start(ada, cp, "default", wanted).id != first.id
    assert [one.sweep.id for one in runs.of_project(ada, cp, "default")][-1] == first.id


def test_whoever_has_left_the_project_goes_no_further_in_it(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, wanted)
    projects.set_member(SYSTEM, cp, "default", "ada", "Viewer")
    play(cp, jobs_of(sweep)[0], 0.5)
    steps.advance(cp)
    stopped = runs.get(SYSTEM, cp, sweep.id)
    assert (stopped.outcome, stopped.reason, len(jobs_of(sweep))) == ("stopped", "denied", 2)


def test_a_changed_method_stops_it(cp: ControlPlane, fleet: Fleet, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, wanted)
    fleet.method(methods.of_version(sweep.method_version_id).manifest | {"type": "other"})
    play(cp, jobs_of(sweep)[0], 0.5)
    steps.advance(cp)
    assert runs.get(ada, cp, sweep.id).reason == "sweep_method_changed"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"varied": {}}, SweepWithoutChoice),
        ({"varied": {"steps": [10, 5000]}}, ParameterOutOfRange),
        ({"varied": {"steps": {"low": 0, "high": 10}}}, ParameterOutOfRange),
        ({"trials": 0}, FieldInvalid),
        ({"at_once": 0}, FieldInvalid),
        ({"objective": "beauty"}, FieldInvalid),
        ({"policy": Policy(priority=101)}, FieldInvalid),
        ({"method": "score"}, InputUnfit),
    ],
)
def test_bad_input_makes_nothing(
    cp: ControlPlane, ada: Actor, wanted: Wanted, changes: dict[str, Any], problem: type[TunesmithError]
) -> None:
    with pytest.raises(problem):
        begin(cp, ada, replace(wanted, **changes))
    assert SweepRecord.select().count() == 0


def test_results_are_compared_on_held_out_rows_alone(
    cp: ControlPlane, fleet: Fleet, ada: Actor, wanted: Wanted
) -> None:
    bare = wanted.inputs | {"dataset": int(fleet.dataset(test=False, name="bare").id)}
    with pytest.raises(HeldOutMissing):
        begin(cp, ada, replace(wanted, inputs=bare))
    assert begin(cp, ada, replace(wanted, inputs=bare, objective="reward")).objective == "reward"


def test_viewers_look_and_strangers_see_nothing(cp: ControlPlane, ada: Actor, wanted: Wanted) -> None:
    sweep = begin(cp, ada, wanted)
    viewer = Actor(kind="user", id="77", name="vera", roles={sweep.project_id: VIEWER})
    assert runs.progress(viewer, cp, sweep.id).sweep.id == sweep.id
    with pytest.raises(Denied):
        runs.cancel(viewer, cp, sweep.id)
    with pytest.raises(Denied):
        begin(cp, viewer, wanted)
    stranger = Actor(kind="user", id="78", name="sam", roles={})
    for ask in (runs.get, runs.progress, runs.cancel):
        with pytest.raises(NotFound):
            ask(stranger, cp, sweep.id)
