"""The scheduler's pass against the store."""

import pytest
from peewee import IntegrityError

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid
from control_plane.domain.matching import Grant, Machine, Plan, Snapshot, plan
from control_plane.domain.permissions import SYSTEM
from control_plane.domain.policies import Policy
from control_plane.domain.presence import Heartbeat, Hello
from control_plane.services import jobs, methods, transitions
from control_plane.services.fleet import attempts, machines, scheduling, snapshots
from control_plane.store.allocations import AllocationRecord
from control_plane.store.database import transaction
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.projects import ProjectRecord
from fleet_support import GIB, Fleet, inventory_of, manifest, model_files, report, succeed
from support import FakeClock

OUTPUT = {"model": {"kind": "model", "form": "base", "path": "base"}}


def grant(machine: MachineRecord, device: str, exclusive: bool) -> Grant:
    return Grant(machine.id, device, GIB, exclusive)


def waiting(job: JobRecord) -> str:
    return JobRecord.get_by_id(job.id).waiting_code


def test_why_a_job_waits_is_stored_and_told(cp: ControlPlane, fleet: Fleet) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    assert waiting(job) == "not_planned"
    seen = cp.signals.version(f"job:{job.id}")
    scheduling.run_pass(cp)
    assert waiting(job) == "no_machine" and cp.signals.version(f"job:{job.id}") > seen
    unchanged = JobRecord.get_by_id(job.id).version
    scheduling.run_pass(cp)
    assert JobRecord.get_by_id(job.id).version == unchanged
    machine = fleet.machine()
    woken = cp.signals.version(f"machine:{machine.id}")
    assert scheduling.run_pass(cp) == 1
    assert waiting(job) == "offered" and cp.signals.version(f"machine:{machine.id}") > woken


def test_a_value_that_needs_another_platform_waits_for_it(cp: ControlPlane, fleet: Fleet) -> None:
    fleet.machine()
    version = methods.get(fleet.user, cp, "bring")
    steps = version.manifest["parameters"]["properties"]["steps"] | {"x-platforms": {"7": ["cuda"]}}
    version.manifest["parameters"]["properties"]["steps"] = steps
    version.save()
    narrow, usual = (jobs.submit(fleet.user, cp, "default", "bring", parameters={"steps": n}) for n in (7, 8))
    assert scheduling.run_pass(cp) == 1
    assert (waiting(narrow), waiting(usual)) == ("no_platform", "offered")


def test_one_device_takes_one_job_at_a_time(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    first, second = (jobs.submit(fleet.user, cp, "default", "bring") for _ in range(2))
    assert scheduling.run_pass(cp) == 1
    assert scheduling.run_pass(cp) == 0
    assert waiting(second) == "devices_busy"
    succeed(machine, cp, fleet.attempt(first.id), {"model": model_files("base")})
    assert scheduling.run_pass(cp) == 1
    assert fleet.attempt(second.id).machine_id == machine.id


def test_an_offer_is_checked_again_when_it_is_written(cp: ControlPlane, fleet: Fleet) -> None:
    cpu = inventory_of(4 * GIB)["devices"][0]
    machine = MachineRecord.get_by_id(fleet.machine(devices=[cpu, cpu | {"uuid": "cpu:1"}]).id)
    first, second = (jobs.submit(fleet.user, cp, "default", "bring") for _ in range(2))

    def offer(job: JobRecord, device: str, exclusive: bool) -> AttemptRecord | None:
        return transitions.offer(SYSTEM, cp, job, machine, [grant(machine, device, exclusive)])

    with transaction():
        assert offer(first, "cpu:0", True) is not None
        assert offer(first, "cpu:1", True) is None  # the job's fence has moved on
        assert offer(second, "cpu:0", True) is None  # the device is taken
        assert offer(second, "cpu:0", False) is None
    assert AttemptRecord.select().count() == 1
    part = AttemptPartRecord.get()
    with pytest.raises(IntegrityError), transaction():  # whatever a caller forgets, the database does not
        AllocationRecord.create(machine=machine, device="cpu:0", part=part, memory_bytes=1, exclusive=True)


@pytest.mark.parametrize("unified", [False, True])
def test_two_passes_at_once_promise_no_more_memory_than_there_is(
    cp: ControlPlane, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, unified: bool
) -> None:
    metal = inventory_of(4 * GIB)["devices"][0] | {"uuid": "metal:0", "kind": "metal"}
    devices = [inventory_of(4 * GIB)["devices"][0], *([metal] if unified else [])]
    fleet.method(manifest("light", "import", OUTPUT, exclusive=False, resources=_needs(2 * GIB)))
    fleet.method(manifest("apple", "import", OUTPUT, platforms=["mlx"], resources=_needs(2 * GIB)))
    fleet.machine(memory=4 * GIB, platforms=["cpu", "mlx"], devices=devices)
    usual = jobs.submit(fleet.user, cp, "default", "light")

    def pass_meanwhile(snapshot: Snapshot) -> Plan:
        planned = plan(snapshot)
        monkeypatch.undo()
        jobs.submit(fleet.user, cp, "default", "apple" if unified else "light", policy=Policy(priority=5))
        assert scheduling.run_pass(cp) == 1
        return planned

    monkeypatch.setattr(scheduling, "plan", pass_meanwhile)
    seen = cp.signals.version("schedule")
    assert scheduling.run_pass(cp) == 0
    assert cp.signals.version("schedule") > seen  # it is planned again, and then told why it waits
    assert scheduling.run_pass(cp) == 0 and waiting(usual) == ("memory" if unified else "devices_busy")
    assert sum(one.memory_bytes for one in AllocationRecord.select()) == 2 * GIB


@pytest.mark.parametrize("meanwhile", ["drained", "locked"])
def test_who_takes_no_jobs_any_more_is_offered_none_that_was_planned_before(
    cp: ControlPlane, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    machine = fleet.machine()
    jobs.submit(fleet.user, cp, "default", "bring")

    def change_meanwhile(snapshot: Snapshot) -> Plan:
        planned = plan(snapshot)
        (machines.drain if meanwhile == "drained" else machines.revoke)(SYSTEM, cp, machine.id)
        return planned

    monkeypatch.setattr(scheduling, "plan", change_meanwhile)
    assert scheduling.run_pass(cp) == 0 and AttemptRecord.select().count() == 0


def test_sharing_attempts_keep_an_exclusive_one_away(cp: ControlPlane, fleet: Fleet) -> None:
    fleet.method(manifest("light", "import", OUTPUT, exclusive=False))
    fleet.machine()
    light = [jobs.submit(fleet.user, cp, "default", "light") for _ in range(2)]
    assert scheduling.run_pass(cp) == 2
    alone = jobs.submit(fleet.user, cp, "default", "bring")
    assert scheduling.run_pass(cp) == 0 and waiting(alone) == "devices_busy"
    machine = MachineRecord.get()
    with transaction():
        assert transitions.offer(SYSTEM, cp, alone, machine, [grant(machine, "cpu:0", True)]) is None
    assert len(light) == AttemptRecord.select().count()


def test_a_locked_machine_is_no_machine(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    MachineRecord.update(locked_reason="revoked").where(MachineRecord.id == machine.id).execute()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    assert scheduling.run_pass(cp) == 0 and waiting(job) == "no_machine"


def test_the_project_that_used_less_comes_first(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    busy = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(busy.id)
    clock.advance(60)
    succeed(machine, cp, attempt, {"model": model_files("base")})
    AttemptRecord.update(accepted_at=clock.now - 60).where(AttemptRecord.id == attempt.id).execute()
    second = ProjectRecord.create(name="second", title="Second", created_at=clock.now)
    older = jobs.submit(SYSTEM, cp, "default", "bring")
    clock.advance(5)
    newer = jobs.submit(SYSTEM, cp, second.name, "bring")
    assert scheduling.run_pass(cp) == 1
    assert JobRecord.get_by_id(newer.id).waiting_code == "offered" and waiting(older) == "devices_busy"


def test_a_pass_writes_only_so_much_at_once_and_asks_for_another(cp: ControlPlane, fleet: Fleet) -> None:
    for _ in range(51):
        fleet.machine()
        jobs.submit(fleet.user, cp, "default", "bring")
    seen = cp.signals.version("schedule")
    assert scheduling.run_pass(cp) == 50
    assert cp.signals.version("schedule") > seen
    seen = cp.signals.version("schedule")
    assert scheduling.run_pass(cp) == 1
    assert cp.signals.version("schedule") == seen


def test_memory_is_not_counted_twice(cp: ControlPlane, fleet: Fleet) -> None:
    """What runs is part of what the machine reports in use; only what it has not taken yet is still promised."""
    machine = fleet.machine(memory=4 * GIB)
    job = jobs.submit(fleet.user, cp, "default", "bring")  # 1 GiB
    scheduling.run_pass(cp)

    def promised(free: int) -> int:
        device = inventory_of(4 * GIB)["devices"][0] | {"memory_free": free}
        MachineRecord.update(inventory=inventory_of(4 * GIB) | {"devices": [device]}).execute()
        return snapshots.machines(cp)[0].devices[0].promised

    assert promised(free=4 * GIB) == promised(free=2 * GIB) == GIB
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    assert promised(free=4 * GIB) == GIB
    assert promised(free=4 * GIB - GIB // 4) == GIB - GIB // 4
    assert promised(free=3 * GIB) == 0


def test_one_end_behind_a_queue_changes_one_place_alone(cp: ControlPlane, fleet: Fleet) -> None:
    """How many are ahead is counted when somebody looks: stored, each end would rewrite the whole queue."""
    machine = fleet.machine()
    queue = [jobs.submit(fleet.user, cp, "default", "bring") for _ in range(300)]
    while scheduling.run_pass(cp):
        pass
    before = {job.id: job.version for job in JobRecord.select()}
    assert scheduling.ahead([queue[1].id, queue[299].id]) == {queue[1].id: 0, queue[299].id: 298}
    succeed(machine, cp, fleet.attempt(queue[0].id), {"model": model_files("base")})
    passes = 0
    while scheduling.run_pass(cp):
        passes += 1
    changed = {job.id for job in JobRecord.select() if job.version != before[job.id]}
    assert changed == {queue[0].id, queue[1].id} and passes == 1
    assert scheduling.ahead([queue[299].id]) == {queue[299].id: 297}


def test_priority_and_a_later_start(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    fleet.machine()
    later = jobs.submit(fleet.user, cp, "default", "bring", policy=Policy(not_before=clock.now + 60))
    usual = jobs.submit(fleet.user, cp, "default", "bring")
    urgent = jobs.submit(fleet.user, cp, "default", "bring", policy=Policy(priority=5))
    assert scheduling.run_pass(cp) == 1
    assert [waiting(job) for job in (later, usual, urgent)] == ["not_before", "devices_busy", "offered"]
    assert scheduling.ahead([later.id]) == {}
    clock.advance(61)
    scheduling.run_pass(cp)
    assert waiting(later) == "devices_busy"
    with pytest.raises(FieldInvalid):
        jobs.submit(fleet.user, cp, "default", "bring", policy=Policy(priority=101))


def test_a_shared_device_takes_as_many_as_there_are_processors(cp: ControlPlane, fleet: Fleet) -> None:
    fleet.method(manifest("light", "import", OUTPUT, exclusive=False))
    fleet.machine(cpu_count=3)
    light = [jobs.submit(fleet.user, cp, "default", "light") for _ in range(5)]
    assert scheduling.run_pass(cp) == 3 and scheduling.run_pass(cp) == 0
    assert [waiting(job) for job in light].count("devices_busy") == 2


def test_on_a_mac_processor_and_metal_draw_on_one_memory(cp: ControlPlane, fleet: Fleet) -> None:
    cpu = inventory_of(4 * GIB)["devices"][0]
    metal = cpu | {"uuid": "metal:0", "kind": "metal"}
    fleet.method(manifest("apple", "import", OUTPUT, platforms=["mlx"], resources=_needs(3 * GIB)))
    fleet.method(manifest("plain", "import", OUTPUT, resources=_needs(2 * GIB)))
    fleet.machine(memory=4 * GIB, system="darwin", platforms=["cpu", "mlx"], devices=[cpu, metal])
    first, second = (jobs.submit(fleet.user, cp, "default", method) for method in ("apple", "plain"))
    assert scheduling.run_pass(cp) == 1 and scheduling.run_pass(cp) == 0
    assert (waiting(first), waiting(second)) == ("offered", "memory")


def _needs(memory: int) -> dict[str, float]:
    return {"memory_bytes": memory, "memory_per_model_byte": 0.0, "disk_bytes": 1000}


def test_a_machine_is_seen_as_it_is_now(cp: ControlPlane, fleet: Fleet) -> None:
    """What was made of it for the pass before is used again only while nothing about it has changed."""
    machine = fleet.machine()
    hello = Hello("0.1.0", "boot", inventory_of(16 * GIB), ())
    epoch = machines.hello(machine, cp, hello).epoch

    def seen() -> Machine:
        (found,) = snapshots.machines(cp)
        return found

    idle = seen()
    assert seen() is idle
    machines.heartbeat(machine, cp, Heartbeat(epoch, inventory_of(8 * GIB), (), ()))
    assert seen().devices[0].memory_total == 8 * GIB
    jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    assert seen().devices[0].reserved
    machines.drain(SYSTEM, cp, machine.id)
    assert seen().drained
    attempts.decline(machine, cp, AttemptRecord.get().id, AttemptRecord.get().fence, "no")
    assert not seen().devices[0].reserved and seen().drained
