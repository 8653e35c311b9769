"""The scheduler's pass: look, plan, offer; and say of each other job why it waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import QUEUED
from control_plane.domain.matching import BUSY, Placement, plan
from control_plane.domain.permissions import SYSTEM
from control_plane.services import deployments, transitions
from control_plane.services.fleet import snapshots
from control_plane.store.database import transaction
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord

# what one transaction writes at most, so that no machine's report waits long behind a pass; the rest is the next pass's
_OFFERS_AT_ONCE = 50
_REASONS_AT_ONCE = 200  # different ones; any number of jobs may share a reason
_IDS_AT_ONCE = 500


def run_pass(cp: ControlPlane) -> int:
    """Offer queued jobs to machines, and place the deployments that nobody serves; how many offers were made.

    The plan is made from a snapshot, so each offer is checked again in the transaction that writes it.
    """
    deployments.place(cp)
    planned = plan(snapshots.take(cp))
    topics: list[str] = []
    with transaction():
        made = [_offer(cp, placement, topics) for placement in planned.offers[:_OFFERS_AT_ONCE]]
    complete = _explain(planned.waiting, topics) and len(planned.offers) == sum(made)
    cp.signals.wake(*dict.fromkeys(topics), *(() if complete else ("schedule",)))
    return sum(made)


def _offer(cp: ControlPlane, placement: Placement, topics: list[str]) -> bool:
    job = JobRecord.get_by_id(placement.job_id)
    machine = MachineRecord.get_by_id(placement.machine_id)
    attempt = transitions.offer(SYSTEM, cp, job, machine, placement.grants)
    if attempt is None:
        return False
    topics += [f"machine:{machine.id}", f"job:{job.id}", f"project:{job.project_id}"]
    return True


def _explain(waiting: Mapping[int, tuple[str, dict[str, object]]], topics: list[str]) -> bool:
    """Store why jobs wait, where that has changed, and tell who looks at them; whether all of it is stored."""
    known = JobRecord.select(JobRecord.id, JobRecord.project, JobRecord.waiting_code, JobRecord.waiting_params).where(
        JobRecord.state == QUEUED
    )
    changed: dict[str, tuple[str, dict[str, object], list[JobRecord]]] = {}
    for job in known:
        code, params = waiting.get(job.id, ("", {}))
        if code and (job.waiting_code, job.waiting_params) != (code, params):
            changed.setdefault(f"{code} {params}", (code, params, []))[2].append(job)
    now = list(changed.values())[:_REASONS_AT_ONCE]
    with transaction():
        for code, params, jobs in now:
            _write_reason(code, params, [job.id for job in jobs])
            topics += [topic for job in jobs for topic in (f"job:{job.id}", f"project:{job.project_id}")]
    return len(now) == len(changed)


def _write_reason(code: str, params: dict[str, object], job_ids: list[int]) -> None:
    for first in range(0, len(job_ids), _IDS_AT_ONCE):
        JobRecord.update(waiting_code=code, waiting_params=params, version=JobRecord.version + 1).where(
            JobRecord.id.in_(job_ids[first : first + _IDS_AT_ONCE]),
            JobRecord.state == QUEUED,
            JobRecord.waiting_code != "offered",
        ).execute()


def ahead(job_ids: Collection[int]) -> dict[int, int]:
    """Of those of the jobs that wait for a device: how many such jobs are planned before each.

    Counted when somebody looks; stored, it would change for everybody with each job that ends. The caller has shown
    that it may see the jobs. By priority and age: a project's recent share may still change the order.
    """
    waiting = (
        JobRecord.select(JobRecord.id)
        .where(JobRecord.state == QUEUED, JobRecord.waiting_code == BUSY)
        .order_by(JobRecord.priority.desc(), JobRecord.created_at, JobRecord.id)
    )
    wanted = set(job_ids)
    return {int(job.id): place for place, job in enumerate(waiting) if job.id in wanted} if wanted else {}
