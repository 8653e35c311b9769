"""When something is done by itself: every so often, or at times of a calendar in a time zone."""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST = 300.0  # seconds between two times
LONGEST = 366 * 86_400.0


@dataclass(frozen=True)
class Schedule:
    """One of the two, or neither: then only when somebody asks."""

    every: float = 0.0  # seconds
    cron: str = ""  # minute, hour, day of the month, month, day of the week
    time_zone: str = "UTC"  # of the calendar, as IANA names it

    @property
    def is_none(self) -> bool:
        return not self.every and not self.cron
