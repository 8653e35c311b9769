"""Who is here, in memory: what heartbeats say, so that a heartbeat is no commit.

The store holds what must not be forgotten: sessions, states, what people decided. This holds what the next heartbeat
says anew: when a machine was last heard, what it has, how long its attempts may run on. A tick writes it behind.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from control_plane.domain.lifecycle import ONLINE, STALE

# figures that move by themselves; that one of them is different is no news
_FIGURES = frozenset(
    ("memory_free", "disk_free", "cpu_utilisation", "battery", "utilisation", "temperature", "power_watts")
)

Inventory = Mapping[str, Any]

LOADS_KEPT, LOADS_EVERY = 90, 20.0  # of each machine, and seconds between two: half an hour


@dataclass(frozen=True)
class Presence:
    """What is known of a machine; times in seconds since the epoch."""

    machine_class: str  # server | laptop
    epoch: int
    connectivity: str
    last_seen: float
    inventory: Inventory
    told_seconds: float = 0.0  # the interval of heartbeats that it was told last


@dataclass
class Unwritten:
    """What the store does not know yet."""

    machines: dict[str, Presence] = field(default_factory=dict)
    leases: dict[int, float] = field(default_factory=dict)  # part → until


class Fleet:
    """Thread-safe. Reads no clock and no store: both are the callers'."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._machines: dict[str, Presence] = {}
        self._here = 0  # how many of them report themselves
        self._leases: dict[int, float] = {}
        self._dirty_machines: set[str] = set()
        self._dirty_leases: set[int] = set()
        self._arrivals = itertools.count(1)
        self._opened: dict[str, int] = {}  # machine -> the arrival of the Hello that opened its session
        self._loads: dict[str, deque[tuple[float, float]]] = {}  # machine -> (when, share), the oldest first

    # ---- sessions

    def arrive(self) -> int:
        """The number of a Hello that has just come in."""
        return next(self._arrivals)

    def open(self, machine_id: str, arrival: int) -> bool:
        """Whether the Hello may open a session: none that came in later has done so."""
        with self._lock:
            if self._opened.get(machine_id, 0) > arrival:
                return False
            self._opened[machine_id] = arrival
            return True

    def put(self, machine_id: str, presence: Presence) -> None:
        """Take over what the store says, unless a newer session is known."""
        with self._lock:
            known = self._machines.get(machine_id)
            if known is None or known.epoch < presence.epoch:
                self._set(machine_id, presence)

    def get(self, machine_id: str) -> Presence | None:
        with self._lock:
            return self._machines.get(machine_id)

    def all(self) -> dict[str, Presence]:
        """A copy: machine -> presence."""
        with self._lock:
            return dict(self._machines)

    def here(self) -> int:
        """How many machines report themselves, counted as they come and go: each heartbeat asks."""
        with self._lock:
            return self._here

    def _set(self, machine_id: str, presence: Presence) -> None:
        known = self._machines.get(machine_id)
        self._here += _reports(presence) - (known is not None and _reports(known))
        self._machines[machine_id] = presence

    # ---- what changes

    def change(
        self, machine_id: str, epoch: int, update: Callable[[Presence], Presence]
    ) -> tuple[Presence, Presence] | None:
        """Put `update(before)` in place of a machine's presence: (before, after); None if the session is another."""
        with self._lock:
            before = self._machines.get(machine_id)
            if before is None or before.epoch != epoch:
                return None
            after = update(before)
            if after != before:
                self._set(machine_id, after)
                self._dirty_machines.add(machine_id)
                self._keep_load(machine_id, after)
            return before, after

    def _keep_load(self, machine_id: str, presence: Presence) -> None:
        kept = self._loads.setdefault(machine_id, deque(maxlen=LOADS_KEPT))
        busy = busy_share(presence.inventory)
        if busy is not None and (not kept or presence.last_seen - kept[-1][0] >= LOADS_EVERY):
            kept.append((presence.last_seen, busy))

    def loads(self, since: float) -> dict[str, list[float]]:
        """How busy each machine was from `since` on, as heartbeats said; forgotten when this process ends."""
        with self._lock:
            return {key: [share for at, share in kept if at >= since] for key, kept in self._loads.items()}

    def silence(self, judge: Callable[[Presence], str]) -> dict[str, Presence]:
        """Give each machine the connectivity that `judge` finds; those that changed."""
        changed = {}
        with self._lock:
            for machine_id, before in self._machines.items():
                connectivity = judge(before)
                if connectivity != before.connectivity:
                    changed[machine_id] = replace(before, connectivity=connectivity)
            for machine_id, after in changed.items():
                self._set(machine_id, after)
            self._dirty_machines.update(changed)
        return changed

    def renew(self, leases: Mapping[int, float]) -> None:
        """Take over how long parts of attempts may run on: part → until."""
        with self._lock:
            self._leases.update(leases)
            self._dirty_leases.update(leases)

    def lease_until(self, part_id: int) -> float:
        """Until when heartbeats renewed a lease; 0 where none did."""
        with self._lock:
            return self._leases.get(part_id, 0.0)

    # ---- written behind

    def take_unwritten(self, now: float) -> Unwritten:
        """What changed since the last time. Leases that ended before `now` and were written are forgotten."""
        with self._lock:
            taken = Unwritten(
                {machine_id: self._machines[machine_id] for machine_id in self._dirty_machines},
                {part_id: self._leases[part_id] for part_id in self._dirty_leases},
            )
            self._leases = {
                part_id: until
                for part_id, until in self._leases.items()
                if until >= now or part_id in self._dirty_leases
            }
            self._dirty_machines, self._dirty_leases = set(), set()
            return taken

    def put_back(self, taken: Unwritten) -> None:
        """It could not be written: it will be taken again."""
        with self._lock:
            self._dirty_machines.update(taken.machines)
            self._dirty_leases.update(part_id for part_id in taken.leases if part_id in self._leases)


def _reports(presence: Presence) -> bool:
    return presence.connectivity in (ONLINE, STALE)


def busy_share(inventory: Inventory) -> float | None:
    """How busy a machine says it is (0 … 1): its accelerators on average, else its processors; None if it does not."""
    devices = [one for one in inventory.get("devices") or () if one.get("kind") != "cpu"]
    figures = [one.get("utilisation") for one in devices] if devices else [inventory.get("cpu_utilisation")]
    known = [float(one) for one in figures if isinstance(one, int | float)]
    return sum(known) / len(known) if known else None


def is_news(before: Inventory, after: Inventory) -> bool:
    """Whether an inventory differs in more than figures that move by themselves."""
    return bool(_settled(before) != _settled(after))


def _settled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _settled(one) for key, one in value.items() if key not in _FIGURES}
    if isinstance(value, list | tuple):
        return [_settled(one) for one in value]
    return value
