"""Machines: connectivity by silence, drain, instructions that follow from the store, who may do what."""

from __future__ import annotations

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, FieldInvalid, NotFound, Superseded, VersionRefused
from control_plane.domain.permissions import SYSTEM, VIEWER, Actor
from control_plane.domain.presence import Heartbeat, Hello
from control_plane.domain.versions import check
from control_plane.services import jobs
from control_plane.services.fleet import enrollment, machines, scheduling
from control_plane.services.fleet.enrollment import create_join_token
from control_plane.store.audit import AuditRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.wording import say
from fleet_support import make_fleet
from link_support import new_key, signing_request
from support import FakeClock

NOBODY = Actor(kind="user", id="2", name="nobody")
LOOKER = Actor(kind="user", id="3", name="viewer", roles={1: VIEWER})


def join(cp: ControlPlane, machine_class: str = "server") -> Actor:
    token, _ = create_join_token(SYSTEM, cp, machine_class)
    made = enrollment.enroll(cp, token, signing_request(new_key()), "bench", "0.1.0")
    return Actor(kind="machine", id=made.machine_id, name="bench")


def hello(cp: ControlPlane, actor: Actor) -> int:
    return machines.hello(actor, cp, Hello("0.1.0", "boot", {"hostname": "bench"}, ())).epoch


def connectivity(actor: Actor) -> str:
    return str(MachineRecord.get_by_id(actor.id).connectivity)


@pytest.mark.parametrize(("machine_class", "stale", "disconnected"), [("server", 30, 60), ("laptop", 60, 120)])
def test_silence_shows_by_the_limits_of_the_class(
    cp: ControlPlane, clock: FakeClock, machine_class: str, stale: int, disconnected: int
) -> None:
    machine = join(cp, machine_class)
    epoch = hello(cp, machine)
    seen = []
    for silence in (stale, stale + 1, disconnected, disconnected + 1):
        clock.now = MachineRecord.get_by_id(machine.id).last_seen + silence
        machines.mark_connectivity(cp)
        seen.append(connectivity(machine))
    assert seen == ["ONLINE", "STALE", "STALE", "DISCONNECTED"]
    machines.heartbeat(machine, cp, Heartbeat(epoch, {}, (), ()))
    assert connectivity(machine) == "ONLINE"


def test_a_machine_that_sleeps_is_not_called_silent(cp: ControlPlane, clock: FakeClock) -> None:
    machine = join(cp)
    machines.goodbye(machine, cp, hello(cp, machine), "sleep")
    clock.advance(10_000)
    machines.mark_connectivity(cp)
    assert connectivity(machine) == "ASLEEP"


def test_only_silence_that_changes_something_wakes_anybody(cp: ControlPlane, clock: FakeClock) -> None:
    machine = join(cp)
    hello(cp, machine)
    before = cp.signals.version("fleet")
    machines.mark_connectivity(cp)
    assert cp.signals.version("fleet") == before
    clock.advance(31)
    machines.mark_connectivity(cp)
    assert cp.signals.version("fleet") > before


def test_an_older_session_changes_nothing(cp: ControlPlane) -> None:
    machine = join(cp)
    old = hello(cp, machine)
    hello(cp, machine)
    with pytest.raises(Superseded):
        machines.heartbeat(machine, cp, Heartbeat(old, {"hostname": "stale"}, (), ()))
    with pytest.raises(Superseded):
        machines.instructions(machine, cp, old)
    assert MachineRecord.get_by_id(machine.id).inventory == {"hostname": "bench"}


def test_drain_stands_until_it_is_taken_back(cp: ControlPlane) -> None:
    machine = join(cp)
    epoch = hello(cp, machine)
    machines.drain(SYSTEM, cp, machine.id)
    assert [one.key for one in machines.instructions(machine, cp, epoch)] == ["drain"]
    assert machines.instructions(machine, cp, epoch, {"drain"}) == []
    machines.undrain(SYSTEM, cp, machine.id)
    assert machines.instructions(machine, cp, epoch) == []
    actions = [entry.action for entry in AuditRecord.select().order_by(AuditRecord.id)]
    assert actions[-2:] == ["machine.drain", "machine.undrain"]


def test_who_may_do_what(cp: ControlPlane) -> None:
    machine = join(cp)
    assert [one.id for one in machines.list_machines(LOOKER, cp)] == [machine.id]
    assert machines.get(LOOKER, cp, machine.id).name == "bench"
    with pytest.raises(Denied):
        machines.list_machines(NOBODY, cp)
    for change in (machines.drain, machines.undrain, machines.revoke):
        with pytest.raises(Denied):
            change(LOOKER, cp, machine.id)
        with pytest.raises(NotFound):
            change(SYSTEM, cp, "no such machine")
    with pytest.raises(Denied):
        create_join_token(LOOKER, cp, "server")


@pytest.mark.parametrize(("machine_class", "seconds"), [("mainframe", 60.0), ("server", 3_601.0), ("server", -1.0)])
def test_join_tokens_are_for_known_classes_and_an_hour_at_most(
    cp: ControlPlane, machine_class: str, seconds: float
) -> None:
    with pytest.raises(FieldInvalid):
        create_join_token(SYSTEM, cp, machine_class, seconds)


@pytest.mark.parametrize("agent", ["0.4.0", "0.4", "0.3.9", "0.1.7"])
def test_agents_that_are_welcome(agent: str) -> None:
    check(agent, "0.4.0")


@pytest.mark.parametrize("agent", ["0.4.1", "0.5.0", "1.0.0", "0.0.9", "", "newest", "0.x"])
def test_agents_that_are_not(agent: str) -> None:
    with pytest.raises(VersionRefused):
        check(agent, "0.4.0")


def test_an_offer_that_cannot_be_built_fails_its_job_and_keeps_nothing_else_back(cp: ControlPlane) -> None:
    fleet = make_fleet(cp)
    machine = fleet.machine()
    lost = jobs.submit(fleet.user, cp, "default", "bring")
    assert scheduling.run_pass(cp) == 1
    JobRecord.update(inputs={"dataset": {"kind": "dataset", "id": 99}}).where(JobRecord.id == lost.id).execute()
    machines.drain(SYSTEM, cp, machine.id)
    assert [one.key for one in machines.instructions(machine, cp, 1)] == ["drain"]
    failed = JobRecord.get_by_id(lost.id)
    assert (failed.state, failed.reason) == ("FAILED", "offer_unbuildable")
    assert len({say(failed.reason, failed.reason_params, locale) for locale in ("en", "de", "zh")}) == 3
    actions = [entry.action for entry in AuditRecord.select().order_by(AuditRecord.id)]
    assert actions[-1] == "attempt.failed"
    machines.undrain(SYSTEM, cp, machine.id)
    jobs.submit(fleet.user, cp, "default", "bring")
    assert scheduling.run_pass(cp) == 1  # the device is free again
    assert len(machines.instructions(machine, cp, 1)) == 1


def test_an_offer_that_cannot_be_read_just_now_stands(cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(*_: object) -> None:
        raise OSError(5, "Input/output error")

    fleet = make_fleet(cp)
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    assert scheduling.run_pass(cp) == 1
    with monkeypatch.context() as patched:
        patched.setattr("control_plane.services.fleet.offers.offer_of", unreadable)
        assert machines.instructions(machine, cp, 1) == []
    assert JobRecord.get_by_id(job.id).state == "QUEUED" and len(machines.instructions(machine, cp, 1)) == 1
