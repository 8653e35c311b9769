"""Heartbeats are kept in memory and written behind: few statements, no commit, nothing lost that matters."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Superseded
from control_plane.domain.presence import Heartbeat, Hello
from control_plane.fleet import Fleet as Presences
from control_plane.services import jobs
from control_plane.services.fleet import attempts, machines, scheduling, snapshots
from control_plane.store.database import database
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord
from control_plane.store.machines import MachineRecord
from fleet_support import GIB, Fleet, inventory_of
from support import FakeClock


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch, cp: ControlPlane) -> list[str]:
    """Every statement from here on."""
    seen: list[str] = []
    execute: Callable[..., object] = database.obj.execute_sql
    monkeypatch.setattr(database.obj, "execute_sql", lambda sql, *given: seen.append(sql) or execute(sql, *given))
    return seen


def beat(cp: ControlPlane, machine: object, epoch: int, held: tuple[tuple[int, int], ...] = (), **figures: int) -> None:
    inventory = inventory_of(16 * GIB) | figures
    machines.heartbeat(machine, cp, Heartbeat(epoch, inventory, held, ()))  # type: ignore[arg-type]


def begin(cp: ControlPlane, machine: object) -> int:
    return machines.hello(machine, cp, Hello("0.1.0", "boot", inventory_of(16 * GIB), ())).epoch  # type: ignore[arg-type]


def test_a_heartbeat_without_news_writes_nothing_and_wakes_nobody(
    cp: ControlPlane, fleet: Fleet, clock: FakeClock, statements: list[str]
) -> None:
    machine = fleet.machine()
    epoch = begin(cp, machine)
    seen = {topic: cp.signals.version(topic) for topic in ("fleet", "schedule", f"machine:{machine.id}")}
    clock.advance(10)
    statements.clear()
    beat(cp, machine, epoch, memory_free=5 * GIB)
    assert not [sql for sql in statements if not sql.lstrip("(").startswith("SELECT")]
    assert len(statements) <= 1, statements  # one question finds that nothing stands
    assert seen == {topic: cp.signals.version(topic) for topic in seen}
    beat(cp, machine, epoch, memory_total=32 * GIB)  # that is news
    assert cp.signals.version("fleet") > seen["fleet"]


def test_the_pace_follows_how_many_are_here(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    object.__setattr__(cp.settings, "heartbeats_per_second", 0.1)
    fleet_of = [fleet.machine() for _ in range(4)]
    epochs = [begin(cp, machine) for machine in fleet_of]
    assert machines.heartbeat_seconds(cp) == 40
    begin(cp, fleet_of[0])  # again: it is no further machine
    machines.goodbye(fleet_of[1], cp, epochs[1], "shutdown")
    assert machines.heartbeat_seconds(cp) == 30
    beat(cp, fleet_of[1], epochs[1])
    assert machines.heartbeat_seconds(cp) == 40
    clock.advance(400)
    machines.mark_connectivity(cp)
    assert machines.heartbeat_seconds(cp) == cp.settings.heartbeat_seconds  # nobody is here


def test_what_was_heard_is_written_together_and_read_at_once(
    cp: ControlPlane, fleet: Fleet, clock: FakeClock, statements: list[str]
) -> None:
    fleet_of = [fleet.machine() for _ in range(5)]
    epochs = [begin(cp, machine) for machine in fleet_of]
    machines.write_presence(cp)
    clock.advance(10)
    for machine, epoch in zip(fleet_of, epochs, strict=True):
        beat(cp, machine, epoch, disk_free=7)
    assert [machines.get(fleet.user, cp, one.id).inventory["disk_free"] for one in fleet_of] == [7] * 5
    assert {one.disk_free for one in snapshots.machines(cp)} == {7}
    assert 7 not in {row.inventory["disk_free"] for row in MachineRecord.select()}
    statements.clear()
    machines.write_presence(cp)
    assert len([sql for sql in statements if sql.startswith("BEGIN")]) <= 1
    assert {(row.inventory["disk_free"], row.last_seen) for row in MachineRecord.select()} == {(7, clock.now)}
    statements.clear()
    machines.write_presence(cp)  # nothing new
    assert statements == []


def test_a_lease_is_renewed_in_memory_and_outlives_a_crash(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    epoch = begin(cp, machine)
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    for _ in range(3):
        clock.advance(200)
        beat(cp, machine, epoch, ((attempt.id, attempt.fence),))
        assert attempts.expire_leases(cp) == 0
    assert AttemptPartRecord.get().lease_until < clock.now  # not written yet
    machines.write_presence(cp)
    assert AttemptPartRecord.get().lease_until == clock.now + cp.settings.lease_server_seconds
    clock.advance(290)
    beat(cp, machine, epoch, ((attempt.id, attempt.fence),))
    object.__setattr__(cp, "fleet", Presences())  # kill -9: what was not written is gone
    clock.advance(20)
    attempts.hold_leases(cp)
    machines.load_presence(cp)
    assert attempts.expire_leases(cp) == 0
    assert AttemptRecord.get_by_id(attempt.id).state == "PREPARING"
    beat(cp, machine, epoch, ((attempt.id, attempt.fence),))  # the same session goes on
    with pytest.raises(Superseded):
        beat(cp, machine, epoch - 1)


def test_a_late_hello_does_not_undo_a_newer_session(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    late = cp.fleet.arrive()
    epoch = begin(cp, machine)
    assert not cp.fleet.open(machine.id, late)
    beat(cp, machine, epoch)


def test_a_larger_fleet_reports_itself_more_rarely_and_is_given_more_time(
    cp: ControlPlane, fleet: Fleet, clock: FakeClock
) -> None:
    assert machines.heartbeat_seconds(cp) == 10
    machine = fleet.machine()
    epoch = begin(cp, machine)
    for number in range(1_000):
        presence = cp.fleet.get(machine.id)
        assert presence is not None
        cp.fleet.put(f"m{number}", presence)
    assert machines.heartbeat_seconds(cp) == pytest.approx(20, abs=0.1)
    beat(cp, machine, epoch)
    clock.advance(50)  # beyond the usual 30 seconds, within three of its own heartbeats
    machines.mark_connectivity(cp)
    assert MachineRecord.get_by_id(machine.id).connectivity == "ONLINE"
    clock.advance(20)
    machines.mark_connectivity(cp)
    assert MachineRecord.get_by_id(machine.id).connectivity == "STALE"


def test_an_idle_pass_reads_no_machine(cp: ControlPlane, fleet: Fleet, statements: list[str]) -> None:
    fleet.machine()
    scheduling.run_pass(cp)
    statements.clear()
    scheduling.run_pass(cp)
    assert not [sql for sql in statements if "inventory" in sql], statements
