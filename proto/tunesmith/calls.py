"""How the client calls the public API: its connection, what is repeated, and for how long."""

from __future__ import annotations

import locale
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TypeVar

from google.protobuf.message import Message

from tunesmith.connection import Target, open_channel, retried
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.v1 import automation_pb2_grpc

HANG = 30.0  # seconds that one waiting call hangs
_CHUNK = 512 << 10  # bytes of an uploaded file in one message; the server takes messages of 1 MiB
_MARGIN = 30.0  # seconds beyond that, before a call counts as lost

R = TypeVar("R", bound=Message)
Running = TypeVar("Running", pb.WorkflowRun, pb.Sweep, pb.RewardDryRun)


class Calls:
    """A connection to a control plane. Usable by several threads, and as a context manager."""

    def __init__(self, target: Target, language: str = "", patience: float = 60.0) -> None:
        self.target = target
        self.patience = patience
        self._channel = open_channel(target)
        self._stub = automation_pb2_grpc.AutomationStub(self._channel)  # type: ignore[no-untyped-call]
        spoken = language or (locale.getlocale()[0] or "en")
        self._metadata = (("authorization", f"Bearer {target.token}"), ("accept-language", spoken.replace("_", "-")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._channel.close()

    def _ask(self, kind: type[R], method: Callable[..., Any], request: Message) -> R:
        return self._repeated(kind, lambda: method(request, metadata=self._metadata, timeout=HANG + _MARGIN))

    def _ask_once(self, kind: type[R], method: Callable[..., Any], request: Message) -> R:
        """For what must not happen twice: an answer that was lost is not asked for again."""
        return retried(kind, lambda: method(request, metadata=self._metadata, timeout=HANG + _MARGIN), 0.0)

    def _repeated(self, kind: type[R], call: Callable[[], Any]) -> R:
        return retried(kind, call, self.patience)


def followed(ask: Callable[[int], Running]) -> Iterator[Running]:
    """Each newer version of something until it has an outcome; `ask(version)` waits for one beyond that version."""
    version = 0
    while True:
        found = ask(version)
        if found.version > version:
            yield found
        version = found.version
        if found.outcome:
            return


def chunks(source: str | Path | bytes) -> Iterator[bytes]:
    """What is sent of a file, or of bytes, a message each."""
    if isinstance(source, bytes):
        yield from (source[start : start + _CHUNK] for start in range(0, len(source), _CHUNK))
        return
    with Path(source).open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
