"""What a machine is told to do, as values: the mirror of fleet.proto's Instruction without the wire.

Instructions are level-triggered: they follow from the store and stand until the store says otherwise. Each has a key
that stays the same while it stands, so that the machine can say which ones it has taken up already.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FileRef:
    """A file by content. `path` is relative to its input, output or the methods folder; `size` is bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Input:
    """What a method is given to read, or a replica to serve."""

    name: str
    kind: str  # model | dataset
    form: str = ""  # of a model: base | adapter | merged | gguf | reward
    format: str = ""  # of a dataset
    files: tuple[FileRef, ...] = ()
    base: Input | None = None  # of an adapter: what it sits on


@dataclass(frozen=True)
class Output:
    """What a method promises; `path` is relative to its output folder."""

    name: str
    kind: str  # model | evaluation | file
    path: str
    form: str = ""


@dataclass(frozen=True)
class Offer:
    """An attempt that a machine may accept, complete: it needs to ask for nothing but blobs."""

    attempt_id: int
    fence: int
    job_id: int
    method: str
    method_hash: str
    entry: str
    network: bool
    code: tuple[FileRef, ...]
    requirements: str
    environment_lock: str  # empty for a first build
    parameters: dict[str, object]  # complete
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    devices: tuple[str, ...]  # uuids
    seed: int
    resume: Input | None = None  # the newest committed checkpoint
    threads: int = 0  # 0 = all of the device
    time_limit: float = 0.0  # seconds that the trainer may run; 0: without a limit
    memory_bytes: int = 0  # the estimate, where a limit of main memory is to follow from it

    @property
    def key(self) -> str:
        return f"offer:{self.attempt_id}:{self.fence}"


@dataclass(frozen=True)
class Cancel:
    """Stop an attempt because somebody asked for it."""

    attempt_id: int
    fence: int

    @property
    def key(self) -> str:
        return f"cancel:{self.attempt_id}:{self.fence}"


@dataclass(frozen=True)
class Serve:
    """Serve a model as a replica of a deployment."""

    replica_id: int
    generation: int
    deployment_id: int
    name: str  # the model name that requests carry
    model: Input  # a gguf
    context_length: int  # tokens a slot
    slots: int  # concurrent requests
    devices: tuple[str, ...] = ()  # uuids of what it was promised

    @property
    def key(self) -> str:
        return f"serve:{self.replica_id}:{self.generation}"


@dataclass(frozen=True)
class StopServing:
    """End a replica."""

    replica_id: int
    generation: int

    @property
    def key(self) -> str:
        return f"stop:{self.replica_id}:{self.generation}"


@dataclass(frozen=True)
class Drain:
    """Take no new attempts; finish those that are held."""

    key: str = field(default="drain", init=False)


Instruction = Offer | Cancel | Serve | StopServing | Drain
