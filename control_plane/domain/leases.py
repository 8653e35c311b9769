"""When silence says something about a machine, and when it says something about ourselves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

_SHARE = 0.55  # of the fleet
_FEWEST = 3  # machines; below that, silence together is no sign
_UNEVEN = 5.0  # seconds; who looks every second was not there for longer than this
_WINDOWS = 120  # silences that began longer ago than this many windows are no news


def pace(machines: int, shortest: float, per_second: float, lease: float) -> float:
    """Seconds between a machine's heartbeats: longer in a large fleet, and never beyond a fifth of a lease."""
    return max(shortest, min(machines / per_second, lease / 5))


def mass_silence(last_seen: Iterable[float], now: float, quiet: float) -> bool:
    """Whether most of the fleet fell silent within two quiet limits of each other, not long ago.

    `last_seen` and `now` are seconds since the epoch; `quiet` is the silence in seconds that counts. The fleet is what
    was heard from lately: machines that left it long ago prove nothing.
    """
    fleet = sorted(seen for seen in last_seen if seen > now - quiet * _WINDOWS)
    silent = [seen for seen in fleet if seen < now - quiet]
    if len(fleet) < _FEWEST:
        return False
    together = max((bisect_right(silent, first + 2 * quiet) - at for at, first in enumerate(silent)), default=0)
    return together > _SHARE * len(fleet)


class Steadiness:
    """Whether time has passed evenly here: this process was not stopped, its machine did not sleep, no clock was set.

    `elapsed` gives seconds from some fixed point, counting sleep. Asked by one thread, about every second.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._last: tuple[float, float] | None = None  # (wall clock, elapsed)

    def is_steady(self, now: float) -> bool:
        """Whether it was since the last time somebody asked; `now` is the wall clock. The first time it is."""
        there, self._last = self._last, (now, self._elapsed())
        if there is None:
            return True
        wall, elapsed = self._last[0] - there[0], self._last[1] - there[1]
        return elapsed <= _UNEVEN and abs(wall - elapsed) <= _UNEVEN
