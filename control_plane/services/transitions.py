"""The only writer of `state` and `fence`: of jobs, attempts and replicas.

Each function is called inside a transaction. A change is one UPDATE guarded by the old state and the fence; zero rows
mean that somebody else was first: the caller drops what it was told. The audit entry is part of the same transaction.
Whoever calls wakes the `topics` afterwards.
"""

from __future__ import annotations

from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import lifecycle
from control_plane.domain.errors import Fenced
from control_plane.domain.lifecycle import CANCELLED, FAILED, LOST, OFFERED, PREPARING, QUEUED, STARTING
from control_plane.domain.permissions import Actor
from control_plane.services import audit
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import DeviceReservationRecord, MachineRecord

# a failure that says nothing about the job itself: it is queued again, like after a lost machine
_NOT_THE_JOBS_FAULT = frozenset({"agent_restarted"})


def topics(job: JobRecord, *machine_ids: str) -> tuple[str, ...]:
    """What to wake after a change of this job or one of its attempts."""
    return (f"job:{job.id}", f"project:{job.project_id}", "schedule", *(f"machine:{one}" for one in machine_ids))


def create_job(actor: Actor, cp: ControlPlane, **columns: Any) -> JobRecord:
    """Insert a job, queued."""
    job = JobRecord.create(state=QUEUED, created_by=actor.id, created_at=cp.clock(), **columns)
    audit.record(actor, cp, "job.submit", f"job:{job.id}", job.project_id, name=job.name, kind=job.kind)
    return job


def offer(
    actor: Actor, cp: ControlPlane, job: JobRecord, machine: MachineRecord, device: str, exclusive: bool
) -> AttemptRecord | None:
    """Promise a device to a queued job. None if the job or the device is no longer what `job` says."""
    if _is_promised(machine.id, device, exclusive):
        return None
    unchanged = (JobRecord.id == job.id, JobRecord.state == QUEUED, JobRecord.fence == job.fence)
    raised = JobRecord.update(
        fence=JobRecord.fence + 1, version=JobRecord.version + 1, waiting_code="offered", waiting_params={}
    ).where(*unchanged, JobRecord.cancel_requested_at == 0)
    if not raised.execute():
        return None
    now = cp.clock()
    attempt = AttemptRecord.create(
        job=job,
        number=AttemptRecord.select().where(AttemptRecord.job == job.id).count() + 1,
        machine=machine,
        device=device,
        fence=job.fence + 1,
        state=OFFERED,
        offered_at=now,
        offer_expires_at=now + cp.settings.offer_seconds,
        hardware=machine.inventory,
    )
    if exclusive:
        DeviceReservationRecord.create(machine=machine, device=device, attempt_id=attempt.id)
    audit.record(actor, cp, "attempt.offered", f"job:{job.id}", job.project_id, attempt=attempt.id, machine=machine.id)
    return attempt


def _is_promised(machine_id: str, device: str, exclusive: bool) -> bool:
    """Whether the device is closed to a newcomer, who wants it alone or would share it."""
    reserved = DeviceReservationRecord.select().where(
        DeviceReservationRecord.machine == machine_id, DeviceReservationRecord.device == device
    )
    if reserved.exists() or not exclusive:
        return bool(reserved.exists())
    sharing = AttemptRecord.select().where(
        AttemptRecord.machine == machine_id,
        AttemptRecord.device == device,
        AttemptRecord.state.in_(lifecycle.ATTEMPT_OPEN),
    )
    return bool(sharing.exists())


def move(
    actor: Actor,
    cp: ControlPlane,
    attempt: AttemptRecord,
    state: str,
    reason: str = "",
    params: dict[str, Any] | None = None,
    **columns: Any,
) -> bool:
    """Move an attempt to `state`, and its job with it. False if the attempt is not where `state` may follow.

    `columns` are further columns of the attempt. Raises Fenced if the job has a newer attempt: nothing is changed then.
    """
    over = state in lifecycle.ATTEMPT_OVER
    moved = AttemptRecord.update(
        state=state, reason=reason, reason_params=params or {}, **columns, **({"ended_at": cp.clock()} if over else {})
    ).where(
        AttemptRecord.id == attempt.id,
        AttemptRecord.fence == attempt.fence,
        AttemptRecord.state.in_(lifecycle.sources(state)),
    )
    if not moved.execute():
        return False
    if over:
        DeviceReservationRecord.delete().where(DeviceReservationRecord.attempt_id == attempt.id).execute()
    job = JobRecord.get_by_id(attempt.job_id)
    _move_job(cp, job, attempt.fence, _job_after(cp, job, state, reason, params or {}))
    audit.record(
        actor,
        cp,
        f"attempt.{state.lower()}",
        f"job:{job.id}",
        job.project_id,
        attempt=attempt.id,
        machine=attempt.machine_id,
        reason=reason,
    )
    return True


def _job_after(cp: ControlPlane, job: JobRecord, state: str, reason: str, params: dict[str, Any]) -> dict[str, Any]:
    """The job's columns after its newest attempt reached `state`."""
    innocent = state == FAILED and reason in _NOT_THE_JOBS_FAULT
    after = QUEUED if innocent else lifecycle.job_state(state)
    lost = job.lost_attempts + (1 if innocent or state == LOST else 0)
    if after != QUEUED:
        fresh: dict[str, Any] = {"progress": {}} if state == PREPARING else {}
        ended = {"reason": reason, "reason_params": params} if after == FAILED else {}
        return {"state": after, "waiting_code": "", "waiting_params": {}} | fresh | ended
    if job.cancel_requested_at:
        return {"state": CANCELLED, "waiting_code": "", "lost_attempts": lost}
    if lost >= cp.settings.max_lost_attempts:
        said = {"reason": "machines_lost", "reason_params": {"count": lost}}
        return {"state": FAILED, "waiting_code": "", "lost_attempts": lost} | said
    return {"state": QUEUED, "waiting_code": "not_planned", "waiting_params": {}, "lost_attempts": lost}


def _move_job(cp: ControlPlane, job: JobRecord, fence: int, columns: dict[str, Any]) -> None:
    ended = {"ended_at": cp.clock()} if columns["state"] in lifecycle.JOB_OVER else {}
    moved = JobRecord.update(version=JobRecord.version + 1, **columns, **ended).where(
        JobRecord.id == job.id, JobRecord.fence == fence, JobRecord.state.not_in(lifecycle.JOB_OVER)
    )
    if not moved.execute():
        raise Fenced  # ends the transaction: the attempt's own row goes back too


def cancel(actor: Actor, cp: ControlPlane, job: JobRecord) -> bool:
    """Write down that the job is to end; one that no machine has accepted ends at once. False if it is over already."""
    now = cp.clock()
    requested = JobRecord.update(cancel_requested_at=now, version=JobRecord.version + 1).where(
        JobRecord.id == job.id, JobRecord.state.not_in(lifecycle.JOB_OVER), JobRecord.cancel_requested_at == 0
    )
    if not requested.execute():
        return JobRecord.get_by_id(job.id).state not in lifecycle.JOB_OVER
    audit.record(actor, cp, "job.cancel", f"job:{job.id}", job.project_id)
    attempt = AttemptRecord.get_or_none(AttemptRecord.job == job.id, AttemptRecord.state == OFFERED)
    if attempt is None or not move(actor, cp, attempt, CANCELLED):
        JobRecord.update(state=CANCELLED, ended_at=now, waiting_code="").where(
            JobRecord.id == job.id, JobRecord.state == QUEUED
        ).execute()
    return True


def create_replica(
    actor: Actor, cp: ControlPlane, deployment: DeploymentRecord, machine_id: str, memory: int
) -> ReplicaRecord:
    """Have a machine serve a deployment; `memory` bytes are reserved on it."""
    replica = ReplicaRecord.create(
        deployment=deployment,
        machine=machine_id,
        desired_state=lifecycle.SERVING,
        state=STARTING,
        memory_bytes=memory,
        observed_at=cp.clock(),
    )
    details = {"replica": replica.id, "machine": machine_id}
    audit.record(actor, cp, "replica.create", f"deployment:{deployment.id}", deployment.project_id, **details)
    return replica


def set_replica(cp: ControlPlane, replica: ReplicaRecord, desired_state: str, memory: int) -> None:
    """Change the desired state of a replica: a new generation, which older reports do not answer."""
    state = {"state": STARTING} if desired_state == lifecycle.SERVING else {}
    ReplicaRecord.update(
        desired_state=desired_state, generation=ReplicaRecord.generation + 1, memory_bytes=memory, **state
    ).where(ReplicaRecord.id == replica.id).execute()


def observe_replica(cp: ControlPlane, replica: ReplicaRecord, generation: int, state: str, **columns: Any) -> bool:
    """Take down what a machine saw of a replica. False if it answers an older generation."""
    observed = ReplicaRecord.update(
        state=state, observed_generation=generation, observed_at=cp.clock(), **columns
    ).where(ReplicaRecord.id == replica.id, ReplicaRecord.generation == generation)
    return bool(observed.execute())
