"""The next time of a schedule."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

from control_plane.domain.errors import ScheduleInvalid
from control_plane.domain.schedules import LONGEST, SHORTEST, Schedule

_LOOKED_AT = 5  # times of a calendar that are held against the shortest distance
_LONGEST_CRON = 100  # characters
_DAYS = re.compile(r"(?P<first>[0-9])(-(?P<last>[0-9]))?(/(?P<step>[1-7]))?")
_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def checked(schedule: Schedule, now: float) -> Schedule:
    """The schedule itself. Raises ScheduleInvalid for what names no time, or times too close."""
    if schedule.every and schedule.cron:
        raise ScheduleInvalid(problem="every + cron")
    if schedule.every and not SHORTEST <= schedule.every <= LONGEST:
        raise ScheduleInvalid(problem=f"{SHORTEST:g} s … {LONGEST:g} s")
    if schedule.cron:
        _hold_distance(schedule, now)
    return schedule


def next_after(schedule: Schedule, now: float) -> float:
    """The first time after `now`, in seconds since the epoch; 0 for none. Raises ScheduleInvalid."""
    if schedule.every:
        return now + schedule.every
    if not schedule.cron:
        return 0.0
    found = _next(_trigger(schedule), now)
    if found is None:
        raise ScheduleInvalid(problem=schedule.cron)
    return found


@cache
def zones() -> frozenset[str]:
    """The names of all time zones that this machine knows, looked for once: they are hundreds of files."""
    return frozenset(available_timezones())


def time_zones() -> list[str]:
    """The same in order."""
    return sorted(zones())


def _hold_distance(schedule: Schedule, now: float) -> None:
    trigger, at = _trigger(schedule), now
    for number in range(_LOOKED_AT):
        following = _next(trigger, at)
        if following is None:
            raise ScheduleInvalid(problem=schedule.cron)
        if number and following - at < SHORTEST:
            raise ScheduleInvalid(problem=f"≥ {SHORTEST:g} s")
        at = following


def _trigger(schedule: Schedule) -> CronTrigger:
    if schedule.time_zone not in zones():
        raise ScheduleInvalid(problem=schedule.time_zone[:64])
    if len(schedule.cron) > _LONGEST_CRON:
        raise ScheduleInvalid(problem=f"≤ {_LONGEST_CRON}")
    try:
        return CronTrigger.from_crontab(_with_named_days(schedule.cron), ZoneInfo(schedule.time_zone))
    except (ValueError, KeyError) as problem:
        raise ScheduleInvalid(problem=str(problem)[:200]) from problem


def _with_named_days(cron: str) -> str:
    """The line with the numbers of its weekdays as names: APScheduler counts from Monday, cron from Sunday.

    Raises ValueError.
    """
    *others, days = cron.split()
    return " ".join([*others, ",".join(_named(part) for part in days.split(","))])


def _named(part: str) -> str:
    if not (found := _DAYS.fullmatch(part)):
        return part
    first = int(found["first"])
    last = int(found["last"]) if found["last"] else 6 if found["step"] else first
    numbers = range(first, last + 1, int(found["step"] or 1))
    if not numbers or last > 7:
        raise ValueError(part)
    return ",".join(dict.fromkeys(_NAMES[number % 7] for number in numbers))


def _next(trigger: CronTrigger, after: float) -> float | None:
    """The first time later than `after`; of an hour that comes twice, as in autumn, the second is passed over."""
    while True:
        found = trigger.get_next_fire_time(None, datetime.fromtimestamp(after, UTC) + timedelta(microseconds=1))
        if found is None:
            return None
        after = found.timestamp()
        if not datetime.fromtimestamp(after, trigger.timezone).fold:
            return after
