"""Which queued job goes to which device: a pure function of a snapshot.

Filter (online, not drained, platform, power, disk, memory), order (priority, the project's recent share, age), score
(an accelerator before the processor, mains before battery, the best fit on memory). Jobs that ask for the same thing
share one list of candidates, and capacity only shrinks during a pass, so a candidate that was refused once is never
looked at again: the pass stays near-linear in jobs and machines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

HEADROOM = 1.1  # an estimate is only an estimate
DEVICE_OF_PLATFORM = {"cpu": "cpu", "cuda": "cuda", "mlx": "metal"}


@dataclass(frozen=True)
class Device:
    """A device as it stands now; memory in bytes. `promised` is memory given away that `memory_free` does not show."""

    uuid: str
    kind: str  # cpu | cuda | metal
    memory_total: int
    memory_free: int
    promised: int = 0
    reserved: bool = False  # one attempt has it for itself
    shared: bool = False  # attempts that share it are on it
    healthy: bool = True


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


@dataclass(frozen=True)
class Need:
    """What a job asks of a machine; jobs with equal needs are interchangeable to the planner."""

    platforms: frozenset[str]
    exclusive: bool
    memory: int  # bytes, the bare estimate
    disk: int  # bytes
    avoid: frozenset[str] = frozenset()  # machines that have just declined


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
class Placement:
    """A device for a job."""

    job_id: int
    machine_id: str
    device: str


@dataclass(frozen=True)
class Plan:
    """Offers to make, in order, and for each other job why it waits, as code and parameters."""

    offers: tuple[Placement, ...]
    waiting: Mapping[int, tuple[str, dict[str, object]]]


class _Slot:
    """A device during one pass: what is left of it shrinks with each placement."""

    def __init__(self, machine: Machine, device: Device) -> None:
        self.machine, self.device = machine, device
        self.reserved, self.shared = device.reserved, device.shared
        self.free = device.memory_free - device.promised

    def fits(self, need: Need) -> bool:
        closed = self.reserved or (need.exclusive and self.shared)
        return not closed and self.free >= need.memory * HEADROOM

    def room(self) -> int:
        """The memory that this device could give: now if it is open, at best once it is free again if not."""
        return self.device.memory_total if self.reserved or self.shared else self.free

    def take(self, need: Need) -> None:
        self.reserved, self.shared = need.exclusive, not need.exclusive
        self.free -= need.memory

    def score(self) -> tuple[bool, bool, int, str, str]:
        """Smaller is better: accelerators, mains, the tightest fit, then a stable order."""
        return self.device.kind == "cpu", self.machine.on_battery, self.free, self.machine.id, self.device.uuid


def plan(snapshot: Snapshot) -> Plan:
    """Place as many jobs as fit, in order, and say of each other one why it waits."""
    slots = [_Slot(machine, device) for machine in snapshot.machines for device in machine.devices]
    candidates: dict[Need, list[_Slot]] = {}
    offers: list[Placement] = []
    waiting: dict[int, tuple[str, dict[str, object]]] = {}
    reasons: dict[Need, tuple[str, dict[str, object]]] = {}
    behind: dict[Need, int] = {}
    for job in sorted(snapshot.jobs, key=lambda job: _order(job, snapshot.share)):
        need = job.need
        if need not in candidates:
            candidates[need] = _candidates(slots, need)
        slot = _first(candidates[need], need)
        if slot is None:
            if need not in reasons:
                reasons[need] = _reason(snapshot.machines, slots, need)
            code, params = reasons[need]
            waiting[job.id] = (code, params | {"ahead": behind.get(need, 0)} if code == "devices_busy" else params)
            behind[need] = behind.get(need, 0) + 1
        else:
            slot.take(need)
            offers.append(Placement(job.id, slot.machine.id, slot.device.uuid))
    return Plan(tuple(offers), waiting)


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
    usable = machine.online and not machine.drained and not machine.on_battery
    return usable and machine.id not in need.avoid and machine.disk_free >= need.disk


def _suits(slot: _Slot, need: Need) -> bool:
    kinds = {DEVICE_OF_PLATFORM[one] for one in need.platforms & slot.machine.platforms}
    return slot.device.healthy and slot.device.kind in kinds


def _reason(machines: tuple[Machine, ...], slots: list[_Slot], need: Need) -> tuple[str, dict[str, object]]:
    """The first filter that leaves nothing over."""
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
    return _scarce(left, need)


def _nobody(machines: tuple[Machine, ...], need: Need) -> tuple[str, dict[str, object]]:
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
    room = max(slot.room() for slot in slots if slot.machine.disk_free >= need.disk)
    needed = int(need.memory * HEADROOM)
    if room < needed:
        return "memory", {"needed": needed, "free": max(0, room)}
    return "devices_busy", {}
