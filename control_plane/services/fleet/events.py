"""What attempts report while they run: progress, metrics, checkpoints, messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import events
from control_plane.domain.permissions import Actor
from control_plane.services.fleet import attempts
from control_plane.store.database import transaction
from control_plane.store.jobs import AttemptRecord, EventRecord, JobRecord


def append(actor: Actor, cp: ControlPlane, attempt_id: int, fence: int, lines: Iterable[tuple[int, str]]) -> int:
    """Store numbered lines of events.jsonl; the highest number stored. Repeated ones are skipped, a gap ends the batch.

    Raises NotFound, Fenced.
    """
    now = cp.clock()
    with transaction():
        attempt = attempts.own(actor, attempt_id, fence)
        committed, rows, newest = attempt.event_sequence, [], None
        for sequence, line in sorted(lines):
            if sequence == committed + 1:
                event, committed = events.read(line, now), sequence
                newest = events.progress(event.body) if event.kind == events.PROGRESS else newest
                rows.append((attempt.id, sequence, event.kind, event.time, event.body))
        if rows:
            _store(attempt, rows, committed, newest)
    cp.signals.wake(f"job:{attempt.job_id}")
    return int(committed)


def _store(attempt: AttemptRecord, rows: list[Any], committed: int, progress: dict[str, Any] | None) -> None:
    fields = [EventRecord.attempt, EventRecord.sequence, EventRecord.kind, EventRecord.time, EventRecord.body]
    for first in range(0, len(rows), 100):
        EventRecord.insert_many(rows[first : first + 100], fields).execute()
    AttemptRecord.update(event_sequence=committed).where(AttemptRecord.id == attempt.id).execute()
    JobRecord.update(version=JobRecord.version + 1, progress=progress or JobRecord.progress).where(
        JobRecord.id == attempt.job_id, JobRecord.fence == attempt.fence
    ).execute()


def of_job(job_id: int, after: int = 0, kind: str = "", limit: int = 1000) -> list[EventRecord]:
    """A job's events beyond the id `after`, in order, of one kind if it is named."""
    query = (
        EventRecord.select()
        .join(AttemptRecord)
        .where(AttemptRecord.job == job_id, EventRecord.id > after)
        .order_by(EventRecord.id)
        .limit(limit)
    )
    return list(query.where(EventRecord.kind == kind) if kind else query)


def series(job_id: int, after: int = 0) -> dict[str, Any]:
    """The metrics by name as [step, value] pairs in order of step, and the cursor for the next call.

    Where a later attempt went over a step again, its value counts.
    """
    cursor, points = after, dict[str, dict[float, float]]()
    while batch := of_job(job_id, cursor, events.METRIC):
        cursor = batch[-1].id
        for event in batch:
            step = event.body.get("step")
            if isinstance(step, int | float):
                for name, value in events.metrics(event.body).items():
                    points.setdefault(name, {})[step] = value
    named = [{"name": name, "points": [list(pair) for pair in sorted(points[name].items())]} for name in sorted(points)]
    return {"series": named, "cursor": cursor}
