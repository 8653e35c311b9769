"""Chats over the public API: an engine's answer, passed on piece by piece, in the event loop alone."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import completions
from control_plane.domain.errors import FieldInvalid, ParameterTypeWrong, TooMany
from control_plane.domain.refusals import refusal
from control_plane.store.deployments import ReplicaRecord
from tunesmith.v1 import automation_pb2 as pb

_PATH, _PROPERTIES = "/v1/chat/completions", "/props"
LARGEST = 1_000_000  # bytes of a request; a message takes 1 MiB


class Chats:
    """As many at once as the settings allow; none holds a thread, so one that is cancelled leaves nothing behind."""

    def __init__(self, cp: ControlPlane) -> None:
        self._cp = cp
        self._running = 0

    async def answer(self, replica: ReplicaRecord, body: bytes) -> AsyncIterator[pb.ChatReply]:
        """The engine's answer; a caller that goes away ends the generation.

        Raises FieldInvalid, ParameterInvalid, TooMany, MachineWentAway, EngineFailed, DeadlineExceeded, and whatever
        the engine's refusal means.
        """
        if len(body) > LARGEST:
            raise FieldInvalid(field="body", problem=f"> {LARGEST}")
        asked = read(body)
        completions.check_chat(asked, replica.deployment.slots)
        if self._running >= self._cp.settings.chat_streams:
            raise TooMany
        self._running += 1
        self._cp.metrics.chats.labels("api").inc()
        self._cp.requests.count(replica.deployment_id, self._cp.clock())
        try:
            if completions.forces_tool(asked):
                known = b"".join([data async for _, data in self._stream(replica, _PROPERTIES, b"")])
                body = json.dumps(completions.with_forced_tool(asked, known)).encode()
            async with aclosing(self._stream(replica, _PATH, body)) as pieces:
                status, refused = 0, bytearray()
                async for status, data in pieces:
                    if status >= 400:
                        refused += data
                    elif data:
                        yield pb.ChatReply(status=status, data=data)
            if status >= 400:
                raise refusal(status, bytes(refused))
        finally:
            self._running -= 1

    def _stream(self, replica: ReplicaRecord, path: str, body: bytes) -> AsyncGenerator[tuple[int, bytes], None]:
        seconds = self._cp.settings.chat_seconds
        return self._cp.inference.stream(replica.machine_id, replica.id, path, body, seconds)


def read(body: bytes) -> dict[str, Any]:
    """A request's body. Raises ParameterTypeWrong."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise ParameterTypeWrong(parameter="body", expected=["object"])
    return asked
