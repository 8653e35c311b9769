"""Which queued job goes to which devices: a pure function of a snapshot.

Filter (online, not drained, platform, power, disk, memory), order (priority, the project's recent share, age), score
(an accelerator before the processor, mains before battery, the best fit on memory). Devices that draw on one memory, as
a Mac's processor and Metal do, are counted against one pool. Jobs that ask for the same thing
share one list of candidates, and capacity only shrinks during a pass, so a candidate that was refused once is never
looked at again: the pass stays near-linear in jobs and machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

HEADROOM = 1.1  # an estimate is only an estimate
BUSY = "devices_busy"  # why most jobs wait
DEVICE_OF_PLATFORM = {"cpu": "cpu", "cuda": "cuda", "mlx": "metal"}


@dataclass(frozen=True)
class Device:
    """A device as it stands now; memory in bytes. `promised` is memory given away that `memory_free` does not show.

    Devices of a machine that name the same `pool` draw on one memory; an empty one is the device's own.
    """

    uuid: str
    kind: str  # cpu | cuda | metal
    memory_total: int
    memory_free: int
    promised: int = 0
    reserved: bool = False  # one attempt has it for itself
    sharers: int = 0  # attempts that share it
    healthy: bool = True
    pool: str = ""


@dataclass(frozen=True)
class Machine:
    """A machine as the planner sees it; `disk_free` in bytes."""

    id: str
    online: bool
    drained: bool
    on_battery: bool
    platforms: frozenset[str]
    disk_free: int
    devices: tuple[Device, ...]
    processors: int = 1  # as many attempts may share one of its devices
    engine: str = "cpu"  # the kind of device that its serving engine computes on


@dataclass(frozen=True)
class Need:
    """What a job asks of a machine; jobs with equal needs are interchangeable to the planner.

    An engine asks for memory alone, on the kind of device that the machine's engine uses, beside whoever is there.
    """

    platforms: frozenset[str]
    exclusive: bool
    memory: int  # bytes, the bare estimate
    disk: int  # bytes
    avoid: frozenset[str] = frozenset()  # machines that have just declined, or failed
    engine: bool = False
    only: str = ""  # the one machine that may be asked; empty: any


@dataclass(frozen=True)
class QueuedJob:
    """A job that waits for a machine."""

    id: int
    project_id: int
    created_at: float
    need: Need
    priority: int = 0


@dataclass(frozen=True)
class Snapshot:
    """All that a plan depends on. `share` is each project's recent use of devices, in decayed device-seconds."""

    jobs: tuple[QueuedJob, ...]
    machines: tuple[Machine, ...]
    share: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """A device on a machine, or a share of one, with `memory` bytes of it."""

    machine_id: str
    device: str
    memory: int
    exclusive: bool


@dataclass(frozen=True)
class Placement:
    """What a job gets: at least one device, on one machine or, for a gang, on several (rank 0's first)."""

    job_id: int
    grants: tuple[Grant, ...]

    @property
    def machine_id(self) -> str:
        """The machine of rank 0."""
        return self.grants[0].machine_id


@dataclass(frozen=True)
class Plan:
    """Offers to make, in order, and for each other job why it waits, as code and parameters."""

    offers: tuple[Placement, ...]
    waiting: Mapping[int, tuple[str, dict[str, object]]]


class _Pool:
    """A memory during one pass."""

    def __init__(self) -> None:
        self.free = 0


class _Slot:
    """A device during one pass: what is left of it shrinks with each placement."""

    def __init__(self, machine: Machine, device: Device, pool: _Pool) -> None:
        self.machine, self.device, self.pool = machine, device, pool
        self.reserved, self.sharers = device.reserved, device.sharers

    def fits(self, need: Need) -> bool:
        return self.is_open(need) and self.holds(need.memory)

    def holds(self, memory: int) -> bool:
        """Whether an estimate of so many bytes is free."""
        return self.pool.free >= memory * HEADROOM

    def is_open(self, need: Need) -> bool:
        """Whether somebody may come beside those who are there."""
        if need.engine:
            return True
        most = 0 if need.exclusive else self.machine.processors - 1
        return not self.reserved and self.sharers <= most

    def room(self, need: Need) -> int:
        """The memory that this device could give: now if it is open, at best once it is free again if not."""
        busy = not need.engine and (self.reserved or self.sharers > 0)
        return self.device.memory_total if busy else self.pool.free

    def take(self, need: Need) -> Grant:
        if not need.engine:
            self.reserved, self.sharers = need.exclusive, self.sharers + (not need.exclusive)
        self.pool.free -= need.memory
        return Grant(self.machine.id, self.device.uuid, need.memory, need.exclusive)

    def score(self) -> tuple[bool, bool, int, str, str]:
        """Smaller is better: accelerators, mains, the tightest fit, then a stable order."""
        return self.device.kind == "cpu", self.machine.on_battery, self.pool.free, self.machine.id, self.device.uuid


def plan(snapshot: Snapshot) -> Plan:
    """Place as many jobs as fit, in order, and say of each other one why it waits."""
    slots = [slot for machine in snapshot.machines for slot in _slots(machine)]
    candidates: dict[Need, list[_Slot]] = {}
    offers: list[Placement] = []
    waiting: dict[int, tuple[str, dict[str, object]]] = {}
    reasons: dict[Need, tuple[str, dict[str, object]]] = {}
    for job in sorted(snapshot.jobs, key=lambda job: _order(job, snapshot.share)):
        need = job.need
        if need not in candidates:
            candidates[need] = _candidates(slots, need)
        slot = _first(candidates[need], need)
        if slot is None:
            if need not in reasons:
                reasons[need] = _reason(snapshot.machines, slots, need)
            waiting[job.id] = reasons[need]
        else:
            offers.append(Placement(job.id, (slot.take(need),)))
    return Plan(tuple(offers), waiting)


def has_room(machine: Machine, grants: Iterable[Grant]) -> bool:
    """Whether what was planned for a machine a moment ago can still be given, by the rules of `plan`."""
    if not _takes_more(machine):
        return False
    slots = {slot.device.uuid: slot for slot in _slots(machine)}
    for grant in grants:
        slot = slots.get(grant.device)
        if slot is None or not slot.holds(grant.memory):
            return False
        slot.pool.free -= grant.memory
    return True


def prospect(machine: Machine, need: Need) -> tuple[Device, str] | None:
    """The device of a machine that a job would best go to, and `ready` or why not now; None where none suits.

    The reasons: offline, drained, on_battery, disk, memory (even the whole device has too little), busy.
    """
    fitting = [slot for slot in _slots(machine) if _suits(slot, need)]
    if not fitting:
        return None
    slot = min(fitting, key=lambda one: (not one.fits(need), _Slot.score(one)))
    reasons = (
        ("offline", not machine.online),
        ("drained", machine.drained),
        ("on_battery", machine.on_battery),
        ("disk", machine.disk_free < need.disk),
        ("memory", slot.device.memory_total < need.memory * HEADROOM),
        ("busy", not slot.fits(need)),
    )
    return slot.device, next((reason for reason, holds in reasons if holds), "ready")


def _slots(machine: Machine) -> list[_Slot]:
    """The machine's devices; those of one memory share a pool, from which all that is promised there is gone."""
    pools: dict[str, _Pool] = {}
    for device in machine.devices:
        pool = pools.setdefault(device.pool or device.uuid, _Pool())
        pool.free = max(pool.free, device.memory_free - device.promised)
    return [_Slot(machine, device, pools[device.pool or device.uuid]) for device in machine.devices]


def _order(job: QueuedJob, share: Mapping[int, float]) -> tuple[int, float, float, int]:
    return -job.priority, share.get(job.project_id, 0.0), job.created_at, job.id


def _candidates(slots: list[_Slot], need: Need) -> list[_Slot]:
    """The devices that fit, the best one last."""
    fitting = [slot for slot in slots if _is_open(slot.machine, need) and _suits(slot, need) and slot.fits(need)]
    return sorted(fitting, key=_Slot.score, reverse=True)


def _first(fitting: list[_Slot], need: Need) -> _Slot | None:
    while fitting and not fitting[-1].fits(need):
        fitting.pop()
    return fitting[-1] if fitting else None


def _is_open(machine: Machine, need: Need) -> bool:
    is_meant = not need.only or machine.id == need.only
    return is_meant and _takes_more(machine) and machine.id not in need.avoid and machine.disk_free >= need.disk


def _takes_more(machine: Machine) -> bool:
    return machine.online and not machine.drained and not machine.on_battery


def _suits(slot: _Slot, need: Need) -> bool:
    if need.engine:
        return slot.device.healthy and slot.device.kind == slot.machine.engine
    kinds = {DEVICE_OF_PLATFORM[one] for one in need.platforms & slot.machine.platforms}
    return slot.device.healthy and slot.device.kind in kinds


def _reason(machines: tuple[Machine, ...], slots: list[_Slot], need: Need) -> tuple[str, dict[str, object]]:
    """The first filter that leaves nothing over."""
    if need.only:
        machines = tuple(machine for machine in machines if machine.id == need.only)
        slots = [slot for slot in slots if slot.machine.id == need.only]
    left = [slot for slot in slots if slot.machine.online and _suits(slot, need)]
    if not left:
        return _nobody(machines, need)
    filters: tuple[tuple[str, Callable[[_Slot], bool]], ...] = (
        ("machines_drained", lambda slot: not slot.machine.drained),
        ("on_battery", lambda slot: not slot.machine.on_battery),
    )
    for code, passes in filters:
        left = [slot for slot in left if passes(slot)]
        if not left:
            return code, {}
    if any(slot.fits(need) and slot.machine.disk_free >= need.disk for slot in left):
        return "engines_failed" if need.engine else "machines_refused", {}  # what would fit is to be avoided
    return _scarce(left, need)


def _nobody(machines: tuple[Machine, ...], need: Need) -> tuple[str, dict[str, object]]:
    if need.only and not any(machine.online for machine in machines):
        return "chosen_machine_offline", {}
    if not machines:
        return "no_machine", {}
    if not any(machine.online for machine in machines):
        return "no_machine_online", {}
    return "no_platform", {"platforms": sorted(need.platforms)}


def _scarce(slots: list[_Slot], need: Need) -> tuple[str, dict[str, object]]:
    """What the devices that could run it have too little of."""
    disk = max(slot.machine.disk_free for slot in slots)
    if disk < need.disk:
        return "disk", {"needed": need.disk, "free": disk}
    room = max(slot.room(need) for slot in slots if slot.machine.disk_free >= need.disk)
    needed = int(need.memory * HEADROOM)
    if room < needed:
        return "memory", {"needed": needed, "free": max(0, room)}
    return BUSY, {}
