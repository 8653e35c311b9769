"""What happens without being asked: a table of (every so many seconds, function), and the scheduling passes."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from control_plane.context import ControlPlane
from control_plane.services import audit, garbage, guided
from control_plane.services.access import people
from control_plane.services.fleet import attempts, machines, scheduling
from control_plane.store.database import release

log = logging.getLogger(__name__)

Tick = Callable[[ControlPlane], object]

TICKS: tuple[tuple[float, Tick], ...] = (
    (1.0, attempts.expire_offers),
    (1.0, attempts.watch_leases),
    (1.0, machines.mark_connectivity),
    (10.0, machines.refresh_figures),
    (1.0, guided.advance),
    (2.0, audit.seal),
    (garbage.PERIOD, garbage.collect),
    (3_600.0, people.clean_sessions),
)

PASS_AT_LEAST_EVERY = 1.0  # seconds
PASS_AT_MOST_EVERY = 0.2


class Ticks:
    """Runs the table, and a scheduling pass whenever the topic `schedule` is woken."""

    def __init__(self, cp: ControlPlane) -> None:
        self._cp = cp
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._passes = threading.Thread(target=self._run_passes, name="scheduling", daemon=True)
        self._table = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(2)})
        for seconds, tick in TICKS:
            self._add(seconds, tick)
        self._add(cp.settings.presence_write_seconds, machines.write_presence)

    def _add(self, seconds: float, tick: Tick) -> None:
        hop = _hop(tick)
        self._table.add_job(hop, "interval", [self._cp], seconds=seconds, coalesce=True, misfire_grace_time=None)

    def start(self) -> None:
        self._unsubscribe = self._cp.signals.subscribe(["schedule"], lambda _: self._wanted.set())
        self._passes.start()
        self._table.start()

    def stop(self) -> None:
        """Return when no tick runs any more."""
        self._unsubscribe()
        self._stopping.set()
        self._wanted.set()
        self._table.shutdown()
        self._passes.join()
        machines.write_presence(self._cp)

    def _run_passes(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait(PASS_AT_LEAST_EVERY)
            self._wanted.clear()
            try:
                with self._cp.metrics.passes.time():
                    scheduling.run_pass(self._cp)
            except Exception:  # a loop's top: the next pass may well succeed, and jobs wait for it
                log.exception("A scheduling pass failed")
            release()
            self._stopping.wait(PASS_AT_MOST_EVERY)


def _hop(tick: Tick) -> Tick:
    """The tick, holding no database connection until its next time."""

    @functools.wraps(tick)
    def hop(cp: ControlPlane) -> object:
        try:
            return tick(cp)
        finally:
            release()

    return hop
