"""Curves: every number is kept, an answer is short, and goes on from its cursor."""

import json

import pytest
from peewee import Query

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services import jobs
from control_plane.services.fleet import attempts, events, points, scheduling
from control_plane.store.jobs import AttemptRecord, EventRecord
from control_plane.store.points import PointRecord
from fleet_support import Fleet, report


def metric(step: float, **values: float) -> str:
    return json.dumps({"kind": "metric", "time": 1, "step": step, "values": values})


def tell(machine: Actor, cp: ControlPlane, attempt: AttemptRecord, lines: list[str]) -> int:
    begins = AttemptRecord.get_by_id(attempt.id).event_sequence
    for at in range(0, len(lines), 500):
        numbered = list(enumerate(lines[at : at + 500], begins + at + 1))
        events.append(machine, cp, attempt.id, attempt.fence, numbered)
    return begins + len(lines)


def curve(job_id: int, name: str = "loss", after: int = 0) -> list[list[float]]:
    found = points.series(job_id, after)["series"]
    return next((one["points"] for one in found if one["name"] == name), [])


def test_a_long_curve_is_short_and_keeps_its_ends_and_its_peaks(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord
) -> None:
    count = 12_345
    lines = [metric(step, loss=1000.0 if step == 7_777 else -5.0 if step == 4_321 else 1.0) for step in range(count)]
    tell(machine, cp, attempt, lines)
    shown = curve(attempt.job_id)
    assert 200 < len(shown) <= points.MOST_SHOWN
    assert shown[0] == [0, 1.0] and shown[-1] == [count - 1, 1.0]
    assert [7_777, 1000.0] in shown and [4_321, -5.0] in shown
    assert shown == sorted(shown)
    assert PointRecord.select().where(PointRecord.level == 0).count() == count
    assert PointRecord.select().count() < count * 1.1


@pytest.mark.parametrize("batch", [1, 63, 64, 65, 500])
def test_the_levels_are_the_same_however_the_batches_fall(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord, batch: int
) -> None:
    lines = [metric(step, loss=(step * 37) % 101) for step in range(600)]
    for at in range(0, len(lines), batch):
        tell(machine, cp, attempt, lines[at : at + batch])
    query = PointRecord.select(PointRecord.position).where(PointRecord.level == 2)
    values = [(step * 37) % 101 for step in range(600)]
    expected = []
    for first in (0, 256):
        bucket = range(first, first + 256)
        telling = {bucket[0], min(bucket, key=values.__getitem__), max(bucket, key=values.__getitem__), bucket[-1]}
        expected += sorted(telling)
    assert [one.position for one in query.order_by(PointRecord.position)] == expected


def test_a_live_page_gets_what_is_new(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    tell(machine, cp, attempt, [metric(1, loss=3.0), metric(2, loss=2.0, reward=1.0)])
    first = points.series(attempt.job_id)
    assert [one["name"] for one in first["series"]] == ["loss", "reward"]
    assert points.series(attempt.job_id, first["cursor"])["series"] == []
    tell(machine, cp, attempt, [metric(3, loss=1.0)])
    more = points.series(attempt.job_id, first["cursor"])
    assert more["series"] == [{"name": "loss", "points": [[3, 1.0]]}]
    assert points.series(attempt.job_id, more["cursor"])["series"] == []


def test_who_was_long_away_gets_the_whole_curve(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    tell(machine, cp, attempt, [metric(0, loss=1.0)])
    cursor = points.series(attempt.job_id)["cursor"]
    tell(machine, cp, attempt, [metric(step, loss=1.0) for step in range(1, 2_500)])
    again = curve(attempt.job_id, after=cursor)
    assert again[0] == [0, 1.0] and again[-1] == [2_499, 1.0] and len(again) <= points.MOST_SHOWN


def test_a_later_attempt_counts_from_where_it_began(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    tell(machine, cp, attempt, [metric(step, loss=1.0) for step in (1, 2, 3, 4)])
    cursor = points.series(attempt.job_id)["cursor"]
    attempts.lose_unheld(machine, cp, machine.id, [])
    scheduling.run_pass(cp)
    following = AttemptRecord.get(AttemptRecord.number == 2)
    attempts.accept(machine, cp, following.id, following.fence)
    report(machine, cp, following, "RUNNING")
    tell(machine, cp, following, [metric(3, loss=2.0)])
    assert curve(attempt.job_id) == [[1, 1.0], [2, 1.0], [3, 2.0]]
    assert curve(attempt.job_id, after=cursor) == [[3, 2.0]]


def test_a_curve_reads_columns_not_records(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(machine, cp, attempt, [metric(step, loss=1.0) for step in range(3_000)])
    statements, execute = [], Query.execute
    monkeypatch.setattr(Query, "execute", lambda self, *given: statements.append(self.sql()) or execute(self, *given))
    curve(attempt.job_id)
    assert len(statements) <= 8 and not any('"events"' in sql for sql, _ in statements)


def test_names_that_no_column_takes(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    line = json.dumps({"kind": "metric", "step": 1, "values": {"a\0b": 1.0, "x" * 300: 2.0}})
    tell(machine, cp, attempt, [line])
    names = [one["name"] for one in points.series(attempt.job_id)["series"]]
    assert names == ["a?b", "x" * 200]


def test_an_attempt_may_not_report_for_ever(cp: ControlPlane, fleet: Fleet, machine: Actor) -> None:
    object.__setattr__(cp.settings, "max_events", 3)
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    progress = [json.dumps({"kind": "progress", "time": 1, "step": step, "steps": 9}) for step in range(1, 8)]
    assert tell(machine, cp, attempt, progress) == AttemptRecord.get_by_id(attempt.id).event_sequence == 7
    kept = [event.body.get("code", event.body.get("step")) for event in EventRecord.select().order_by(EventRecord.id)]
    assert kept == [1, 2, 3, "events_too_many"]
    assert jobs.get(fleet.user, cp, job.id).progress == {"step": 7, "steps": 9}


def test_the_newest_events_are_shown_first(cp: ControlPlane, fleet: Fleet, machine: Actor) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    for number in (1, 2):
        scheduling.run_pass(cp)
        attempt = fleet.attempt(job.id)
        attempts.accept(machine, cp, attempt.id, attempt.fence)
        report(machine, cp, attempt, "RUNNING")
        tell(machine, cp, attempt, [metric(10 * number + step, loss=1.0) for step in range(4)])
        attempts.lose_unheld(machine, cp, machine.id, [])

    def steps(**asked: int) -> list[int]:
        return [one.body["step"] for one in jobs.newest_events(fleet.user, cp, job.id, **asked)]

    assert steps() == [23, 22, 21, 20, 13, 12, 11, 10]
    assert [steps(limit=3, offset=at) for at in (0, 3, 6)] == [[23, 22, 21], [20, 13, 12], [11, 10]]
    assert steps(limit=2, offset=5) == [12, 11] and steps(offset=8) == []
    assert jobs.count_events(fleet.user, cp, job.id, "metric") == 8
    assert jobs.count_events(fleet.user, cp, job.id, "message") == 0
    told = jobs.events(fleet.user, cp, job.id, limit=5)
    rest = jobs.events(fleet.user, cp, job.id, after=told[-1].id)
    assert [one.body["step"] for one in told + rest] == [10, 11, 12, 13, 20, 21, 22, 23]


def test_one_call_carries_so_much_and_no_more(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    """200 events of 60 kB in one call were all written under the write lock."""
    large = json.dumps({"kind": "message", "text": "x" * 60_000})
    taken = events.append(machine, cp, attempt.id, attempt.fence, [(number, large) for number in range(1, 201)])
    assert 60 < taken < 80
    small = [(number, metric(number, loss=1.0)) for number in range(taken + 1, taken + 1_501)]
    assert events.append(machine, cp, attempt.id, attempt.fence, small) == taken + 1_000
