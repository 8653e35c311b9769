"""The Inference port over the machines' outbound Serve streams.

A request comes from a web thread and goes into the stream of the machine that serves; the pieces of its answer come
back through the event loop straight into the queue that the web thread reads: a token costs one hand-over, and tokens
that wait go on together. A chat over the public API is read in the event loop itself and costs none.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from typing import Protocol

from control_plane.context import Answer
from control_plane.domain.errors import (
    DeadlineExceeded,
    EngineFailed,
    MachineWentAway,
    ReaderTooSlow,
    TunesmithError,
)
from tunesmith.v1 import fleet_pb2 as pb

_MOST_UNREAD = 8 << 20  # bytes of an answer that wait for a slow reader before it is ended

# what an engine answers; nothing that a browser would take for a page of ours
_CONTENT_TYPES = frozenset({"application/json", "text/event-stream", "text/plain"})

_Piece = pb.ServeUp | TunesmithError


class ServingChannels:
    """All machines' channels; `cp.inference`."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        """Block until the head of the answer is there.

        `deadline_seconds` limits the wait for the head, which for an answer in one piece is the whole of it, and each
        silence after it. Raises MachineWentAway, EngineFailed, DeadlineExceeded.
        """
        channel = self._channels.get(machine_id)
        if channel is None:
            raise MachineWentAway
        answer = StreamedAnswer(channel, deadline_seconds)
        channel.begin(answer, pb.ServeDown(replica_id=replica_id, path=path, body=body))
        answer.await_head()
        return answer

    async def stream(
        self, machine_id: str, replica_id: int, path: str, body: bytes, silence_seconds: float
    ) -> AsyncGenerator[tuple[int, bytes], None]:
        """(HTTP status, bytes) of an answer piece by piece, read in the event loop; leaving early cancels it.

        Raises MachineWentAway, EngineFailed, DeadlineExceeded (a silence longer than `silence_seconds`).
        """
        channel = self._channels.get(machine_id)
        if channel is None:
            raise MachineWentAway
        answer, status = LoopAnswer(), 0
        channel.begin(answer, pb.ServeDown(replica_id=replica_id, path=path, body=body))
        try:
            async for piece in answer.pieces(silence_seconds):
                status = status or piece.status
                if not 200 <= status <= 599:
                    raise EngineFailed(problem=f"HTTP {status}")
                yield status, piece.data
        finally:
            channel.cancel(answer.request_id)

    def open(self, machine_id: str) -> Channel:
        """The machine's channel from now on; an earlier one ends. Called in the event loop."""
        if (earlier := self._channels.get(machine_id)) is not None:
            earlier.close()
        channel = self._channels[machine_id] = Channel()
        return channel

    def forget(self, machine_id: str, channel: Channel) -> None:
        """End a channel. Called in the event loop."""
        channel.close()
        if self._channels.get(machine_id) is channel:
            del self._channels[machine_id]


class Channel:
    """One machine's stream: requests down, pieces of answers up. Made and read in the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._down: asyncio.Queue[pb.ServeDown | None] = asyncio.Queue()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._answers: dict[int, Reader] = {}
        self._open = True

    def begin(self, answer: Reader, request: pb.ServeDown) -> None:
        """Send a request; called from any thread. Raises MachineWentAway."""
        with self._lock:
            if not self._open:
                raise MachineWentAway
            answer.request_id = request.request_id = next(self._numbers)
            self._answers[answer.request_id] = answer
        self._send(request)

    def cancel(self, request_id: int) -> None:
        """Ask the machine to stop a request whose answer nobody reads any more; called from any thread."""
        with self._lock:
            known = self._answers.pop(request_id, None) is not None and self._open
        if known:
            self._send(pb.ServeDown(request_id=request_id, cancel=True))

    async def requests(self) -> AsyncIterator[pb.ServeDown]:
        """What goes down the stream, until the channel ends."""
        while (request := await self._down.get()) is not None:
            yield request

    async def take_all(self, pieces: AsyncIterator[pb.ServeUp]) -> None:
        """Hand each piece that comes up to its answer; ends the channel when the stream ends."""
        try:
            async for piece in pieces:
                self._take(piece)
        finally:
            self.close()

    def close(self) -> None:
        """End all answers that are under way. Called in the event loop."""
        with self._lock:
            self._open = False
            answers, self._answers = list(self._answers.values()), {}
        for answer in answers:
            answer.put(MachineWentAway())
        self._down.put_nowait(None)

    def _take(self, piece: pb.ServeUp) -> None:
        answer = self._answers.get(piece.request_id)
        if answer is None:
            return  # of a request that was cancelled meanwhile
        if piece.end or piece.error:
            with self._lock:
                self._answers.pop(piece.request_id, None)
        if answer.unread > _MOST_UNREAD:
            self.cancel(piece.request_id)
            answer.put(ReaderTooSlow())
        else:
            answer.put(piece)

    def _send(self, request: pb.ServeDown) -> None:
        try:
            self._loop.call_soon_threadsafe(self._down.put_nowait, request)
        except RuntimeError as problem:  # the loop is closed: the process is about to end
            raise MachineWentAway from problem


class Reader(Protocol):
    """Who takes the pieces of one answer."""

    request_id: int

    @property
    def unread(self) -> int:
        """Bytes that wait to be read."""
        ...

    def put(self, piece: _Piece) -> None:
        """Called in the event loop."""
        ...


class LoopAnswer:
    """An answer that is read where it arrives, in the event loop."""

    request_id = 0

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[_Piece] = asyncio.Queue()
        self.unread = 0

    def put(self, piece: _Piece) -> None:
        if isinstance(piece, pb.ServeUp):
            self.unread += len(piece.data)
        self._pieces.put_nowait(piece)

    async def pieces(self, silence_seconds: float) -> AsyncIterator[pb.ServeUp]:
        """Piece by piece to the end. Raises what ended the answer early."""
        end = False
        while not end:
            try:
                piece = _plain(await asyncio.wait_for(self._pieces.get(), silence_seconds))
            except TimeoutError:
                raise DeadlineExceeded(seconds=round(silence_seconds)) from None
            self.unread -= len(piece.data)
            end = piece.end
            yield piece


class StreamedAnswer:
    """An answer on its way; see context.Answer. Read by one thread."""

    status = 0
    content_type = ""
    engine_seconds = 0.0
    request_id = 0

    def __init__(self, channel: Channel, seconds: float) -> None:
        self._channel = channel
        self._seconds = seconds
        self._pieces: queue.SimpleQueue[_Piece] = queue.SimpleQueue()
        self._head: pb.ServeUp | None = None
        self._ahead: _Piece | None = None  # taken from the queue, but not to be joined with what was before it
        self._put = self._read = 0  # bytes; each is written by one side alone

    @property
    def unread(self) -> int:
        return self._put - self._read

    def put(self, piece: _Piece) -> None:
        """Called in the event loop."""
        if isinstance(piece, pb.ServeUp):
            self._put += len(piece.data)
        self._pieces.put(piece)

    def await_head(self) -> None:
        """Block until status and content type are known."""
        self._head = head = self._next()
        if not 200 <= head.status <= 599:
            self.close()
            raise EngineFailed(problem=f"HTTP {head.status}")
        kind = head.content_type.partition(";")[0].strip().lower()
        known = kind in _CONTENT_TYPES and head.content_type.isprintable()
        self.engine_seconds = head.engine_seconds
        self.status, self.content_type = head.status, head.content_type if known else "application/octet-stream"

    def __iter__(self) -> Iterator[bytes]:
        piece = self._head
        while piece is not None:
            data, end = self._gather(piece)
            if data:
                yield data
            piece = None if end else self._next()

    def close(self) -> None:
        """Cancel the generation, unless the answer is complete."""
        self._channel.cancel(self.request_id)

    def _gather(self, piece: pb.ServeUp) -> tuple[bytes, bool]:
        """The piece's bytes with those that wait behind it, and whether they are the last."""
        parts, end = [piece.data], piece.end
        while not end:
            try:
                following = self._pieces.get_nowait()
            except queue.Empty:
                break
            if isinstance(following, TunesmithError) or following.error:
                self._ahead = following
                break
            self._read += len(following.data)
            parts.append(following.data)
            end = following.end
        return b"".join(parts), end

    def _next(self) -> pb.ServeUp:
        piece, self._ahead = self._ahead, None
        try:
            piece = _plain(piece or self._pieces.get(timeout=self._seconds))
        except queue.Empty:
            self.close()
            raise DeadlineExceeded(seconds=round(self._seconds)) from None
        self._read += len(piece.data)
        return piece


def _plain(piece: _Piece) -> pb.ServeUp:
    """Raises the error that a piece is or carries."""
    if isinstance(piece, TunesmithError):
        raise piece
    if piece.error:
        raise EngineFailed(problem=piece.error)
    return piece
