"""What the planner looks at: the store as one snapshot of queued jobs and machines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from peewee import JOIN

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import (
    ATTEMPT_OPEN,
    DECLINED,
    FAILED,
    MACHINE_FAULTS,
    ONLINE,
    QUEUED,
    RUNNING,
    SERVING,
    UPLOADING,
)
from control_plane.domain.manifest import narrows, platforms
from control_plane.domain.matching import Device, Machine, Need, QueuedJob, Snapshot
from control_plane.store.allocations import AllocationRecord
from control_plane.store.database import database
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.statements import Prepared

_HALF_LIFE = 7 * 86_400.0  # seconds after which a project's use of devices counts half
_FORGOTTEN = 4  # half-lives


def take(cp: ControlPlane) -> Snapshot:
    """The queued jobs that no machine has been asked about, and every machine that may be asked."""
    asked = AttemptRecord.select(AttemptRecord.job).where(AttemptRecord.state.in_(ATTEMPT_OPEN))
    rows = list(
        JobRecord.select(
            JobRecord.id,
            JobRecord.project,
            JobRecord.method_version,
            JobRecord.created_at,
            JobRecord.memory_bytes,
            JobRecord.disk_bytes,
            JobRecord.priority,
            JobRecord.only_machine,
        )
        .where(
            JobRecord.state == QUEUED,
            JobRecord.cancel_requested_at == 0,
            JobRecord.not_before <= cp.clock(),
            JobRecord.id.not_in(asked),
        )
        .order_by(JobRecord.id)
    )
    if not rows:  # nothing to place: no machine is read
        return Snapshot((), (), {})
    refusals = _refusals(cp)
    versions = MethodVersionRecord.select().where(MethodVersionRecord.id.in_({row.method_version_id for row in rows}))
    manifests = {version.id: version.manifest for version in versions}
    chosen = _parameters(rows, manifests)
    jobs = tuple(
        _job(row, manifests[row.method_version_id], chosen.get(row.id, {}), refusals.get(row.id, frozenset()))
        for row in rows
    )
    return Snapshot(jobs, machines(cp), _share(cp, {row.project_id for row in rows}))


def _parameters(rows: list[JobRecord], manifests: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What was chosen for the jobs whose method runs on fewer platforms with some values; most are not read."""
    wanted = [row.id for row in rows if narrows(manifests[row.method_version_id])]
    if not wanted:
        return {}
    query = JobRecord.select(JobRecord.id, JobRecord.parameters).where(JobRecord.id.in_(wanted))
    return {row.id: row.parameters for row in query}


def _job(row: JobRecord, manifest: dict[str, Any], parameters: dict[str, Any], avoid: frozenset[str]) -> QueuedJob:
    need = Need(
        platforms=platforms(manifest, parameters),
        exclusive=manifest.get("exclusive", True),
        memory=row.memory_bytes,
        disk=row.disk_bytes,
        avoid=avoid,
        only=row.only_machine,
    )
    return QueuedJob(row.id, row.project_id, row.created_at, need, row.priority)


def _refusals(cp: ControlPlane) -> dict[int, frozenset[str]]:
    """The machines that a job does not go to for now: asking again at once would go round in a circle.

    They have just declined it, or it failed there by a fault of theirs, which takes longer to be mended.
    """
    now, ended = cp.clock(), AttemptRecord.ended_at
    declined = (AttemptRecord.state == DECLINED) & (ended > now - cp.settings.offer_seconds)
    faulty = (AttemptRecord.state == FAILED) & (ended > now - cp.settings.avoid_seconds)
    faulty &= AttemptRecord.reason.in_(list(MACHINE_FAULTS))
    found: defaultdict[int, set[str]] = defaultdict(set)
    for attempt in AttemptRecord.select(AttemptRecord.job, AttemptRecord.machine).where(declined | faulty):
        found[attempt.job_id].add(attempt.machine_id)
    return {job_id: frozenset(machine_ids) for job_id, machine_ids in found.items()}


def _share(cp: ControlPlane, projects: set[int]) -> dict[int, float]:
    """Decayed device-seconds by project; not asked for when there is nobody to share with."""
    if len(projects) < 2:
        return {}
    now = cp.clock()
    used: defaultdict[int, float] = defaultdict(float)
    query = (
        AttemptRecord.select(AttemptRecord.accepted_at, AttemptRecord.ended_at, JobRecord.project)
        .join(JobRecord)
        .where(AttemptRecord.accepted_at > now - _FORGOTTEN * _HALF_LIFE, JobRecord.project.in_(projects))
    )
    for accepted_at, ended_at, project_id in _rows(query):
        end = ended_at or now
        used[project_id] += (end - accepted_at) * 0.5 ** ((now - end) / _HALF_LIFE)
    return dict(used)


def _rows(query: Any) -> Iterable[tuple[Any, ...]]:
    """Plain columns instead of records, which the library's stubs cannot tell apart."""
    rows: Iterable[tuple[Any, ...]] = query.tuples()
    return rows


def machines(cp: ControlPlane, without_replica: int = 0) -> tuple[Machine, ...]:
    """The machines as the planner sees them; a locked one is not among them.

    What the replica `without_replica` was promised counts as free.
    """
    given = _given(_PROMISED.execute(database.obj, without=without_replica))
    present = cp.fleet.all()
    columns = (MachineRecord.id, MachineRecord.machine_class, MachineRecord.connectivity, MachineRecord.drained)
    rows = [_Kept(*row) for row in _rows(MachineRecord.select(*columns).where(MachineRecord.locked_reason == ""))]
    unheard = [row.id for row in rows if row.id not in present]
    inventories = {machine_id: one.inventory for machine_id, one in present.items()} | {
        row.id: row.inventory
        for row in MachineRecord.select(MachineRecord.id, MachineRecord.inventory).where(MachineRecord.id.in_(unheard))
    }
    busy = {machine_id for machine_id, _ in given}
    return tuple(
        _machine(row, inventories[row.id], given) if row.id in busy else _idle(row, inventories[row.id]) for row in rows
    )


def machine(cp: ControlPlane, machine_id: str) -> Machine | None:
    """One machine as the planner would see it now; None if it is locked. Called inside a transaction."""
    row = MachineRecord.get_or_none(MachineRecord.id == machine_id, MachineRecord.locked_reason == "")
    if row is None:
        return None
    kept = _Kept(row.id, row.machine_class, row.connectivity, row.drained)
    present = cp.fleet.get(machine_id)
    inventory = row.inventory if present is None else present.inventory
    return _machine(kept, inventory, _given(_PROMISED_HERE.execute(database.obj, machine=machine_id)))


@dataclass
class _Given:
    """What was given away on a device; memory in bytes."""

    unseen: int = 0  # to what has hardly begun: the machine reports it as free
    running: int = 0  # to what runs: part of what the machine reports in use, as far as it has been taken
    alone: bool = False  # to one attempt
    sharers: int = 0  # attempts

    def promised(self, total: int, free: int) -> int:
        """What is still going to be taken from `free`."""
        return self.unseen + max(0, self.running - (total - free))


_Given_by_device = dict[tuple[str, str], _Given]  # (machine, device)


def _promises() -> Any:
    return (
        AllocationRecord.select(
            AllocationRecord.machine,
            AllocationRecord.device,
            AllocationRecord.memory_bytes,
            AllocationRecord.exclusive,
            AllocationRecord.replica,
            AttemptPartRecord.state,
            ReplicaRecord.state,
        )
        .join(AttemptPartRecord, JOIN.LEFT_OUTER, on=(AllocationRecord.part == AttemptPartRecord.id))
        .switch(AllocationRecord)
        .join(ReplicaRecord, JOIN.LEFT_OUTER, on=(AllocationRecord.replica == ReplicaRecord.id))
    )


_PROMISED = Prepared(
    lambda without: _promises().where(AllocationRecord.replica.is_null() | (AllocationRecord.replica != without))
)
_PROMISED_HERE = Prepared(lambda machine: _promises().where(AllocationRecord.machine == machine))


def _given(promises: Iterable[tuple[Any, ...]]) -> _Given_by_device:
    given: defaultdict[tuple[str, str], _Given] = defaultdict(_Given)
    for machine_id, device, memory, exclusive, replica_id, part_state, replica_state in promises:
        place = given[machine_id, device]
        if part_state in (RUNNING, UPLOADING) or replica_state == SERVING:
            place.running += memory
        else:
            place.unseen += memory
        if replica_id is None:
            place.alone |= exclusive
            place.sharers += not exclusive
    return given


class _Kept(NamedTuple):
    """What the store says of a machine."""

    id: str
    machine_class: str
    connectivity: str
    drained: bool


_idle_ones: dict[str, tuple[_Kept, Mapping[str, Any], Machine]] = {}


def _idle(kept: _Kept, inventory: Mapping[str, Any]) -> Machine:
    """A machine on which nothing is given away: the same value as long as store and heartbeats say the same."""
    known = _idle_ones.get(kept.id)
    if known is not None and known[0] == kept and known[1] is inventory:
        return known[2]
    made = _machine(kept, inventory, {})
    _idle_ones[kept.id] = kept, inventory, made
    return made


def _machine(kept: _Kept, inventory: Mapping[str, Any], given: _Given_by_device) -> Machine:
    listed = inventory.get("devices", ())
    # a Mac's processor and Metal compute in the same memory
    unified = "unified" if any(one["kind"] == "metal" for one in listed) else ""
    return Machine(
        id=kept.id,
        online=kept.connectivity == ONLINE,
        drained=kept.drained,
        on_battery=kept.machine_class == "laptop" and not inventory.get("on_mains", True),
        platforms=frozenset(inventory.get("platforms", ())),
        disk_free=inventory.get("disk_free", 0),
        devices=tuple(_devices(kept.id, listed, given, unified)),
        processors=max(1, inventory.get("cpu_count", 1)),
        engine=inventory.get("engine") or "cpu",
    )


def _devices(
    machine_id: str, listed: Collection[Mapping[str, Any]], given: _Given_by_device, pool: str
) -> Iterable[Device]:
    there = {one["uuid"]: given.get((machine_id, one["uuid"]), _Given()) for one in listed}
    shared = _Given(sum(one.unseen for one in there.values()), sum(one.running for one in there.values()))
    for one in listed:
        own = there[one["uuid"]]
        total, free = one.get("memory_total", 0), one.get("memory_free", 0)
        yield Device(
            uuid=one["uuid"],
            kind=one["kind"],
            memory_total=total,
            memory_free=free,
            promised=(shared if pool else own).promised(total, free),
            reserved=own.alone,
            sharers=own.sharers,
            healthy=one.get("healthy", True),
            pool=pool,
        )
