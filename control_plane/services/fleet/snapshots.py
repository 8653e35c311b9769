"""What the planner looks at: the store as one snapshot of queued jobs and machines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import ATTEMPT_OPEN, DECLINED, OFFERED, ONLINE, PREPARING, QUEUED, SERVING
from control_plane.domain.matching import Device, Machine, Need, QueuedJob, Snapshot
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import DeviceReservationRecord, MachineRecord
from control_plane.store.methods import MethodVersionRecord

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
        )
        .where(JobRecord.state == QUEUED, JobRecord.cancel_requested_at == 0, JobRecord.id.not_in(asked))
        .order_by(JobRecord.id)
    )
    refusals = _refusals(cp)
    versions = MethodVersionRecord.select().where(MethodVersionRecord.id.in_({row.method_version_id for row in rows}))
    manifests = {version.id: version.manifest for version in versions}
    jobs = tuple(_job(row, manifests[row.method_version_id], refusals.get(row.id, frozenset())) for row in rows)
    return Snapshot(jobs, machines(cp), _share(cp, {row.project_id for row in rows}))


def _job(row: JobRecord, manifest: dict[str, Any], avoid: frozenset[str]) -> QueuedJob:
    need = Need(
        platforms=frozenset(manifest["platforms"]),
        exclusive=manifest.get("exclusive", True),
        memory=row.memory_bytes,
        disk=row.disk_bytes,
        avoid=avoid,
    )
    return QueuedJob(row.id, row.project_id, row.created_at, need)


def _refusals(cp: ControlPlane) -> dict[int, frozenset[str]]:
    """The machines that have just declined a job: asking again at once would go round in a circle."""
    since = cp.clock() - cp.settings.offer_seconds
    found: defaultdict[int, set[str]] = defaultdict(set)
    for attempt in AttemptRecord.select().where(AttemptRecord.state == DECLINED, AttemptRecord.ended_at > since):
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


def machines(cp: ControlPlane) -> tuple[Machine, ...]:
    """The machines as the planner sees them; a locked one is not among them."""
    reserved = {(row.machine_id, row.device) for row in DeviceReservationRecord.select()}
    given = _given()
    return tuple(
        Machine(
            id=record.id,
            online=record.connectivity == ONLINE,
            drained=record.drained,
            on_battery=record.machine_class == "laptop" and not record.inventory.get("on_mains", True),
            platforms=frozenset(record.inventory.get("platforms", ())),
            disk_free=record.inventory.get("disk_free", 0),
            devices=tuple(_devices(record, reserved, given)),
        )
        for record in MachineRecord.select().where(MachineRecord.locked_reason == "")
    )


_Place = tuple[str, str]  # machine, device


@dataclass
class _Given:
    """Memory that was given away on a device, in bytes."""

    unseen: int = 0  # to what has hardly begun: the machine reports it as free
    running: int = 0  # to what runs: part of what the machine reports in use, as far as it has been taken
    attempts: int = 0

    def promised(self, total: int, free: int) -> int:
        """What is still going to be taken from `free`."""
        return self.unseen + max(0, self.running - (total - free))


def _given() -> dict[_Place, _Given]:
    given: defaultdict[_Place, _Given] = defaultdict(_Given)
    query = (
        AttemptRecord.select(AttemptRecord.machine, AttemptRecord.device, AttemptRecord.state, JobRecord.memory_bytes)
        .join(JobRecord)
        .where(AttemptRecord.state.in_(ATTEMPT_OPEN))
    )
    for machine_id, device, state, memory in _rows(query):
        place = given[machine_id, device]
        place.attempts += 1
        if state in (OFFERED, PREPARING):
            place.unseen += memory
        else:
            place.running += memory
    # engines keep a model in the machine's own memory
    for replica in ReplicaRecord.select().where(ReplicaRecord.desired_state == SERVING):
        place = given[replica.machine_id, "cpu:0"]
        if replica.state == SERVING:
            place.running += replica.memory_bytes
        else:
            place.unseen += replica.memory_bytes
    return given


def _devices(record: MachineRecord, reserved: set[_Place], given: dict[_Place, _Given]) -> Iterable[Device]:
    for one in record.inventory.get("devices", ()):
        place = (record.id, one["uuid"])
        there = given.get(place, _Given())
        total, free = one.get("memory_total", 0), one.get("memory_free", 0)
        yield Device(
            uuid=one["uuid"],
            kind=one["kind"],
            memory_total=total,
            memory_free=free,
            promised=there.promised(total, free),
            reserved=place in reserved,
            shared=there.attempts > 0 and place not in reserved,
            healthy=one.get("healthy", True),
        )
