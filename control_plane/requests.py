"""How many requests were passed on to deployments since it was last written down. Written by `services/traffic.py`."""

from __future__ import annotations

import threading
from collections import Counter

Counts = Counter[tuple[int, int]]  # (deployment, start of its period in seconds since the epoch) → requests

PERIOD = 1_800  # seconds


class Requests:
    """May be used from any thread. What was counted after the last writing is lost with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counts = Counter()

    def count(self, deployment_id: int, now: float) -> None:
        """One more."""
        with self._lock:
            self._counts[deployment_id, period(now)] += 1

    def take(self) -> Counts:
        """Everything counted since the last time."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return taken

    def put_back(self, taken: Counts) -> None:
        """What could not be written counts again."""
        with self._lock:
            self._counts += taken


def period(at: float) -> int:
    """The start of the period that a moment lies in, in seconds since the epoch."""
    return int(at // PERIOD) * PERIOD
