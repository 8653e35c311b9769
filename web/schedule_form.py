"""A schedule as people say it: every hour, each day or week at a time, or a cron line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from babel.dates import format_datetime, get_day_names, get_timezone
from flask_babel import gettext

from control_plane.domain.errors import ScheduleInvalid
from control_plane.domain.schedules import Schedule
from web.formatting import duration
from web.languages import locale

PREFIX = "parameter."  # by which the page's script shows a field where another one's value wants it
NEVER, HOURLY, DAILY, WEEKLY, CRON = "never", "hourly", "daily", "weekly", "cron"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR = 3600.0
_AT = re.compile(r"(?P<minute>[0-9]{1,2}) (?P<hour>[0-9]{1,2}) \* \* (?P<day>\*|mon|tue|wed|thu|fri|sat|sun)")
_TIME = re.compile(r"(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])")


@dataclass(frozen=True)
class Filled:
    """The form's fields as texts."""

    often: str = NEVER
    time: str = "03:00"
    day: str = "mon"
    cron: str = ""
    zone: str = "UTC"
    is_new: bool = False  # nobody has chosen a time zone yet: the page's script takes the browser's


def filled(schedule: Schedule) -> Filled:
    """The form as a schedule has it."""
    if schedule.every == _HOUR:
        return Filled(HOURLY, is_new=True)
    zone = schedule.time_zone
    found = _AT.fullmatch(schedule.cron)
    if found is None:
        return Filled(CRON if schedule.cron else NEVER, cron=schedule.cron, zone=zone, is_new=not schedule.cron)
    time = f"{int(found['hour']):02}:{int(found['minute']):02}"
    if found["day"] == "*":
        return Filled(DAILY, time, zone=zone)
    return Filled(WEEKLY, time, found["day"], zone=zone)


def read(form: Mapping[str, str]) -> Schedule:
    """What the form says. Raises ScheduleInvalid for what is no time."""
    often, zone = form.get(f"{PREFIX}often", NEVER), form.get(f"{PREFIX}zone", "").strip() or "UTC"
    if often == HOURLY:
        return Schedule(every=_HOUR)
    if often == CRON:
        return Schedule(cron=form.get(f"{PREFIX}cron", "").strip(), time_zone=zone)
    if often not in (DAILY, WEEKLY):
        return Schedule()
    found = _TIME.fullmatch(form.get(f"{PREFIX}time", "").strip())
    day = form.get(f"{PREFIX}day", "mon") if often == WEEKLY else "*"
    if found is None or day not in (*_DAYS, "*"):
        raise ScheduleInvalid(problem="HH:MM")
    return Schedule(cron=f"{int(found['minute'])} {int(found['hour'])} * * {day}", time_zone=zone)


def choices() -> list[tuple[str, str]]:
    """How often, in words."""
    return [
        (NEVER, gettext("Only when somebody asks")),
        (HOURLY, gettext("Every hour")),
        (DAILY, gettext("Every day")),
        (WEEKLY, gettext("Every week")),
        (CRON, gettext("At other times (cron)")),
    ]


def days() -> list[tuple[str, str]]:
    """The days of a week, in words."""
    names = get_day_names("wide", "stand-alone", locale())
    return [(code, str(names[number])) for number, code in enumerate(_DAYS)]


def said(schedule: Schedule) -> str:
    """A schedule in words."""
    if schedule.is_none:
        return str(gettext("Only when somebody asks"))
    if schedule.every == _HOUR:
        return str(gettext("Every hour"))
    if schedule.every:
        return str(gettext("Every %(time)s", time=duration(schedule.every, locale())))
    shown = filled(schedule)
    if shown.often == DAILY:
        return str(gettext("Every day at %(time)s (%(zone)s)", time=shown.time, zone=schedule.time_zone))
    if shown.often == WEEKLY:
        day = dict(days())[shown.day]
        return str(gettext("Each %(day)s at %(time)s (%(zone)s)", day=day, time=shown.time, zone=schedule.time_zone))
    return f"{schedule.cron} ({schedule.time_zone})"


def moment(at: float, schedule: Schedule) -> str:
    """A time as the schedule's clock shows it; empty for none."""
    if not at:
        return ""
    return str(format_datetime(at, "short", tzinfo=get_timezone(schedule.time_zone), locale=locale()))
