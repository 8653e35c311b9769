"""Chats over the public API: an engine's answer, passed on piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

from control_plane.context import Answer, ControlPlane
from control_plane.domain.errors import FieldInvalid, TooMany
from control_plane.store.deployments import ReplicaRecord
from tunesmith.v1 import automation_pb2 as pb

_PATH = "/v1/chat/completions"
_LARGEST = 4 << 20  # bytes of a request


class Chats:
    """Answers block while they come, so they have threads of their own: as many as may run at once."""

    def __init__(self, cp: ControlPlane) -> None:
        self._cp = cp
        self._most = cp.settings.chat_streams
        self._running = 0
        self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="chat")

    async def answer(self, replica: ReplicaRecord, body: bytes) -> AsyncIterator[pb.ChatReply]:
        """The engine's answer; a caller that goes away ends the generation.

        Raises FieldInvalid, TooMany, NothingServes, EngineFailed, DeadlineExceeded.
        """
        if len(body) > _LARGEST:
            raise FieldInvalid(field="body", problem=f"> {_LARGEST}")
        if self._running >= self._most:
            raise TooMany
        self._running += 1
        try:
            async for reply in self._relay(replica, body):
                yield reply
        finally:
            self._running -= 1

    async def _relay(self, replica: ReplicaRecord, body: bytes) -> AsyncIterator[pb.ChatReply]:
        loop, seconds = asyncio.get_running_loop(), self._cp.settings.chat_seconds
        asking = loop.run_in_executor(
            self._pool, self._cp.inference.ask, replica.machine_id, replica.id, _PATH, body, seconds
        )
        try:
            answer = await asyncio.shield(asking)
        except asyncio.CancelledError:
            # the thread cannot be stopped: end the generation as soon as its answer begins
            asking.add_done_callback(_close)
            raise
        try:
            pieces = iter(answer)
            while (data := await loop.run_in_executor(self._pool, _next, pieces)) is not None:
                yield pb.ChatReply(status=answer.status, data=data)
        finally:
            answer.close()


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


def _close(asked: asyncio.Future[Answer]) -> None:
    if not asked.cancelled() and asked.exception() is None:
        asked.result().close()
