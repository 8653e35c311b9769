"""The only writer of `state` and `fence`: of jobs, attempts and replicas.

Each function is called inside a transaction. A change is one UPDATE guarded by the old state and the fence; zero rows
mean that somebody else was first: the caller drops what it was told. The audit entry is part of the same transaction.
Whoever calls wakes the `topics` afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import lifecycle
from control_plane.domain.errors import Fenced
from control_plane.domain.lifecycle import (
    CANCELLED,
    FAILED,
    LOST,
    OFFERED,
    PREPARING,
    QUEUED,
    SERVING,
    STARTING,
    STOPPED,
    SUCCEEDED,
)
from control_plane.domain.matching import Grant, has_room
from control_plane.domain.permissions import Actor
from control_plane.domain.policies import FAIL
from control_plane.services import audit
from control_plane.services.fleet import snapshots
from control_plane.services.listeners import outbox
from control_plane.store.allocations import AllocationRecord
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord

# a failure that says nothing about the job itself: it is queued again, like after a lost machine
_NOT_THE_JOBS_FAULT = lifecycle.MACHINE_FAULTS | {"agent_restarted"}
# a loss that somebody decided: it makes no job suspect
_NOT_COUNTED = frozenset({"machine_locked"})


def topics(job: JobRecord, *machine_ids: str) -> tuple[str, ...]:
    """What to wake after a change of this job or one of its attempts."""
    told = (f"job:{job.id}", f"project:{job.project_id}", f"notifications:{job.created_by}")
    return (*told, "schedule", *(f"machine:{one}" for one in machine_ids))


def create_job(actor: Actor, cp: ControlPlane, **columns: Any) -> JobRecord:
    """Insert a job, queued."""
    job = JobRecord.create(state=QUEUED, created_by=actor.id, created_at=cp.clock(), **columns)
    audit.record(actor, cp, "job.submit", f"job:{job.id}", job.project_id, name=job.name, kind=job.kind)
    return job


def offer(
    actor: Actor, cp: ControlPlane, job: JobRecord, machine: MachineRecord, grants: Sequence[Grant]
) -> AttemptRecord | None:
    """Promise devices to a queued job; `machine` is rank 0's.

    None if the job, a machine or a device is no longer as planned.
    """
    if any(_is_promised(grant) for grant in grants) or not still_fits(cp, grants):
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
        fence=job.fence + 1,
        state=OFFERED,
        offered_at=now,
        offer_expires_at=now + cp.settings.offer_seconds,
        hardware=machine.inventory,
    )
    for rank, machine_id in enumerate(dict.fromkeys(grant.machine_id for grant in grants)):
        own = [grant for grant in grants if grant.machine_id == machine_id]
        devices = [grant.device for grant in own]
        part = AttemptPartRecord.create(attempt=attempt, rank=rank, machine=machine_id, state=OFFERED, devices=devices)
        _allocate(own, part=part)
    audit.record(actor, cp, "attempt.offered", f"job:{job.id}", job.project_id, attempt=attempt.id, machine=machine.id)
    return attempt


def _is_promised(grant: Grant) -> bool:
    """Whether the device is closed to a newcomer, who wants it alone or would share it; engines close nothing."""
    held = AllocationRecord.select().where(
        AllocationRecord.machine == grant.machine_id,
        AllocationRecord.device == grant.device,
        AllocationRecord.part.is_null(False),
    )
    return bool((held if grant.exclusive else held.where(AllocationRecord.exclusive)).exists())


def still_fits(cp: ControlPlane, grants: Sequence[Grant]) -> bool:
    """Whether the machines still take more, and their memory is still there: two may plan from the same snapshot."""
    for machine_id in {grant.machine_id for grant in grants}:
        machine = snapshots.machine(cp, machine_id)
        if machine is None or not has_room(machine, [one for one in grants if one.machine_id == machine_id]):
            return False
    return True


def _allocate(grants: Iterable[Grant], **holder: Any) -> None:
    for grant in grants:
        AllocationRecord.create(
            machine=grant.machine_id,
            device=grant.device,
            memory_bytes=grant.memory,
            exclusive=grant.exclusive,
            **holder,
        )


def move(
    actor: Actor,
    cp: ControlPlane,
    attempt: AttemptRecord,
    state: str,
    reason: str = "",
    params: dict[str, Any] | None = None,
    lease_until: float | None = None,
    **columns: Any,
) -> bool:
    """Move an attempt, its parts and its job to `state`. False if the attempt is not where `state` may follow.

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
    parts = AttemptPartRecord.attempt == attempt.id
    AttemptPartRecord.update(state=state, **({} if lease_until is None else {"lease_until": lease_until})).where(
        parts
    ).execute()
    if over:
        AllocationRecord.delete().where(
            AllocationRecord.part.in_(AttemptPartRecord.select(AttemptPartRecord.id).where(parts))
        ).execute()
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
    counts = innocent or (state == LOST and reason not in _NOT_COUNTED)
    lost = job.lost_attempts + (1 if counts else 0)
    if after != QUEUED:
        fresh: dict[str, Any] = {"progress": {}} if state == PREPARING else {}
        ended = {"reason": reason, "reason_params": params} if after == FAILED else {}
        return {"state": after, "waiting_code": "", "waiting_params": {}} | fresh | ended
    if job.cancel_requested_at:
        return {"state": CANCELLED, "waiting_code": "", "lost_attempts": lost}
    if lost >= cp.settings.max_lost_attempts or (state == LOST and job.when_lost == FAIL):
        said = (reason, params) if reason in lifecycle.MACHINE_FAULTS else ("machines_lost", {"count": lost})
        ended = {"reason": said[0], "reason_params": said[1]}
        return {"state": FAILED, "waiting_code": "", "lost_attempts": lost} | ended
    return {"state": QUEUED, "waiting_code": "not_planned", "waiting_params": {}, "lost_attempts": lost}


def _move_job(cp: ControlPlane, job: JobRecord, fence: int, columns: dict[str, Any]) -> None:
    ended = {"ended_at": cp.clock()} if columns["state"] in lifecycle.JOB_OVER else {}
    moved = JobRecord.update(version=JobRecord.version + 1, **columns, **ended).where(
        JobRecord.id == job.id, JobRecord.fence == fence, JobRecord.state.not_in(lifecycle.JOB_OVER)
    )
    if not moved.execute():
        raise Fenced  # ends the transaction: the attempt's own row goes back too
    if columns["state"] in (SUCCEEDED, FAILED):
        _tell_end(cp, job, **columns)


def _tell_end(cp: ControlPlane, job: JobRecord, state: str, reason: str = "", **columns: Any) -> None:
    subject = {"kind": "job", "id": job.id, "name": job.name, "title": job.title}
    why = (reason, columns.get("reason_params", {}))
    event = "job.succeeded" if state == SUCCEEDED else "job.failed"
    outbox.tell(cp, event, job.project_id, subject, {"kind": job.kind}, why)


def cancel(actor: Actor, cp: ControlPlane, job: JobRecord, reason: str = "") -> bool:
    """Write down that the job is to end; one that no machine has accepted ends at once. False if it is over already.

    `reason` is an error's code: why, where nobody asked.
    """
    now = cp.clock()
    requested = JobRecord.update(cancel_requested_at=now, version=JobRecord.version + 1, reason=reason).where(
        JobRecord.id == job.id, JobRecord.state.not_in(lifecycle.JOB_OVER), JobRecord.cancel_requested_at == 0
    )
    if not requested.execute():
        return JobRecord.get_by_id(job.id).state not in lifecycle.JOB_OVER
    audit.record(actor, cp, "job.cancel", f"job:{job.id}", job.project_id, **({"reason": reason} if reason else {}))
    attempt = AttemptRecord.get_or_none(AttemptRecord.job == job.id, AttemptRecord.state == OFFERED)
    if attempt is None or not move(actor, cp, attempt, CANCELLED):
        JobRecord.update(state=CANCELLED, ended_at=now, waiting_code="").where(
            JobRecord.id == job.id, JobRecord.state == QUEUED
        ).execute()
    return True


def preempt(actor: Actor, cp: ControlPlane, attempt: AttemptRecord) -> bool:
    """Write down that an attempt is to give its devices up after a checkpoint. False if it is not running."""
    asked = AttemptRecord.update(preempt_requested_at=cp.clock()).where(
        AttemptRecord.id == attempt.id,
        AttemptRecord.fence == attempt.fence,
        AttemptRecord.state.in_(lifecycle.sources(lifecycle.PREEMPTED)),
        AttemptRecord.preempt_requested_at == 0,
    )
    if not asked.execute():
        return False
    job = JobRecord.get_by_id(attempt.job_id)
    audit.record(actor, cp, "attempt.preempt", f"job:{job.id}", job.project_id, attempt=attempt.id)
    return True


def create_replica(
    actor: Actor, cp: ControlPlane, deployment: DeploymentRecord, grants: Sequence[Grant]
) -> ReplicaRecord | None:
    """Have a machine serve a deployment; the granted memory is promised to it.

    None if the deployment is no longer as it was planned (stopped, changed, or served by another replica), or its
    machine is not.
    """
    if not still_fits(cp, grants):
        return None
    unchanged = (DeploymentRecord.id == deployment.id, DeploymentRecord.generation == deployment.generation)
    raised = DeploymentRecord.update(version=DeploymentRecord.version + 1, waiting_code="", waiting_params={}).where(
        *unchanged, DeploymentRecord.desired_state == SERVING
    )
    serving = ReplicaRecord.select().where(
        ReplicaRecord.deployment == deployment.id, ReplicaRecord.desired_state == SERVING
    )
    if serving.exists() or not raised.execute():
        return None
    replica = ReplicaRecord.create(
        deployment=deployment,
        machine=grants[0].machine_id,
        desired_state=SERVING,
        state=STARTING,
        observed_at=cp.clock(),
    )
    _allocate(grants, replica=replica)
    details = {"replica": replica.id, "machine": replica.machine_id}
    audit.record(actor, cp, "replica.create", f"deployment:{deployment.id}", deployment.project_id, **details)
    return replica


def serve_anew(cp: ControlPlane, replica: ReplicaRecord, memory: int) -> None:
    """Serve another model, or in another way, on the same machine: a new generation, with `memory` bytes promised."""
    ReplicaRecord.update(state=STARTING, generation=ReplicaRecord.generation + 1).where(
        ReplicaRecord.id == replica.id
    ).execute()
    AllocationRecord.update(memory_bytes=memory).where(AllocationRecord.replica == replica.id).execute()


def stop_replica(replica: ReplicaRecord, failed_generation: int = 0) -> None:
    """Have a replica end: a new generation, which older reports do not answer; what it was promised is free.

    `failed_generation` is the deployment's that it could not serve: its machine is not asked again for that one.
    """
    ReplicaRecord.update(
        desired_state=STOPPED, generation=ReplicaRecord.generation + 1, failed_generation=failed_generation
    ).where(ReplicaRecord.id == replica.id).execute()
    AllocationRecord.delete().where(AllocationRecord.replica == replica.id).execute()


def observe_replica(cp: ControlPlane, replica: ReplicaRecord, generation: int, state: str, **columns: Any) -> bool:
    """Take down what a machine saw of a replica. False if it answers an older generation."""
    observed = ReplicaRecord.update(
        state=state, observed_generation=generation, observed_at=cp.clock(), **columns
    ).where(ReplicaRecord.id == replica.id, ReplicaRecord.generation == generation)
    return bool(observed.execute())
