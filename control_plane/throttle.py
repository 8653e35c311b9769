"""Counts what `domain/limits.py` limits, in memory: a restart forgets it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from limits import RateLimitItemPerSecond
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from control_plane.domain.errors import Slowed, TooMany
from control_plane.domain.limits import Brake, Limit

_MOST_KEYS = 10_000  # a flood of addresses must not fill the memory


class Throttle:
    """A window per limit and key, which begins with the first count in it; and per brake and key the failures."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._counts = _Counts(clock)
        self._windows = FixedWindowRateLimiter(self._counts)
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}  # count, end of the wait

    def take(self, limit: Limit, *key: str) -> None:
        """Count one. Raises TooMany where that is beyond the limit."""
        if not self._windows.hit(_item(limit), *key):
            raise TooMany

    def check(self, limit: Limit, *key: str) -> None:
        """Raises TooMany where one more would be beyond the limit; counts nothing."""
        if not self._windows.test(_item(limit), *key):
            raise TooMany

    def slow(self, brake: Brake, key: str) -> None:
        """Count a failure, unless it was one too early. Raises Slowed before the wait of earlier ones is over."""
        with self._lock:
            now = self._clock()
            failures, until = self._failures.get((brake.name, key), (0, 0.0))
            if now < until:
                raise Slowed(seconds=math.ceil(until - now))
            if len(self._failures) >= _MOST_KEYS:
                self._forget_few()
            self._failures[brake.name, key] = (failures + 1, now + brake.wait(failures + 1))

    def release(self, brake: Brake, key: str) -> None:
        """Forget the failures: one succeeded."""
        with self._lock:
            self._failures.pop((brake.name, key), None)

    def _forget_few(self) -> None:
        """Half of the keys, those with the fewest failures: a flood of names must not free one that is under attack."""
        ordered = sorted(self._failures.items(), key=lambda kept: kept[1], reverse=True)
        self._failures = dict(ordered[: _MOST_KEYS // 2])

    def give_back(self, limit: Limit, *key: str) -> None:
        """Count one less: it was harmless."""
        item = _item(limit)
        if self._counts.get(item.key_for(*key)):
            self._counts.incr(item.key_for(*key), item.get_expiry(), -1)


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.count, limit.seconds, namespace=limit.name)


class _Counts(Storage):
    """The library's own memory reads the machine's clock and starts threads; ours is handed its clock."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, float]] = {}  # count, end of the window in seconds since the epoch

    base_exceptions = ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        with self._lock:
            now = self._clock()
            if len(self._kept) >= _MOST_KEYS:
                self._forget(now)
            count, ends = self._kept.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + expiry
            self._kept[key] = (count + amount, ends)
            return count + amount

    def _forget(self, now: float) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}
        if len(self._kept) >= _MOST_KEYS:
            self._kept.clear()

    def get(self, key: str) -> int:
        count, ends = self._kept.get(key, (0, 0.0))
        return count if ends > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        return self._kept.get(key, (0, 0.0))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> None:
        self._kept.clear()

    def clear(self, key: str) -> None:
        self._kept.pop(key, None)
