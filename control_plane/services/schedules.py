"""The next time of a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from apscheduler.triggers.cron import CronTrigger

from control_plane.domain.errors import ScheduleInvalid
from control_plane.domain.schedules import LONGEST, SHORTEST, Schedule

_LOOKED_AT = 5  # times of a calendar that are held against the shortest distance
_LONGEST_CRON = 100  # characters


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


def time_zones() -> list[str]:
    """The names of all time zones that this machine knows."""
    return sorted(available_timezones())


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
    if schedule.time_zone not in available_timezones():
        raise ScheduleInvalid(problem=schedule.time_zone[:64])
    if len(schedule.cron) > _LONGEST_CRON:
        raise ScheduleInvalid(problem=f"≤ {_LONGEST_CRON}")
    try:
        return CronTrigger.from_crontab(schedule.cron, ZoneInfo(schedule.time_zone))
    except (ValueError, KeyError) as problem:
        raise ScheduleInvalid(problem=str(problem)[:200]) from problem


def _next(trigger: CronTrigger, after: float) -> float | None:
    """The first time later than `after`."""
    found = trigger.get_next_fire_time(None, datetime.fromtimestamp(after, UTC) + timedelta(microseconds=1))
    return found.timestamp() if found else None
