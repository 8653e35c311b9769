"""Random histories: whatever is repeated, late or lost, each job has one end and at most one result.

Each seed plays some hundred steps of machines that accept, report, upload, stall and repeat themselves, of people who
cancel, and of the control plane's ticks; the invariants are checked after each step.
"""

import random
from collections import Counter

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Fenced, JobOver, NotFound, SequenceGap
from control_plane.domain.lifecycle import ATTEMPT_OPEN, ATTEMPT_OVER, JOB_OVER, QUEUED, RUNNING, job_state
from control_plane.domain.permissions import Actor
from control_plane.services import jobs
from control_plane.services.fleet import attempts, scheduling
from control_plane.store.allocations import AllocationRecord
from control_plane.store.audit import AuditRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.models import ModelRecord
from fleet_support import Fleet, model_files, upload
from support import FakeClock

STATES = ("PREPARING", "RUNNING", "UPLOADING", "SUCCEEDED", "FAILED", "CANCELLED")
EXPECTED = (Fenced, NotFound, SequenceGap, JobOver)  # what a late or repeated call may be answered


class History:
    """One seed's play."""

    def __init__(self, cp: ControlPlane, fleet: Fleet, clock: FakeClock, seed: int) -> None:
        self.cp, self.fleet, self.clock, self.random = cp, fleet, clock, random.Random(seed)
        self.machines = {machine.id: machine for machine in (fleet.machine() for _ in range(2))}
        self.ends: dict[int, str] = {}
        self.refused = Counter[str]()

    def step(self) -> None:
        moves = [self.submit, self.plan, self.plan, self.accept, self.accept, self.report, self.cancel, self.tick]
        moves += [self.report] * 6 + [self.finish] * 2
        try:
            self.random.choice(moves)()
        except EXPECTED as refusal:
            self.refused[refusal.code] += 1

    def attempt(self) -> tuple[Actor, AttemptRecord]:
        """Any attempt there ever was, newer ones more often, and mostly its own machine."""
        rows = list(AttemptRecord.select().order_by(AttemptRecord.id.desc()).limit(6))
        if not rows:
            raise NotFound
        attempt = rows[min(int(self.random.expovariate(0.8)), len(rows) - 1)]
        foreign = self.random.random() < 0.05
        return self.machines[self.random.choice(list(self.machines)) if foreign else attempt.machine_id], attempt

    def submit(self) -> None:
        if JobRecord.select().where(JobRecord.state.in_((QUEUED, RUNNING))).count() < 4:
            jobs.submit(self.fleet.user, self.cp, "default", "bring")

    def plan(self) -> None:
        scheduling.run_pass(self.cp)

    def accept(self) -> None:
        machine, attempt = self.attempt()
        attempts.accept(machine, self.cp, attempt.id, attempt.fence + self.random.choice((0, 0, 0, 0, 1, -1)))

    def report(self) -> None:
        machine, attempt = self.attempt()
        sequence = attempt.sequence + self.random.choice((1, 1, 1, 1, 0, -1, 2))
        state = self.random.choice(STATES)
        attempts.report(machine, self.cp, attempt.id, attempt.fence, sequence, state, "trainer_crashed")

    def finish(self) -> None:
        """A machine that does all it should, unless it is too late."""
        machine, attempt = self.attempt()
        for state in ("RUNNING", "UPLOADING", "SUCCEEDED"):
            fresh = AttemptRecord.get_by_id(attempt.id)
            if state == "SUCCEEDED":
                upload(machine, self.cp, attempt, "model", model_files("base"))
            for _ in range(self.random.choice((1, 1, 2))):
                attempts.report(machine, self.cp, attempt.id, attempt.fence, fresh.sequence + 1, state)

    def cancel(self) -> None:
        rows = list(JobRecord.select().order_by(JobRecord.id.desc()).limit(3))
        if rows and self.random.random() < 0.4:
            jobs.cancel(self.fleet.user, self.cp, self.random.choice(rows).id)

    def tick(self) -> None:
        self.clock.advance(self.random.choice((1, 40, 400)))
        for machine in self.machines.values():
            if self.random.random() < 0.5:
                held = AttemptRecord.select().where(AttemptRecord.machine == machine.id)
                attempts.renew_leases(machine, self.cp, machine.id, [(one.id, one.fence) for one in held])
        attempts.expire_offers(self.cp)
        attempts.expire_leases(self.cp)

    def check(self) -> None:
        open_attempts = list(AttemptRecord.select().where(AttemptRecord.state.in_(ATTEMPT_OPEN)))
        parts = {one.id: one for one in AttemptPartRecord.select().where(AttemptPartRecord.state.in_(ATTEMPT_OPEN))}
        assert {(one.attempt_id, one.machine_id, one.state) for one in parts.values()} == {
            (one.id, one.machine_id, one.state) for one in open_attempts
        }
        promised = list(AllocationRecord.select())
        assert all(count == 1 for count in Counter((one.machine_id, one.device) for one in promised).values())
        assert {one.part_id for one in promised} == set(parts)
        assert all(count == 1 for count in Counter(one.job_id for one in open_attempts).values())
        for job in JobRecord.select():
            self.check_job(job, list(AttemptRecord.select().where(AttemptRecord.job == job.id)))

    def check_job(self, job: JobRecord, tried: list[AttemptRecord]) -> None:
        if job.id in self.ends:
            assert job.state == self.ends[job.id]  # an end is the end
        elif job.state in JOB_OVER:
            self.ends[job.id] = job.state
            assert job.ended_at > 0
        models = list(ModelRecord.select().where(ModelRecord.job == job.id))
        assert len(models) == (1 if job.state == "SUCCEEDED" else 0)
        assert job.fence == max((one.fence for one in tried), default=0)
        assert [one.fence for one in sorted(tried, key=lambda one: one.number)] == list(range(1, len(tried) + 1))
        if job.state == "SUCCEEDED":
            newest = max(tried, key=lambda one: one.fence)
            assert newest.state == "SUCCEEDED" and all(one.state in ATTEMPT_OVER for one in tried)
        for one in tried:
            if one.state in ATTEMPT_OPEN:
                assert job.state == job_state(one.state)


@pytest.mark.parametrize("seed", range(6))
def test_random_histories_keep_the_invariants(cp: ControlPlane, fleet: Fleet, clock: FakeClock, seed: int) -> None:
    history = History(cp, fleet, clock, seed)
    for _ in range(150):
        history.step()
        history.check()
    assert history.ends  # something did end
    assert history.refused  # and something did come too late
    told = Counter(entry.action for entry in AuditRecord.select())
    states = Counter(f"attempt.{row.state.lower()}" for row in AttemptRecord.select() if row.state in ATTEMPT_OVER)
    assert all(told[action] == count for action, count in states.items())


def test_the_histories_reach_each_end(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    history = History(cp, fleet, clock, seed=99)
    for _ in range(400):
        history.step()
    assert {row.state for row in JobRecord.select()} >= JOB_OVER
    assert {"LOST", "DECLINED"} <= {row.state for row in AttemptRecord.select()}
