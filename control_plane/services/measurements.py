"""Figures of the whole installation, for monitoring. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import JOB_STATES, QUEUED, SERVING, Connectivity, ReplicaState
from control_plane.domain.permissions import Actor, require
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord


@dataclass(frozen=True)
class Measurements:
    """How many there are, by state; a state that nothing is in counts 0."""

    jobs: dict[str, int]
    oldest_queued_seconds: float  # age of the job that has waited longest, 0 without one
    machines: dict[str, int]  # by connectivity
    replicas: dict[str, int]  # of those that are to serve


def of_installation(actor: Actor, cp: ControlPlane) -> Measurements:
    """Raises Denied."""
    require(actor, "metrics.see")
    oldest = JobRecord.select(fn.MIN(JobRecord.created_at)).where(JobRecord.state == QUEUED).scalar()
    serving = ReplicaRecord.select().where(ReplicaRecord.desired_state == SERVING)
    return Measurements(
        jobs=_counted(JobRecord.select(), JobRecord.state, JOB_STATES),
        oldest_queued_seconds=max(0.0, cp.clock() - oldest) if oldest else 0.0,
        machines=_counted(
            MachineRecord.select().where(MachineRecord.removed_at == 0), MachineRecord.connectivity, Connectivity
        ),
        replicas=_counted(serving, ReplicaRecord.state, ReplicaState),
    )


def _counted(query: Any, column: Any, states: Iterable[str]) -> dict[str, int]:
    return {str(state): 0 for state in states} | dict(query.select(column, fn.COUNT(1)).group_by(column).tuples())
