"""How busy deployments are: requests by period, written in groups by a tick and read for a curve."""

from __future__ import annotations

from collections.abc import Collection

from peewee import EXCLUDED

from control_plane.context import ControlPlane
from control_plane.requests import PERIOD, period
from control_plane.store.database import transaction
from control_plane.store.deployments import DeploymentRecord, TrafficRecord

SHOWN = 48  # periods: a day
WRITE_SECONDS = 10.0
FORGET_SECONDS = 3_600.0
_KEPT_SECONDS = 30 * 86_400


def write(cp: ControlPlane) -> None:
    """Write what was counted since the last time, in one transaction for all deployments."""
    taken, written = cp.requests.take(), False
    if not taken:
        return
    try:
        with transaction():
            named = {key for key, _ in taken}
            there = DeploymentRecord.select(DeploymentRecord.id).where(DeploymentRecord.id.in_(named))
            kept = {one.id for one in there}  # others were purged meanwhile
            rows = [(key, start, count) for (key, start), count in sorted(taken.items()) if key in kept]
            if rows:
                TrafficRecord.insert_many(
                    rows, [TrafficRecord.deployment, TrafficRecord.started_at, TrafficRecord.requests]
                ).on_conflict(
                    conflict_target=[TrafficRecord.deployment, TrafficRecord.started_at],
                    update={TrafficRecord.requests: TrafficRecord.requests + EXCLUDED.requests},
                ).execute()
        written = True
    finally:
        if not written:
            cp.requests.put_back(taken)


def forget_old(cp: ControlPlane) -> int:
    """Remove what is older than a month; how many rows."""
    return int(TrafficRecord.delete().where(TrafficRecord.started_at < period(cp.clock()) - _KEPT_SECONDS).execute())


def last_day(cp: ControlPlane, deployments: Collection[int]) -> dict[int, list[int]]:
    """Requests of each of the last `SHOWN` periods, the oldest first and the present one last, by deployment.

    Whoever asks has made sure that these deployments may be seen.
    """
    newest = period(cp.clock())
    oldest = newest - (SHOWN - 1) * PERIOD
    found = {key: [0] * SHOWN for key in deployments}
    rows = TrafficRecord.select().where(
        TrafficRecord.deployment.in_(list(deployments)), TrafficRecord.started_at >= oldest
    )
    for row in rows:
        if row.started_at <= newest:
            found[row.deployment_id][(row.started_at - oldest) // PERIOD] = row.requests
    return found
