"""What starts a workflow by itself: times of a calendar, new data, a new base model, another system that asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from control_plane.domain.errors import FieldInvalid, ScheduleInvalid

SCHEDULE, DATASET, BASE_MODEL, WEBHOOK = KINDS = ("schedule", "dataset", "base_model", "webhook")
ONCE, SKIP = MISSED = ("once", "skip")  # what becomes of times at which nothing ran: made up for by one run, or let go

STARTED, MISSED_OUT, REFUSED = "started", "missed", "refused"  # how a firing ended; empty while it waits

MOST = 20  # triggers of a workflow
MOST_AN_HOUR = 60  # calls of a webhook's
LATE = 300.0  # seconds after which a time counts as missed

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


@dataclass(frozen=True)
class Quiet:
    """Hours of the day in which nothing is started: what falls into them starts at their end. Empty: none.

    They may reach over midnight. The end is the first moment at which the clock of the time zone shows it, or a later
    time where that is left out as the clock is put forward.
    """

    begin: str = ""  # as 22:00
    end: str = ""
    time_zone: str = "UTC"

    @property
    def is_none(self) -> bool:
        return not self.begin and not self.end

    def after(self, at: float) -> float:
        """`at` itself, or the end of the quiet hours that it falls into; seconds since the epoch.

        Raises ScheduleInvalid where the time zone is known no longer.
        """
        if self.is_none or not self._holds(at):
            return at
        local = datetime.fromtimestamp(at, self._zone)
        hour, minute = map(int, self.end.split(":"))
        end = local.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
        if end.timestamp() <= at:
            end = (local + timedelta(days=1)).replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)
        return end.timestamp()

    def _holds(self, at: float) -> bool:
        now = datetime.fromtimestamp(at, self._zone).strftime("%H:%M")
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    @property
    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.time_zone)
        except ZoneInfoNotFoundError as problem:
            raise ScheduleInvalid(problem=self.time_zone[:64]) from problem


def checked(quiet: Quiet, zones: frozenset[str]) -> Quiet:
    """The quiet hours themselves. Raises FieldInvalid."""
    if quiet.is_none:
        return Quiet()
    if not _TIME.fullmatch(quiet.begin) or not _TIME.fullmatch(quiet.end) or quiet.begin == quiet.end:
        raise FieldInvalid(field="quiet", problem="22:00 – 06:00")
    if quiet.time_zone not in zones:
        raise FieldInvalid(field="quiet", problem=quiet.time_zone[:64])
    return quiet
