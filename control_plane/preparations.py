"""Which drafts are being prepared right now, each watched by a thread of its own. The processes are the watchers'."""

from __future__ import annotations

import threading
from collections.abc import Callable

Watch = Callable[[threading.Event], None]  # returns once its process has ended; soon after the event is set


class Preparations:
    """At most one for each draft. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[int, tuple[threading.Thread, threading.Event]] = {}
        self._is_closed = False

    def running(self) -> frozenset[int]:
        """The drafts whose process has not ended."""
        with self._lock:
            return frozenset(self._watched)

    def begin(self, draft_id: int, watch: Watch, ended: Callable[[], None]) -> bool:
        """Start the watcher; False where the draft has one, or where everything is about to end.

        `ended` is called in its thread once it counts no longer: another one may begin then.
        """
        stop = threading.Event()
        arguments = draft_id, watch, stop, ended
        thread = threading.Thread(target=self._run, args=arguments, name=f"draft-{draft_id}", daemon=True)
        with self._lock:
            if self._is_closed or draft_id in self._watched:
                return False
            self._watched[draft_id] = thread, stop
            thread.start()
        return True

    def stop(self, draft_id: int) -> None:
        """Have a draft's process ended, if there is one; does not wait for it."""
        with self._lock:
            watched = self._watched.get(draft_id)
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

    def _run(self, draft_id: int, watch: Watch, stop: threading.Event, ended: Callable[[], None]) -> None:
        try:
            watch(stop)
        finally:
            with self._lock:
                del self._watched[draft_id]
            ended()
