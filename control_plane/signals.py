"""The Signals port inside one process: topics with version numbers, waited on by threads and by callbacks.

Whoever waits has an event of its own under the topics it asked for, so that a wake runs nobody else.
"""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable

Callback = Callable[[str], None]


class LocalSignals:
    """Wakes threads that wait and callbacks that listen. A topic's version counts all wakes up to its last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._life = secrets.token_hex(8)  # moments of an earlier process say nothing about this one's versions
        self._wakes = 1
        self._versions: dict[str, int] = {}
        self._callbacks: defaultdict[str, list[Callback]] = defaultdict(list)

    def wake(self, *topics: str) -> None:
        """Raise the version of each topic and wake whoever waits on one of them."""
        with self._lock:
            for topic in topics:
                self._wakes += 1
                self._versions[topic] = self._wakes
            callbacks = [(callback, topic) for topic in topics for callback in self._callbacks.get(topic, ())]
        for callback, topic in callbacks:
            callback(topic)

    def version(self, topic: str) -> int:
        with self._lock:
            return self._versions.get(topic, 1)

    def moment(self) -> str:
        with self._lock:
            return f"{self._life}.{self._wakes}"

    def seen_at(self, moment: str, topics: Iterable[str]) -> dict[str, int]:
        """The versions that somebody has seen who looked at `moment`: of another process, or not one at all, none."""
        life, _, number = moment.partition(".")
        wakes = (
            int(number) if life == self._life and number.isascii() and number.isdecimal() and len(number) < 19 else 0
        )
        return {topic: min(self.version(topic), wakes) for topic in topics}

    def wait(self, topics: frozenset[str], seen: dict[str, int], seconds: float) -> dict[str, int]:
        """Block at most `seconds` until a topic's version differs from the one in `seen`; the versions that are now."""
        woken = threading.Event()
        unsubscribe = self.subscribe(topics, lambda _: woken.set())
        try:
            now = self._now(topics)
            if any(now[topic] != seen.get(topic, 1) for topic in topics):
                return now
            woken.wait(seconds)
            return self._now(topics)
        finally:
            unsubscribe()

    def subscribe(self, topics: Iterable[str], callback: Callback) -> Callable[[], None]:
        """Call `callback(topic)` from the waking thread at each wake; the returned function ends it."""
        kept = list(topics)
        with self._lock:
            for topic in kept:
                self._callbacks[topic].append(callback)

        def unsubscribe() -> None:
            with self._lock:
                for topic in kept:
                    self._callbacks[topic].remove(callback)
                    if not self._callbacks[topic]:
                        del self._callbacks[topic]

        return unsubscribe

    def _now(self, topics: frozenset[str]) -> dict[str, int]:
        with self._lock:
            return {topic: self._versions.get(topic, 1) for topic in topics}
