"""Offers, leases and reports: who may say what, and what comes of it."""

import json
from dataclasses import replace

import pytest
from peewee import OperationalError

from control_plane.context import ControlPlane
from control_plane.domain.errors import Fenced, NotFound, SequenceGap
from control_plane.domain.leases import Steadiness
from control_plane.domain.matching import Grant
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.policies import Policy
from control_plane.domain.presence import Held
from control_plane.services import jobs, transitions
from control_plane.services.fleet import attempts, events, machines, offers, scheduling
from control_plane.store.allocations import AllocationRecord
from control_plane.store.database import transaction
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, EventRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.wording import say
from fleet_support import GIB, Fleet, model_files, report, succeed, upload
from support import FakeClock


def offered(fleet: Fleet) -> AttemptRecord:
    """A job's first attempt, offered to the only machine."""
    job = jobs.submit(fleet.user, fleet.cp, "default", "bring")
    assert scheduling.run_pass(fleet.cp) == 1
    return fleet.attempt(job.id)


def running(fleet: Fleet, machine: Actor) -> AttemptRecord:
    attempt = offered(fleet)
    attempts.accept(machine, fleet.cp, attempt.id, attempt.fence)
    report(machine, fleet.cp, attempt, "RUNNING")
    return attempt


def job_of(attempt: AttemptRecord) -> JobRecord:
    return JobRecord.get_by_id(attempt.job_id)


def state(attempt: AttemptRecord) -> str:
    return AttemptRecord.get_by_id(attempt.id).state


def test_accepting_begins_the_lease_and_may_be_repeated(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    attempt = offered(fleet)
    assert attempts.accept(machine, cp, attempt.id, attempt.fence) == cp.settings.lease_server_seconds
    clock.advance(10)
    assert attempts.accept(machine, cp, attempt.id, attempt.fence) == cp.settings.lease_server_seconds - 10
    assert (state(attempt), job_of(attempt).state) == ("PREPARING", "RUNNING")


def test_what_a_trainer_held_at_most_is_kept(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "UPLOADING", peak_bytes=3 * GIB)
    assert AttemptRecord.get_by_id(attempt.id).peak_memory_bytes == 3 * GIB


def test_a_laptop_has_the_longer_lease(cp: ControlPlane, fleet: Fleet) -> None:
    laptop = fleet.machine(machine_class="laptop")
    attempt = offered(fleet)
    assert attempts.accept(laptop, cp, attempt.id, attempt.fence) == cp.settings.lease_laptop_seconds


def test_another_machine_and_another_fence(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = offered(fleet)
    other = fleet.machine()
    with pytest.raises(NotFound):
        attempts.accept(other, cp, attempt.id, attempt.fence)
    with pytest.raises(NotFound):
        attempts.accept(fleet.user, cp, attempt.id, attempt.fence)
    with pytest.raises(Fenced):
        attempts.accept(machine, cp, attempt.id, attempt.fence + 1)
    assert state(attempt) == "OFFERED"


def test_a_declined_job_goes_elsewhere(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    attempt = offered(fleet)
    attempts.decline(machine, cp, attempt.id, attempt.fence, "disk_full", {"free": 1})
    attempts.decline(machine, cp, attempt.id, attempt.fence, "disk_full")  # twice is harmless
    assert (state(attempt), job_of(attempt).state, job_of(attempt).lost_attempts) == ("DECLINED", "QUEUED", 0)
    assert scheduling.run_pass(cp) == 0  # not the same machine at once
    assert job_of(attempt).waiting_code == "machines_refused"
    other = fleet.machine()
    assert scheduling.run_pass(cp) == 1
    assert fleet.attempt(attempt.job_id).machine_id == other.id


def test_an_unanswered_offer_ends_and_is_made_again_later(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    attempt = offered(fleet)
    assert attempts.expire_offers(cp) == 0
    clock.advance(cp.settings.offer_seconds + 1)
    assert attempts.expire_offers(cp) == 1
    with pytest.raises(Fenced):
        attempts.accept(machine, cp, attempt.id, attempt.fence)
    clock.advance(cp.settings.offer_seconds + 1)
    assert scheduling.run_pass(cp) == 1
    assert fleet.attempt(attempt.job_id).fence == attempt.fence + 1


def test_reports_are_numbered(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    with pytest.raises(SequenceGap):
        attempts.report(machine, cp, attempt.id, attempt.fence, 3, "UPLOADING")
    assert attempts.report(machine, cp, attempt.id, attempt.fence, 2, "FAILED", "trainer_crashed") == "FAILED"
    assert attempts.report(machine, cp, attempt.id, attempt.fence, 2, "FAILED", "other") == "FAILED"
    assert attempts.report(machine, cp, attempt.id, attempt.fence, 1, "RUNNING") == "FAILED"
    with pytest.raises(Fenced):
        attempts.report(machine, cp, attempt.id, attempt.fence, 3, "RUNNING")
    job = job_of(attempt)
    assert (job.state, job.reason) == ("FAILED", "trainer_crashed")


def test_a_state_never_goes_back(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "UPLOADING")
    assert report(machine, cp, attempt, "RUNNING") == "UPLOADING"
    assert report(machine, cp, attempt, "PREPARING") == "UPLOADING"
    assert report(machine, cp, attempt, "LOST") == "UPLOADING"
    assert report(machine, cp, attempt, "SUCCEDED") == "UPLOADING"


def test_the_stage_of_preparing_is_shown(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = offered(fleet)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    before = job_of(attempt).version
    assert report(machine, cp, attempt, "PREPARING", stage="environment") == "PREPARING"
    assert AttemptRecord.get_by_id(attempt.id).stage == "environment" and job_of(attempt).version > before


def test_success_without_the_promised_output_is_a_failure(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "UPLOADING")
    assert report(machine, cp, attempt, "SUCCEEDED") == "FAILED"
    assert (job_of(attempt).reason, job_of(attempt).reason_params) == ("output_missing", {"output": "model"})
    assert ModelRecord.select().count() == 0


@pytest.mark.parametrize("card", [b"{", b"[]", b'{"form": "gguf"}', None])
def test_success_with_an_unreadable_output_is_a_failure(cp: ControlPlane, fleet: Fleet, card: bytes | None) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "UPLOADING")
    upload(machine, cp, attempt, "model", {"model.json": card} if card else {"other.json": b"{}"})
    assert report(machine, cp, attempt, "SUCCEEDED") == "FAILED"
    assert job_of(attempt).reason == "output_unreadable" and ModelRecord.select().count() == 0


def test_the_device_is_free_again_at_the_end(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = offered(fleet)
    part = AttemptPartRecord.get(AttemptPartRecord.attempt == attempt.id)
    assert [(one.part_id, one.device, one.exclusive) for one in AllocationRecord.select()] == [(part.id, "cpu:0", True)]
    succeed(machine, cp, attempt, {"model": model_files("base")})
    assert AllocationRecord.select().count() == 0


def test_a_lost_machine_does_not_fail_the_job(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    checkpoint = upload(machine, cp, attempt, "checkpoint:20", {"state.json": b"{}"})
    clock.advance(cp.settings.lease_server_seconds + 1)
    assert attempts.expire_leases(cp) == 1
    assert (state(attempt), job_of(attempt).state, job_of(attempt).lost_attempts) == ("LOST", "QUEUED", 1)
    for write in (
        lambda: report(machine, cp, attempt, "UPLOADING"),
        lambda: events.append(machine, cp, attempt.id, attempt.fence, [(1, "{}")]),
        lambda: upload(machine, cp, attempt, "model", model_files("base")),
    ):
        with pytest.raises(Fenced):
            write()
    assert scheduling.run_pass(cp) == 1
    again = fleet.attempt(attempt.job_id)
    resume = offers.offer_of(cp, again).resume
    assert checkpoint and resume is not None and [file.path for file in resume.files] == ["state.json"]
    assert succeed(machine, cp, again, {"model": model_files("base")}) == "SUCCEEDED"


def test_a_job_that_loses_every_machine_is_suspect(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    for _ in range(cp.settings.max_lost_attempts):
        assert scheduling.run_pass(cp) == 1
        attempt = fleet.attempt(job.id)
        attempts.accept(machine, cp, attempt.id, attempt.fence)
        clock.advance(cp.settings.lease_server_seconds + 1)
        assert attempts.expire_leases(cp) == 1
    failed = JobRecord.get_by_id(job.id)
    assert (failed.state, failed.reason, failed.reason_params) == ("FAILED", "machines_lost", {"count": 3})


def test_a_refusal_is_kept_in_each_language_that_the_method_speaks(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    method = MethodVersionRecord.get_by_id(job_of(attempt).method_version_id)
    method.manifest = method.manifest | {"messages": {"too_hot": {"de": "Zu heiß: {degrees}", "zh": "太热：{degrees}"}}}
    method.save()
    report(machine, cp, attempt, "FAILED", reason="too_hot", params={"degrees": 90, "text": "Too hot: 90"})
    stored = job_of(attempt)
    said = {locale: say(stored.reason, stored.reason_params, locale) for locale in ("en", "de", "zh")}
    assert said == {"en": "Too hot: 90", "de": "Zu heiß: 90", "zh": "太热：90"}


@pytest.mark.parametrize("text", [{"de": "{degrees!x}"}, ["No."], 3])
def test_what_a_machine_says_is_text_whatever_it_sends(cp: ControlPlane, fleet: Fleet, text: object) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "FAILED", reason="odd", params={"text": text})
    assert say("odd", job_of(attempt).reason_params, "de") == str(text)


def test_a_restarted_machine_is_not_the_jobs_fault(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "FAILED", reason="agent_restarted")
    assert (state(attempt), job_of(attempt).state, job_of(attempt).lost_attempts) == ("FAILED", "QUEUED", 1)


def test_a_job_whose_end_was_asked_for_is_not_queued_again(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    jobs.cancel(fleet.user, cp, attempt.job_id)
    clock.advance(cp.settings.lease_server_seconds + 1)
    attempts.expire_leases(cp)
    assert job_of(attempt).state == "CANCELLED"


def test_cancelling_takes_back_an_offer(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = offered(fleet)
    assert jobs.cancel(fleet.user, cp, attempt.job_id).state == "CANCELLED"
    with pytest.raises(Fenced):
        attempts.accept(machine, cp, attempt.id, attempt.fence)
    assert AllocationRecord.select().count() == 0


def test_heartbeats_renew_leases(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    clock.advance(200)
    (lease,) = attempts.renew_leases(machine, cp, machine.id, [Held(attempt.id, attempt.fence), Held(999, 1)])
    assert (lease.attempt_id, lease.seconds_left) == (attempt.id, cp.settings.lease_server_seconds)
    clock.advance(200)
    assert attempts.expire_leases(cp) == 0
    assert attempts.renew_leases(machine, cp, machine.id, [Held(attempt.id, attempt.fence + 1)]) == []


def test_leases_hold_for_a_while_after_a_start(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    clock.advance(3600)  # the control plane was down
    attempts.hold_leases(cp)
    assert attempts.expire_leases(cp) == 0
    clock.advance(cp.settings.lease_grace_seconds + 1)
    assert attempts.expire_leases(cp) == 1
    assert state(attempt) == "LOST"


def test_leases_do_not_end_because_the_control_plane_slept_or_its_clock_was_set(
    cp: ControlPlane, fleet: Fleet, clock: FakeClock
) -> None:
    attempt = running(fleet, fleet.machine())
    elapsed = FakeClock(0.0)
    cp = replace(cp, steadiness=Steadiness(elapsed))
    assert attempts.watch_leases(cp) == 0
    for wall, passed in ((3600, 3600), (3600, 1), (-3600, 1)):  # asleep; the clock set forth; and back
        clock.advance(wall)
        elapsed.advance(passed)
        assert attempts.watch_leases(cp) == 0
        elapsed.advance(1)
        clock.advance(1)
        assert attempts.watch_leases(cp) == 0 and state(attempt) == "RUNNING"


def test_a_locked_machine_loses_what_it_holds_at_once_and_no_job_is_blamed(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    machines.revoke(SYSTEM, cp, machine.id)
    job = job_of(attempt)
    assert (state(attempt), job.state, job.lost_attempts) == ("LOST", "QUEUED", 0)
    other = fleet.machine()
    scheduling.run_pass(cp)
    assert fleet.attempt(job.id).machine_id == other.id


def test_locking_any_machine_of_a_gang_ends_its_attempt_and_the_first_is_told(cp: ControlPlane, fleet: Fleet) -> None:
    first, second = fleet.machine(), fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    grants = [Grant(one.id, "cpu:0", GIB, exclusive=True) for one in (first, second)]
    with transaction():
        attempt = transitions.offer(SYSTEM, cp, job, MachineRecord.get_by_id(first.id), grants)
    assert attempt is not None
    attempts.accept(first, cp, attempt.id, attempt.fence)
    seen = cp.signals.version(f"machine:{first.id}")
    machines.revoke(SYSTEM, cp, second.id)
    assert (state(attempt), job_of(attempt).state, job_of(attempt).lost_attempts) == ("LOST", "QUEUED", 0)
    assert {part.state for part in AttemptPartRecord.select()} == {"LOST"} and not AllocationRecord.select().exists()
    assert cp.signals.version(f"machine:{first.id}") > seen
    held = [Held(attempt.id, attempt.fence)]
    assert attempts.verdicts(first, cp, first.id, held)[0].verdict == "stop"


def test_the_owner_says_when_and_how_a_job_is_lost(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring", policy=Policy(lost_after=30, when_lost="fail"))
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    assert attempts.accept(machine, cp, attempt.id, attempt.fence) == 30
    clock.advance(20)
    attempts.renew_leases(machine, cp, machine.id, [(attempt.id, attempt.fence)])
    clock.advance(20)
    assert attempts.expire_leases(cp) == 0
    clock.advance(31)
    assert attempts.expire_leases(cp) == 1
    assert (job_of(attempt).state, job_of(attempt).reason) == ("FAILED", "machines_lost")


def test_a_preempted_attempt_costs_no_retry(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    with transaction():
        assert transitions.preempt(SYSTEM, cp, attempt) and not transitions.preempt(SYSTEM, cp, attempt)
    report(machine, cp, attempt, "PREEMPTED")
    job = job_of(attempt)
    assert (state(attempt), job.state, job.lost_attempts) == ("PREEMPTED", "QUEUED", 0)
    assert AllocationRecord.select().count() == 0


def test_nobody_is_lost_when_most_of_the_fleet_falls_silent(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machines = [fleet.machine() for _ in range(4)]
    attempt = offered(fleet)
    holder = next(one for one in machines if one.id == attempt.machine_id)
    attempts.accept(holder, cp, attempt.id, attempt.fence)
    clock.advance(cp.settings.lease_server_seconds + 1)
    assert attempts.expire_leases(cp) == 0
    others = [one.id for one in machines if one.id != holder.id]
    MachineRecord.update(last_seen=clock.now).where(MachineRecord.id.in_(others)).execute()
    assert attempts.expire_leases(cp) == 1


def test_verdicts(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    held = [Held(attempt.id, attempt.fence), Held(attempt.id, attempt.fence - 1), Held(999, 1)]
    assert [one.verdict for one in attempts.verdicts(machine, cp, machine.id, held)] == ["continue", "stop", "stop"]
    assert attempts.verdicts(fleet.machine(), cp, fleet.machine().id, held[:1])[0].verdict == "stop"
    report(machine, cp, attempt, "FAILED", reason="trainer_crashed")
    assert attempts.verdicts(machine, cp, machine.id, held[:1])[0].verdict == "upload_only"


def test_what_a_new_session_does_not_know_is_lost_at_once(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    attempts.lose_unheld(machine, cp, machine.id, [Held(attempt.id, attempt.fence)])
    assert state(attempt) == "RUNNING"
    attempts.lose_unheld(machine, cp, machine.id, [])
    assert (state(attempt), job_of(attempt).state) == ("LOST", "QUEUED")


def test_events_are_stored_once_and_in_order(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    attempt = running(fleet, machine)
    line = json.dumps({"kind": "progress", "time": 1, "step": 1, "steps": 2})

    def append(*numbers: int) -> int:
        return events.append(machine, cp, attempt.id, attempt.fence, [(number, line) for number in numbers])

    assert append(1, 2) == 2
    assert append(2, 1) == 2
    assert append(4) == 2  # a gap
    assert append(3, 2, 5) == 3
    assert EventRecord.select().count() == 3
    assert append(*range(4, 1000)) == 999


def test_a_move_of_an_old_fence_changes_nothing(cp: ControlPlane, fleet: Fleet) -> None:
    attempt = running(fleet, fleet.machine())
    JobRecord.update(fence=attempt.fence + 1).where(JobRecord.id == attempt.job_id).execute()
    with pytest.raises(Fenced), transaction():
        transitions.move(fleet.user, cp, attempt, "FAILED")
    assert state(attempt) == "RUNNING"


MACHINE_FAULTS = [("agent_error", {"problem": "OSError"}), ("disk_full", {"needed": 7, "free": 5})]


@pytest.mark.parametrize(("reason", "params"), MACHINE_FAULTS)
def test_a_fault_of_the_machine_is_not_the_jobs_and_the_job_goes_elsewhere(
    cp: ControlPlane, fleet: Fleet, clock: FakeClock, reason: str, params: dict[str, object]
) -> None:
    attempt = running(fleet, machine := fleet.machine())
    report(machine, cp, attempt, "FAILED", reason=reason, params=params)
    assert (state(attempt), job_of(attempt).state, job_of(attempt).lost_attempts) == ("FAILED", "QUEUED", 1)
    assert scheduling.run_pass(cp) == 0 and job_of(attempt).waiting_code == "machines_refused"
    clock.advance(cp.settings.offer_seconds + 1)
    assert scheduling.run_pass(cp) == 0
    other = fleet.machine()
    assert scheduling.run_pass(cp) == 1
    again = fleet.attempt(attempt.job_id)
    assert again.machine_id == other.id
    assert succeed(other, cp, again, {"model": model_files("base")}) == "SUCCEEDED"


@pytest.mark.parametrize(("reason", "params"), MACHINE_FAULTS)
def test_a_fault_that_every_machine_has_ends_the_job_in_its_own_words(
    cp: ControlPlane, fleet: Fleet, clock: FakeClock, reason: str, params: dict[str, object]
) -> None:
    """The only machine is asked again after a while: somebody may have mended it."""
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    for _ in range(cp.settings.max_lost_attempts):
        assert scheduling.run_pass(cp) == 1
        attempt = fleet.attempt(job.id)
        attempts.accept(machine, cp, attempt.id, attempt.fence)
        report(machine, cp, attempt, "FAILED", reason=reason, params=params)
        clock.advance(cp.settings.avoid_seconds + 1)
    failed = JobRecord.get_by_id(job.id)
    assert (failed.state, failed.reason, failed.reason_params) == ("FAILED", reason, params)


@pytest.mark.parametrize("place", ["models.read", "models.register"])
def test_a_report_that_meets_a_defect_each_time_ends_the_attempt(
    cp: ControlPlane, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def defect(*_: object) -> None:
        raise StopIteration

    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "UPLOADING")
    upload(machine, cp, attempt, "model", model_files("base"))
    monkeypatch.setattr(f"control_plane.services.{place}", defect)
    for _ in range(2):
        with pytest.raises(StopIteration):
            report(machine, cp, attempt, "SUCCEEDED")
        assert state(attempt) == "UPLOADING"
    number = AttemptRecord.get_by_id(attempt.id).sequence + 1
    assert report(machine, cp, attempt, "SUCCEEDED") == "FAILED"
    failed = job_of(attempt)
    assert (failed.state, failed.reason) == ("FAILED", "control_plane_error")
    assert attempts.report(machine, cp, attempt.id, attempt.fence, number, "SUCCEEDED") == "FAILED"  # it was taken
    assert not cp.report_faults and AllocationRecord.select().count() == 0
    assert len({say(failed.reason, {}, locale) for locale in ("en", "de", "zh")}) == 3


@pytest.mark.parametrize("problem", [OSError(28, "full"), OperationalError("database is locked")])
def test_a_full_disk_of_the_control_plane_ends_no_attempt(
    cp: ControlPlane, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def full(*_: object) -> None:
        raise problem

    machine = fleet.machine()
    attempt = running(fleet, machine)
    report(machine, cp, attempt, "UPLOADING")
    upload(machine, cp, attempt, "model", model_files("base"))
    with monkeypatch.context() as patched:
        patched.setattr("control_plane.services.models.read", full)
        for _ in range(5):
            with pytest.raises(type(problem)):
                report(machine, cp, attempt, "SUCCEEDED")
    assert report(machine, cp, attempt, "SUCCEEDED") == "SUCCEEDED"
