"""When silence says something about a machine, and when it says something about ourselves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

_SHARE = 0.55  # of the fleet
_FEWEST = 3  # machines; below that, silence together is no sign
_WINDOWS = 120  # silences that began longer ago than this many windows are no news


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
