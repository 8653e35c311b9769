"""Next times: of calendars in time zones, with weekdays as cron counts them, through changes of the clock."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from control_plane.domain.errors import ScheduleInvalid
from control_plane.domain.schedules import Schedule
from control_plane.services import schedules

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def following(cron: str, now: str, count: int = 3, zone: str = "Europe/Berlin") -> list[str]:
    found, moment = [], at(now)
    for _ in range(count):
        moment = schedules.next_after(Schedule(cron=cron, time_zone=zone), moment)
        found.append(datetime.fromtimestamp(moment, BERLIN).strftime("%a %d.%m. %H:%M"))
    return found


def test_times_of_a_calendar() -> None:
    assert following("0 6 * * *", "2026-06-01T06:00") == ["Tue 02.06. 06:00", "Wed 03.06. 06:00", "Thu 04.06. 06:00"]
    assert following("0 6 1 * *", "2026-06-01T05:59", 2) == ["Mon 01.06. 06:00", "Wed 01.07. 06:00"]
    assert following("0 6 * * *", "2026-06-01T00:00", 1, "Asia/Shanghai") == ["Tue 02.06. 00:00"]


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("1", "Mon Mon"), ("0", "Sun Sun"), ("7", "Sun Sun"), ("1-2", "Mon Tue"), ("5-7", "Fri Sat"),
        ("0,3", "Wed Sun"), ("mon", "Mon Mon"), ("sat,1", "Mon Sat"), ("1/3", "Mon Thu"), ("*", "Mon Tue"),
        ("mon-tue", "Mon Tue"),
    ],
)  # fmt: skip
def test_weekdays_are_counted_as_cron_does(days: str, found: str) -> None:
    times = following(f"0 6 * * {days}", "2026-06-01T00:00", 2)  # a Monday
    assert " ".join(one[:3] for one in times) == found


def test_a_clock_that_is_changed_skips_nothing_and_repeats_nothing() -> None:
    spring = following("30 2 * * *", "2026-03-28T12:00", 2)  # at two it becomes three
    assert [one[:3] for one in spring] in (["Sun", "Mon"], ["Mon", "Tue"])
    assert following("30 2 * * *", "2026-10-24T12:00", 2) == ["Sun 25.10. 02:30", "Mon 26.10. 02:30"]
    moment, wished = at("2026-10-24T12:00"), Schedule(cron="*/30 * * * *", time_zone="Europe/Berlin")
    times = [moment := schedules.next_after(wished, moment) for _ in range(60)]
    assert all(later > earlier for earlier, later in pairwise(times))


def test_every_so_often() -> None:
    assert schedules.next_after(Schedule(every=600), 1_000.0) == 1_600.0
    assert schedules.next_after(Schedule(), 1_000.0) == 0.0


@pytest.mark.parametrize(
    "wished",
    [
        Schedule(every=1), Schedule(every=-600), Schedule(every=float("nan")), Schedule(every=1e12),
        Schedule(every=600, cron="0 6 * * *"), Schedule(cron="* * * * *"), Schedule(cron="*/2 * * * *"),
        Schedule(cron="0 6 30 2 *"), Schedule(cron="0 6"), Schedule(cron="0 6 * * 8"), Schedule(cron="0 6 * * 5-1"),
        Schedule(cron="x" * 10_000), Schedule(cron="0 6 * * *", time_zone="../../etc/passwd"), Schedule(cron=" "),
        Schedule(cron="0 6 * * *", time_zone=""), Schedule(cron="\0"), Schedule(cron="99 99 99 99 99"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(wished: Schedule) -> None:
    with pytest.raises(ScheduleInvalid):
        schedules.checked(wished, at("2026-06-01T00:00"))
