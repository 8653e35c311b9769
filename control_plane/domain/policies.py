"""What a job's owner asks of the scheduler."""

from __future__ import annotations

from dataclasses import dataclass

from control_plane.domain.errors import FieldInvalid

REQUEUE, FAIL = "requeue", "fail"
_UTMOST_PRIORITY = 100
_LATEST = 4_102_444_800.0  # the year 2100, seconds since the epoch
_SHORTEST_RUN, _LONGEST_RUN = 1.0, 365 * 86_400.0  # seconds
_SHORTEST_LOST_AFTER, _LONGEST_LOST_AFTER = 30.0, 30 * 86_400.0  # seconds


@dataclass(frozen=True)
class Policy:
    """When a job is planned, how long it may run, and what a machine's silence means for it."""

    priority: int = 0  # −100 … 100; of two that wait the higher one is planned first
    not_before: float = 0.0  # seconds since the epoch
    lost_after: float | None = None  # seconds of silence, 30 s to 30 days; None: by the machine's class
    when_lost: str = REQUEUE  # requeue | fail
    time_limit: float | None = None  # seconds that an attempt may run, 1 s to a year; None: by the method's kind

    def check(self) -> None:
        """Raises FieldInvalid."""
        if not -_UTMOST_PRIORITY <= self.priority <= _UTMOST_PRIORITY:
            raise FieldInvalid(field="priority", problem=f"-{_UTMOST_PRIORITY} … {_UTMOST_PRIORITY}")
        if not 0 <= self.not_before <= _LATEST:  # written so that NaN, which compares with nothing, is refused too
            raise FieldInvalid(field="not_before", problem=f"0 … {_LATEST:.0f} s")
        if self.lost_after is not None and not _SHORTEST_LOST_AFTER <= self.lost_after <= _LONGEST_LOST_AFTER:
            raise FieldInvalid(field="lost_after", problem=f"{_SHORTEST_LOST_AFTER:.0f} … {_LONGEST_LOST_AFTER:.0f} s")
        if self.time_limit is not None and not _SHORTEST_RUN <= self.time_limit <= _LONGEST_RUN:
            raise FieldInvalid(field="time_limit", problem=f"{_SHORTEST_RUN:.0f} … {_LONGEST_RUN:.0f} s")
        if self.when_lost not in (REQUEUE, FAIL):
            raise FieldInvalid(field="when_lost", problem=f"{REQUEUE} | {FAIL}")
