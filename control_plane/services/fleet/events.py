"""What attempts report while they run: progress, metrics, checkpoints, messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import events
from control_plane.domain.events import Event
from control_plane.domain.permissions import Actor
from control_plane.services.fleet import attempts, points
from control_plane.store.database import database, insert_rows, transaction
from control_plane.store.jobs import AttemptRecord, EventRecord, JobRecord
from control_plane.store.statements import Prepared

_LINES_AT_ONCE = 1_000
_MOST_AT_ONCE = 4 << 20  # characters
_COMMIT = Prepared(
    lambda attempt, committed: AttemptRecord.update(event_sequence=committed).where(AttemptRecord.id == attempt)
)
_NEWS = Prepared(
    lambda job, fence: JobRecord.update(version=JobRecord.version + 1).where(
        JobRecord.id == job, JobRecord.fence == fence
    )
)
_PROGRESS = Prepared(
    lambda job, fence, progress: JobRecord.update(version=JobRecord.version + 1, progress=progress).where(
        JobRecord.id == job, JobRecord.fence == fence
    )
)


def append(actor: Actor, cp: ControlPlane, attempt_id: int, fence: int, lines: Iterable[tuple[int, str]]) -> int:
    """Store numbered lines of events.jsonl; the highest number stored. Repeated ones are skipped, a gap ends the batch,
    and so do 1,000 lines or 4 MiB of them: the caller goes on from there.

    Beyond `max_events` one warning is kept in place of the next, and the rest are acknowledged and dropped; progress
    goes on. Raises NotFound, Fenced.
    """
    now, limit = cp.clock(), cp.settings.max_events
    with transaction():
        attempt = attempts.own(actor, attempt_id, fence)
        committed, newest = attempt.event_sequence, None
        rows: list[tuple[int, Event]] = []
        room = _MOST_AT_ONCE
        for sequence, line in islice(sorted(lines), _LINES_AT_ONCE):
            if sequence == committed + 1 and room > 0:
                room -= min(len(line), events.LONGEST_LINE)
                event, committed = events.read(line, now), sequence
                newest = events.progress(event.body) if event.kind == events.PROGRESS else newest
                if sequence <= limit + 1:
                    rows.append((sequence, event if sequence <= limit else events.too_many(limit, now)))
        if committed != attempt.event_sequence:
            _store(attempt, rows, committed, newest)
    cp.signals.wake(f"job:{attempt.job_id}")
    return int(committed)


def _store(
    attempt: AttemptRecord, rows: list[tuple[int, Event]], committed: int, progress: dict[str, Any] | None
) -> None:
    values = [
        (attempt.id, sequence, event.kind, event.time, EventRecord.body.db_value(event.body))
        for sequence, event in rows
    ]
    insert_rows(EventRecord, ("attempt_id", "sequence", "kind", "time", "body"), values)
    points.store(int(attempt.id), _numbers(rows))
    _COMMIT.execute(database.obj, attempt=attempt.id, committed=committed)
    named = {"job": attempt.job_id, "fence": attempt.fence}
    if progress:
        _PROGRESS.execute(database.obj, progress=JobRecord.progress.db_value(progress), **named)
    else:
        _NEWS.execute(database.obj, **named)


def _numbers(rows: Iterable[tuple[int, Event]]) -> Iterator[points.Reported]:
    for sequence, event in rows:
        step = events.step(event.body) if event.kind == events.METRIC else None
        if step is not None:
            yield points.Reported(sequence, step, events.metrics(event.body))


def of_job(job_id: int, after: int = 0, kind: str = "", limit: int = 1000) -> list[EventRecord]:
    """A job's events beyond the id `after`, in order, of one kind if it is named.

    Read attempt by attempt in the order of the index: a page costs what it holds, however many there are.
    """
    cursor = EventRecord.select(EventRecord.attempt, EventRecord.sequence).where(EventRecord.id == after).first()
    found: list[EventRecord] = []
    for attempt_id in _attempts(job_id):
        if len(found) >= limit or (cursor and attempt_id < cursor.attempt_id):
            continue
        begins = cursor.sequence if cursor and cursor.attempt_id == attempt_id else 0
        query = _of_attempts([attempt_id], kind).where(EventRecord.sequence > begins, EventRecord.id > after)
        found.extend(query.order_by(EventRecord.sequence).limit(limit - len(found)))
    return found


def newest(job_id: int, kind: str = "", limit: int = 100, offset: int = 0) -> list[EventRecord]:
    """A page of a job's events, the newest first, of one kind if it is named."""
    found: list[EventRecord] = []
    for attempt_id in reversed(_attempts(job_id)):
        if len(found) >= limit:
            break
        query = _of_attempts([attempt_id], kind)
        found.extend(query.order_by(EventRecord.sequence.desc()).limit(limit - len(found)).offset(offset))
        offset = offset - query.count() if offset and not found else 0
    return found


def messages(job_id: int, limit: int) -> list[EventRecord]:
    """A job's newest messages, the newest first; by one statement, as an attempt has few of them."""
    attempts = AttemptRecord.select(AttemptRecord.id).where(AttemptRecord.job == job_id)
    query = _of_attempts(attempts, events.MESSAGE).order_by(EventRecord.attempt.desc(), EventRecord.sequence.desc())
    return list(query.limit(limit))


def count(job_id: int, kind: str = "") -> int:
    """How many events a job has, of one kind if it is named."""
    attempts = AttemptRecord.select(AttemptRecord.id).where(AttemptRecord.job == job_id)
    return int(_of_attempts(attempts, kind).count())


def _attempts(job_id: int) -> list[int]:
    query = AttemptRecord.select(AttemptRecord.id).where(AttemptRecord.job == job_id)
    return [int(one.id) for one in query.order_by(AttemptRecord.number)]


def _of_attempts(attempt_ids: Any, kind: str):  # type: ignore[no-untyped-def]  # peewee's queries have no types
    query = EventRecord.select().where(EventRecord.attempt.in_(attempt_ids))
    return query.where(EventRecord.kind == kind) if kind else query
