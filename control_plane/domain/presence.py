"""What a machine says about itself in Hello and Heartbeat, and what it is answered: fleet.proto's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

CONTINUE, STOP, UPLOAD_ONLY = "continue", "stop", "upload_only"  # verdicts


class Held(NamedTuple):
    """An attempt that a machine believes to hold."""

    attempt_id: int
    fence: int


@dataclass(frozen=True)
class Verdict:
    """What shall become of a held attempt: continue, stop, or only upload what is left."""

    attempt_id: int
    verdict: str
    fence: int


@dataclass(frozen=True)
class Lease:
    """How long a machine may go on with an attempt without being heard."""

    attempt_id: int
    fence: int
    seconds_left: float


@dataclass(frozen=True)
class ReplicaStatus:
    """What a machine observes of a replica; `generation` is that of the instruction that this answers."""

    replica_id: int
    generation: int
    state: str  # STARTING | SERVING | STOPPED | FAILED
    reason: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    restarts: int = 0
    memory: int = 0  # bytes of the engine's process


@dataclass(frozen=True)
class Hello:
    """How a session opens; `inventory` is fleet.proto's Inventory as a dict with proto field names."""

    agent_version: str
    boot_id: str
    inventory: Mapping[str, object]
    held: tuple[Held, ...]


@dataclass(frozen=True)
class Heartbeat:
    """A machine's regular report; `inventory` as in Hello."""

    epoch: int
    inventory: Mapping[str, object]
    held: tuple[Held, ...]
    replicas: tuple[ReplicaStatus, ...]


@dataclass(frozen=True)
class HelloAnswer:
    """`epoch` numbers the session: later ones fence earlier ones."""

    epoch: int
    control_plane_version: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class HeartbeatAnswer:
    """Renewed leases, and the held attempts that must stop."""

    leases: tuple[Lease, ...]
    verdicts: tuple[Verdict, ...]
    instructions_waiting: bool
