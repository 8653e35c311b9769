"""What happens without being asked: a table of (every so many seconds, function), and what each change wakes."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from datetime import UTC

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from control_plane.context import ControlPlane
from control_plane.services import audit_chain, garbage, traffic
from control_plane.services.access import people
from control_plane.services.datasets import drafts, preparing, rechecking, sources
from control_plane.services.fleet import attempts, machines, scheduling
from control_plane.services.labelling import fetching
from control_plane.services.listeners import deliveries, delivering, disks
from control_plane.services.rewards import dry_running
from control_plane.services.sweeps import steps as sweep_steps
from control_plane.services.things import trash
from control_plane.services.triggers import firing
from control_plane.services.workflows import steps as workflow_steps
from control_plane.store.database import release

log = logging.getLogger(__name__)

Tick = Callable[[ControlPlane], object]

TICKS: tuple[tuple[float, Tick], ...] = (
    (1.0, attempts.expire_offers),
    (1.0, attempts.watch_leases),
    (1.0, machines.mark_connectivity),
    (10.0, machines.refresh_figures),
    (traffic.WRITE_SECONDS, traffic.write),
    (traffic.FORGET_SECONDS, traffic.forget_old),
    (2.0, audit_chain.seal),
    (10.0, sweep_steps.prune),
    (garbage.PERIOD, garbage.collect),
    (trash.PERIOD, trash.purge_old),
    (drafts.PERIOD, drafts.forget_old),
    (sources.PERIOD, sources.refresh_due),
    (firing.PERIOD, firing.look),
    (firing.FORGET_SECONDS, firing.forget_old),
    (disks.PERIOD, disks.watch),
    (deliveries.PERIOD, deliveries.forget_old),
    (deliveries.PERIOD, delivering.give_up_excess),
    (3_600.0, people.clean_sessions),
    (3_600.0, audit_chain.check_daily),
)


def _pass(cp: ControlPlane) -> int:
    with cp.metrics.passes.time():
        return scheduling.run_pass(cp)


# what looks again whenever one of these, a job or a deployment has changed, each in a thread of its own
WOKEN: tuple[Tick, ...] = (
    _pass,
    workflow_steps.advance,
    sweep_steps.advance,
    preparing.advance,
    rechecking.advance,
    fetching.advance,
    dry_running.advance,
    delivering.advance,
)

AT_LEAST_EVERY = 1.0  # seconds
AT_MOST_EVERY = 0.2
_END_SECONDS = 2.0  # for a listener that is being told something


class Ticks:
    """Runs the table, and the functions of WOKEN whenever the topic `schedule` is woken."""

    def __init__(self, cp: ControlPlane) -> None:
        self._cp = cp
        self._stopping = threading.Event()
        self._wanted = [threading.Event() for _ in WOKEN]
        self._threads = [
            threading.Thread(target=self._run, args=pair, name=_name(pair[0]), daemon=True)
            for pair in zip(WOKEN, self._wanted, strict=True)
        ]
        self._table = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(2)})
        for seconds, tick in TICKS:
            self._add(seconds, tick)
        self._add(cp.settings.presence_write_seconds, machines.write_presence)

    def _add(self, seconds: float, tick: Tick) -> None:
        hop = _hop(tick)
        self._table.add_job(hop, "interval", [self._cp], seconds=seconds, coalesce=True, misfire_grace_time=None)

    def start(self) -> None:
        self._unsubscribe = self._cp.signals.subscribe(["schedule"], lambda _: self._wake())
        for thread in self._threads:
            thread.start()
        self._table.start()

    def stop(self) -> None:
        """Return when no tick runs any more."""
        self._unsubscribe()
        self._stopping.set()
        self._wake()
        self._table.shutdown()
        for thread in self._threads:
            thread.join()
        self._cp.preparations.close()
        self._cp.labellings.close()
        self._cp.dry_runs.close()
        self._cp.deliveries.close_within(_END_SECONDS)  # what was not noted as told is told again
        machines.write_presence(self._cp)
        traffic.write(self._cp)

    def _wake(self) -> None:
        for wanted in self._wanted:
            wanted.set()

    def _run(self, look: Tick, wanted: threading.Event) -> None:
        while not self._stopping.is_set():
            wanted.wait(AT_LEAST_EVERY)
            wanted.clear()
            try:
                look(self._cp)
            except Exception:  # a loop's top: the next look may well succeed, and jobs wait for it
                log.exception("%s failed", _name(look))
            release()
            self._stopping.wait(AT_MOST_EVERY)


def _name(tick: Tick) -> str:
    return f"{tick.__module__.removeprefix('control_plane.services.')}.{tick.__name__}"


def _hop(tick: Tick) -> Tick:
    """The tick, holding no database connection until its next time."""

    @functools.wraps(tick)
    def hop(cp: ControlPlane) -> object:
        try:
            return tick(cp)
        finally:
            release()

    return hop
