"""What is at work right now, each in its own thread: drafts and versions that are read, labellings, listeners."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

Watch = Callable[[threading.Event], None]  # returns once its process has ended; soon after the event is set
Read = tuple[str, int]  # what is at work: one of the kinds below, and its id

DRAFT, VERSION, LABELLING, LISTENER, REWARD_DRY_RUN = "draft", "version", "labelling", "listener", "reward_dry_run"


class Preparations:
    """At most one for each. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[Read, tuple[threading.Thread, threading.Event]] = {}
        self._is_closed = False

    def count(self) -> int:
        """How many processes have not ended."""
        with self._lock:
            return len(self._watched)

    def running(self, kind: str) -> frozenset[int]:
        """Those of this kind whose process has not ended."""
        with self._lock:
            return frozenset(number for of, number in self._watched if of == kind)

    def begin(self, what: Read, watch: Watch, ended: Callable[[], None]) -> bool:
        """Start the watcher; False where it has one, or where everything is about to end.

        `ended` is called in its thread once it counts no longer: another one may begin then.
        """
        stop = threading.Event()
        arguments = what, watch, stop, ended
        thread = threading.Thread(target=self._run, args=arguments, name="{}-{}".format(*what), daemon=True)
        with self._lock:
            if self._is_closed or what in self._watched:
                return False
            self._watched[what] = thread, stop
            thread.start()
        return True

    def stop(self, what: Read) -> None:
        """Have its process ended, if there is one; does not wait for it."""
        with self._lock:
            watched = self._watched.get(what)
        if watched:
            watched[1].set()

    def join(self) -> None:
        """Return when those that run now have ended."""
        with self._lock:
            threads = [thread for thread, _ in self._watched.values()]
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """Have all ended, and begin no other."""
        with self._lock:
            self._is_closed = True
            watched = list(self._watched.values())
        for _, stop in watched:
            stop.set()
        self.join()

    def close_within(self, seconds: float) -> None:
        """The same, for what may be left as it is: whoever has not ended by then is waited for no longer."""
        with self._lock:
            self._is_closed = True
            watched = list(self._watched.values())
        for _, stop in watched:
            stop.set()
        until = time.monotonic() + seconds
        for thread, _ in watched:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, what: Read, watch: Watch, stop: threading.Event, ended: Callable[[], None]) -> None:
        try:
            watch(stop)
        finally:
            with self._lock:
                del self._watched[what]
            ended()
