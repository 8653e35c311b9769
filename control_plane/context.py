"""What the services are handed: settings, blobs, a clock, and two ports out of the process that answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from control_plane.blobs import Blobs
from control_plane.domain.leases import Steadiness
from control_plane.fleet import Fleet
from control_plane.metrics import Metrics
from control_plane.preparations import Preparations
from control_plane.requests import Requests
from control_plane.settings import Settings
from control_plane.throttle import Throttle


class Answer(Protocol):
    """An answer on its way from a replica. Closing it early cancels the generation."""

    status: int  # HTTP
    content_type: str
    engine_seconds: float  # of the head: from the machine's question to its engine's first byte

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Inference(Protocol):
    """A request to a replica, answered as a stream. `rpc/serving.py` implements it."""

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        """Block until the head of the answer is there. Raises MachineWentAway, EngineFailed, DeadlineExceeded."""
        ...

    def stream(
        self, machine_id: str, replica_id: int, path: str, body: bytes, silence_seconds: float
    ) -> AsyncGenerator[tuple[int, bytes], None]:
        """The same inside the event loop: (HTTP status, bytes) piece by piece; leaving early cancels the generation."""
        ...


class Signals(Protocol):
    """Wake whoever waits on a topic. A missed signal costs nothing: who waits looks at the store again.

    Topics: `machine:<id>` (a hanging Poll), `job:<id>`, `deployment:<id>`, `draft:<id>`, `source:<id>`,
    `labelling:<id>`, `reward_dry_run:<id>`, `listener:<id>`, `project:<id>`,
    `fleet` (what is worth knowing has changed), `figures` (loads, every ten seconds), `schedule`, `people` and
    `user:<id>` (what somebody may do has changed).
    """

    def wake(self, *topics: str) -> None: ...

    def version(self, topic: str) -> int:
        """A number that grows with each wake of the topic."""
        ...

    def moment(self) -> str:
        """Now, as an opaque word: what is woken later is beyond it."""
        ...

    def seen_at(self, moment: str, topics: Iterable[str]) -> dict[str, int]:
        """The versions that whoever looked at `moment` has seen; 0 where that cannot be said."""
        ...

    def wait(self, topics: frozenset[str], seen: dict[str, int], seconds: float) -> dict[str, int]:
        """Block at most `seconds` until one of the topics is beyond `seen`; the versions that are now, by topic."""
        ...

    def subscribe(self, topics: Iterable[str], callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback(topic)` from the waking thread at each wake; the returned function ends it."""
        ...


@dataclass(frozen=True)
class ControlPlane:
    """Built once by main and handed to every service as `cp`."""

    settings: Settings
    blobs: Blobs
    clock: Callable[[], float]  # seconds since the epoch
    signals: Signals
    inference: Inference
    throttle: Throttle
    fleet: Fleet  # who is here
    steadiness: Steadiness  # of the clock: see services/fleet/attempts.py::expire_leases
    metrics: Metrics = field(default_factory=Metrics)
    requests: Requests = field(default_factory=Requests)  # passed on, and not yet written down
    preparations: Preparations = field(default_factory=Preparations)
    labellings: Preparations = field(default_factory=Preparations)  # that ask for answers
    dry_runs: Preparations = field(default_factory=Preparations)  # of rewards
    deliveries: Preparations = field(default_factory=Preparations)  # listeners that are being told something
    report_faults: Counter[int] = field(default_factory=Counter)  # attempt → its reports in a row that met a defect
