"""Chats over the public API: an engine's answer, passed on piece by piece, in the event loop alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, TooMany
from control_plane.store.deployments import ReplicaRecord
from tunesmith.v1 import automation_pb2 as pb

_PATH = "/v1/chat/completions"
_LARGEST = 1_000_000  # bytes of a request; a message takes 1 MiB


class Chats:
    """As many at once as the settings allow; none holds a thread, so one that is cancelled leaves nothing behind."""

    def __init__(self, cp: ControlPlane) -> None:
        self._cp = cp
        self._running = 0

    async def answer(self, replica: ReplicaRecord, body: bytes) -> AsyncIterator[pb.ChatReply]:
        """The engine's answer; a caller that goes away ends the generation.

        Raises FieldInvalid, TooMany, MachineWentAway, EngineFailed, DeadlineExceeded.
        """
        if len(body) > _LARGEST:
            raise FieldInvalid(field="body", problem=f"> {_LARGEST}")
        if self._running >= self._cp.settings.chat_streams:
            raise TooMany
        self._running += 1
        self._cp.metrics.chats.labels("api").inc()
        asked = self._cp.inference.stream(replica.machine_id, replica.id, _PATH, body, self._cp.settings.chat_seconds)
        try:
            async with aclosing(asked) as pieces:
                async for status, data in pieces:
                    if data:
                        yield pb.ChatReply(status=status, data=data)
        finally:
            self._running -= 1
