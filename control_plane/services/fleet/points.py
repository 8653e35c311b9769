"""Curves of an attempt: each number as reported, and fewer for each level above, so that any length is drawn at once.

Level 1 keeps of each 64 points the first, the last, the lowest and the highest; each level above does so with four
times as many. A bucket is written when it is full and never again, so that adding points costs the same however long
the curve is. An answer takes the level on which the curve is short enough, and its end from the levels below.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from control_plane.domain.learning import HELD_OUT_LOSS, KL, LOSS, REWARD, Learning, judge, judge_reward
from control_plane.store.database import database, insert_rows
from control_plane.store.jobs import AttemptRecord
from control_plane.store.points import CurveRecord, PointRecord
from control_plane.store.statements import Prepared

SKETCHED = 32  # points of a curve as large as a word
MOST_SHOWN = 2_000  # points of a curve in one answer
_KEPT = 4  # points of a bucket
_FIRST_WIDTH = 64
_MOST_CURVES = 500  # of an attempt; what is beyond is kept as events only
_ROUND = 10_000_000  # more than an attempt has events: a cursor is number · _ROUND + sequence
_LONGEST_NAME = 200
_CURVES = Prepared(
    lambda attempt: CurveRecord.select(CurveRecord.name, CurveRecord.id, CurveRecord.count).where(
        CurveRecord.attempt == attempt
    )
)
_LENGTHEN = Prepared(
    lambda curve, count, last: CurveRecord.update(count=count, last_sequence=last).where(CurveRecord.id == curve)
)


@dataclass(frozen=True)
class Reported:
    """The numbers of one metric event."""

    sequence: int
    step: float
    values: dict[str, float]


_Row = tuple[int, int, int, int, float, float]  # as PointRecord's columns


def store(attempt_id: int, reported: Iterable[Reported]) -> None:
    """Add the points of metric events, in order; called inside the transaction that stores the events."""
    fresh: dict[str, list[tuple[int, float, float]]] = {}
    for one in reported:
        for name, value in one.values.items():
            fresh.setdefault(name.replace("\0", "?")[:_LONGEST_NAME], []).append((one.sequence, one.step, value))
    if not fresh:
        return
    known = _CURVES.execute(database.obj, attempt=attempt_id).fetchall()
    curves = {str(name): (int(curve_id), int(count)) for name, curve_id, count in known}
    for name, points in fresh.items():
        if name not in curves and len(curves) < _MOST_CURVES:
            made = CurveRecord.create(attempt=attempt_id, name=name, first_step=points[0][1])
            curves[name] = (int(made.id), 0)
        if name in curves:
            _extend(*curves[name], points)


def _extend(curve_id: int, before: int, points: Sequence[tuple[int, float, float]]) -> None:
    now = before + len(points)
    _insert([(curve_id, 0, before + at, *point) for at, point in enumerate(points)])
    level = 1
    while (first := before // _width(level)) < (end := now // _width(level)):
        _insert(list(_thinned(curve_id, level, first, end)))
        level += 1
    _LENGTHEN.execute(database.obj, curve=curve_id, count=now, last=points[-1][0])


def _width(level: int) -> int:
    return _FIRST_WIDTH * 4 ** (level - 1) if level else 1


def _thinned(curve_id: int, level: int, first: int, end: int) -> Iterator[_Row]:
    """The telling points of the buckets `first` … `end` - 1 of a level, from the level below."""
    width = _width(level)
    buckets: dict[int, list[Any]] = {}
    for point in _between(curve_id, level - 1, first * width, end * width):
        buckets.setdefault(point.position // width, []).append(point)
    for bucket in buckets.values():
        telling = (bucket[0], min(bucket, key=_value), max(bucket, key=_value), bucket[-1])
        for position, point in sorted({one.position: one for one in telling}.items()):
            yield curve_id, level, position, point.sequence, point.step, point.value


def _value(point: Any) -> float:
    return float(point.value)


def _between(curve_id: int, level: int, first: int, end: int) -> Any:
    columns = (PointRecord.position, PointRecord.sequence, PointRecord.step, PointRecord.value)
    return (
        PointRecord.select(*columns)
        .where(
            PointRecord.curve == curve_id,
            PointRecord.level == level,
            PointRecord.position >= first,
            PointRecord.position < end,
        )
        .order_by(PointRecord.position)
        .namedtuples()
    )


def _insert(rows: Sequence[_Row]) -> None:
    insert_rows(PointRecord, ("curve_id", "level", "position", "sequence", "step", "value"), rows)


def series(job_id: int, after: int = 0, names: Sequence[str] = ()) -> dict[str, Any]:
    """The curves by name as [step, value] pairs in order of step, at most MOST_SHOWN each; and the next call's cursor.

    `names`: these curves alone. With `after`, what is new since; a caller who has missed more than that gets the whole
    curve again. Where a later attempt began, the earlier ones' points from that step on no longer count.
    """
    numbers: dict[int, int] = {}
    curves: dict[str, list[CurveRecord]] = {}
    cursor = after
    wanted = AttemptRecord.job == job_id
    if names:
        wanted &= CurveRecord.name.in_(list(names))
    query: Any = CurveRecord.select(CurveRecord, AttemptRecord.number).join(AttemptRecord).where(wanted)
    for curve in query.order_by(CurveRecord.attempt).objects():
        numbers[curve.attempt_id] = int(curve.number)
        curves.setdefault(curve.name, []).append(curve)
        cursor = max(cursor, numbers[curve.attempt_id] * _ROUND + curve.last_sequence)
    answered = []
    for name, of_name in sorted(curves.items()):
        points = _answer(of_name, numbers, after)
        if points or not after:
            answered.append({"name": name, "points": points})
    return {"series": answered, "cursor": cursor}


def last_values(job_ids: Sequence[int], name: str) -> dict[int, float]:
    """job → the last value of this curve in its newest attempt that has one; of all jobs by one statement."""
    query: Any = (
        PointRecord.select(AttemptRecord.job, PointRecord.value)
        .join(CurveRecord, on=(PointRecord.curve == CurveRecord.id))
        .join(AttemptRecord, on=(CurveRecord.attempt == AttemptRecord.id))
        .where(
            AttemptRecord.job.in_(list(job_ids)),
            CurveRecord.name == name,
            PointRecord.level == 0,
            PointRecord.position == CurveRecord.count - 1,
        )
        .order_by(AttemptRecord.number)
    )
    return {int(job): float(value) for job, value in query.tuples()}


def learning(job_id: int) -> Learning | None:
    """What a job's reward says so far, or its loss where it has none, of a thinned curve where it is long.

    None where there is neither, or too little.
    """
    told = series(job_id, names=(LOSS, HELD_OUT_LOSS, REWARD, KL))["series"]
    found = {one["name"]: [value for _step, value in one["points"]] for one in told}
    if REWARD in found:
        return judge_reward(found[REWARD], found.get(KL, []))
    return judge(found.get(LOSS, []), found.get(HELD_OUT_LOSS, []))


def losses(job_ids: Sequence[int]) -> dict[int, list[float]]:
    """job → its loss as at most SKETCHED values at equal distances, of the newest attempt that reported one.

    Two statements however many jobs: for lists. The caller has shown that it may see the jobs.
    """
    query: Any = (
        CurveRecord.select(CurveRecord.id, CurveRecord.count, AttemptRecord.job)
        .join(AttemptRecord, on=(CurveRecord.attempt == AttemptRecord.id))
        .where(AttemptRecord.job.in_(list(job_ids)), CurveRecord.name == LOSS, CurveRecord.count > 0)
    )
    newest = {job: (curve, count) for curve, count, job in query.order_by(CurveRecord.attempt).tuples()}
    values: dict[int, list[float]] = {curve: [] for curve, _count in newest.values()}
    if values:
        places = (
            (PointRecord.curve == curve) & PointRecord.position.in_(_spread(count)) for curve, count in newest.values()
        )
        points: Any = PointRecord.select(PointRecord.curve, PointRecord.value).where(
            PointRecord.level == 0, reduce(operator.or_, places)
        )
        for curve, value in points.order_by(PointRecord.curve, PointRecord.position).tuples():
            values[curve].append(float(value))
    return {int(job): values[curve] for job, (curve, _count) in newest.items()}


def _spread(count: int) -> list[int]:
    """At most SKETCHED positions of so many, at equal distances, the first and the last among them."""
    most = min(count, SKETCHED)
    return [at * (count - 1) // (most - 1) for at in range(most)] if most > 1 else [0]


def _answer(curves: Sequence[CurveRecord], numbers: dict[int, int], after: int) -> list[list[float]]:
    """The points of one name over a job's attempts, the earliest first."""
    level = 0
    while sum(curve.count for curve in curves) * (_KEPT if level else 1) > MOST_SHOWN * 0.9 * _width(level):
        level += 1
    found: dict[float, float] = {}
    for at, curve in enumerate(curves):
        begins = numbers[curve.attempt_id] * _ROUND
        if begins + curve.last_sequence <= after:
            continue
        ends = min((later.first_step for later in curves[at + 1 :]), default=float("inf"))
        points = _newest(curve, after - begins) if after > begins else None
        for step, value in _whole(curve, level) if points is None else points:
            if step < ends:
                found[step] = value
    return [[step, value] for step, value in sorted(found.items())]


def _newest(curve: CurveRecord, after: int) -> list[tuple[float, float]] | None:
    """The points since the event `after`; None if they are too many for one answer."""
    query = PointRecord.select(PointRecord.sequence, PointRecord.step, PointRecord.value).where(
        PointRecord.curve == curve.id, PointRecord.level == 0, PointRecord.position >= curve.count - MOST_SHOWN
    )
    rows = list(query.order_by(PointRecord.position))
    if curve.count > MOST_SHOWN and rows[0].sequence > after:
        return None
    return [(float(one.step), float(one.value)) for one in rows if one.sequence > after]


def _whole(curve: CurveRecord, level: int) -> Iterator[tuple[float, float]]:
    """The full buckets of a level, then what is beyond them from the levels below."""
    begins = 0
    for lower in range(level, -1, -1):
        ends = curve.count // _width(lower) * _width(lower)
        if begins < ends:
            yield from ((one.step, one.value) for one in _between(curve.id, lower, begins, ends))
        begins = ends
