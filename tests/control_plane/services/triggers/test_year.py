"""A year of schedules by a clock that is turned: in three time zones each local time starts one run, and no second one.

The runs themselves are not started here, which would cost hours: `_start` is replaced by one that notes that it was
asked. What is real are the triggers, their rows and the looking.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.domain.schedules import Schedule
from control_plane.domain.workflows.triggers import SCHEDULE, STARTED, Quiet
from control_plane.services.triggers import firing, setting
from control_plane.services.triggers.setting import Wanted
from control_plane.store.triggers import FiringRecord, TriggerRecord
from support import FakeClock

YEAR = 2026
# zone → a time of each day, the day on which the clock leaves it out and what it becomes, the day that has it twice
CHANGES = {
    "Europe/Berlin": ("30 2 * * *", date(2026, 3, 29), "03:30", date(2026, 10, 25)),
    "America/New_York": ("30 1 * * *", None, "", date(2026, 11, 1)),
    "Australia/Lord_Howe": ("15 2 * * *", date(2026, 10, 4), "02:45", None),
}


@pytest.fixture
def database_address() -> str:
    """SQLite: the clock is the same on both, and a year is long."""
    return ""


def test_a_year_in_three_time_zones(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firing, "_start", lambda _cp, one: bool(_noted(one)))
    clock.now = datetime(YEAR, 1, 1, tzinfo=ZoneInfo("Pacific/Kiritimati")).timestamp()  # where the year begins first
    triggers = {
        zone: setting.add(ada, cp, workflow, Wanted(SCHEDULE, Schedule(cron=cron, time_zone=zone)))[0].id
        for zone, (cron, *_) in CHANGES.items()
    }
    end = datetime(YEAR + 1, 1, 2, tzinfo=ZoneInfo("Pacific/Honolulu")).timestamp()
    while clock.now < end:
        clock.now = min(one.next_at for one in TriggerRecord.select()) + 2.0
        firing.look(cp)
        firing.look(cp)  # a second look at the same moment
    for zone, (cron, left_out, instead, twice) in CHANGES.items():
        minute, hour = cron.split()[:2]
        usual = f"{int(hour):02}:{int(minute):02}"
        fired = [
            datetime.fromtimestamp(one.due_at, ZoneInfo(zone))
            for one in FiringRecord.select().where(FiringRecord.trigger == triggers[zone]).order_by(FiringRecord.id)
        ]
        mine = [one for one in fired if one.year == YEAR]
        days = Counter(one.date() for one in mine)
        every = [date(YEAR, 1, 1) + timedelta(days=number) for number in range(365)]
        assert days == Counter(every), f"{zone}: each day once"
        unusual = {one.date(): one.strftime("%H:%M") for one in mine if one.strftime("%H:%M") != usual}
        assert unusual == ({left_out: instead} if left_out else {}), zone
        if twice:
            (double,) = [one for one in mine if one.date() == twice]
            assert double.fold == 0, "of an hour that comes twice, the first"
        assert all(later > earlier for earlier, later in pairwise(one.timestamp() for one in mine))


def _noted(one: FiringRecord) -> int:
    return FiringRecord.update(outcome=STARTED).where(FiringRecord.id == one.id, FiringRecord.outcome == "").execute()


@pytest.mark.parametrize(
    ("begin", "end", "at", "becomes"),
    [
        ("22:00", "06:00", "2026-06-01T23:30", "2026-06-02T06:00"),
        ("22:00", "06:00", "2026-06-02T05:59", "2026-06-02T06:00"),
        ("22:00", "06:00", "2026-06-02T06:00", "2026-06-02T06:00"),
        ("22:00", "06:00", "2026-06-01T21:59", "2026-06-01T21:59"),
        ("08:00", "18:00", "2026-06-01T12:00", "2026-06-01T18:00"),
        ("22:00", "02:30", "2026-03-29T01:00", "2026-03-29T03:30"),  # 02:30 is left out on that day
        ("22:00", "02:30", "2026-10-25T01:00", "2026-10-25T02:30"),  # the first of two
    ],
)
def test_quiet_hours_put_off_to_their_end(begin: str, end: str, at: str, becomes: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    after = Quiet(begin, end, "Europe/Berlin").after(datetime.fromisoformat(at).replace(tzinfo=zone).timestamp())
    assert datetime.fromtimestamp(after, zone).strftime("%Y-%m-%dT%H:%M") == becomes
