"""Asking an engine inside an event loop: HTTP/1.1 over kept connections, the bytes of an answer as they arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import h11

from agent.serving.engine_process import Endpoint

_READ = 64 << 10
_KEPT = 2  # idle connections of an engine: each holds one of its few HTTP threads


class EngineUnreachable(Exception):
    """The engine could not be asked, or went away in the middle of its answer."""


@dataclass(frozen=True)
class Head:
    """The beginning of an answer."""

    status: int  # HTTP
    content_type: str


class Connection:
    """One connection to an engine, for one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)

    async def ask(self, endpoint: Endpoint, path: str, body: bytes) -> Head:
        """Send a request (GET without a body) and wait for the head of its answer. Raises EngineUnreachable."""
        headers = [
            ("Host", f"{endpoint.host}:{endpoint.port}"),
            ("Authorization", f"Bearer {endpoint.key}"),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
        ]
        try:
            request = h11.Request(method="POST" if body else "GET", target=path, headers=headers)
            sent = [self._http.send(one) for one in (request, h11.Data(data=body), h11.EndOfMessage())]
            self._writer.write(b"".join(part for part in sent if part))
            await self._writer.drain()
            while not isinstance(event := await self._next(), h11.Response):
                if isinstance(event, h11.ConnectionClosed):
                    raise EngineUnreachable("the engine closed the connection")
        except (OSError, h11.ProtocolError) as problem:
            raise EngineUnreachable(str(problem)) from problem
        kind = dict(event.headers).get(b"content-type", b"application/json")
        return Head(event.status_code, kind.decode("latin-1"))

    async def pieces(self) -> AsyncIterator[tuple[bytes, bool]]:
        """What is there of the answer's body, joined, whenever there is something new; with whether it is the last.

        Raises EngineUnreachable.
        """
        gathered = bytearray()
        try:
            while True:
                event = self._http.next_event()
                if isinstance(event, h11.Data):
                    gathered += event.data
                elif event is h11.NEED_DATA:
                    if gathered:
                        yield bytes(gathered), False
                        gathered.clear()
                    self._http.receive_data(await self._reader.read(_READ))
                else:
                    yield bytes(gathered), True
                    return
        except (OSError, h11.ProtocolError) as problem:
            raise EngineUnreachable(str(problem)) from problem

    def is_reusable(self) -> bool:
        """Whether another request may follow; then the connection is ready for it."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return not self._reader.at_eof()

    def close(self) -> None:
        """Drop the connection at once: an engine that still answers stops generating."""
        self._writer.transport.abort()

    async def _next(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(await self._reader.read(_READ))
        return event


class Connections:
    """The idle connections to this machine's engines. Used inside one event loop."""

    def __init__(self) -> None:
        self._idle: dict[Endpoint, list[Connection]] = {}

    async def ask(self, endpoint: Endpoint, path: str, body: bytes) -> tuple[Connection, Head]:
        """A connection on which the request was answered with a head. Raises EngineUnreachable.

        A kept connection that the engine closed meanwhile is replaced by a new one: no byte of an answer was lost.
        """
        idle = self._idle.get(endpoint, [])
        while idle:
            kept = idle.pop()
            try:
                return kept, await self._asked(kept, endpoint, path, body)
            except EngineUnreachable:
                continue
        try:
            new = Connection(*await asyncio.open_connection(endpoint.host, endpoint.port))
        except OSError as problem:
            raise EngineUnreachable(str(problem)) from problem
        return new, await self._asked(new, endpoint, path, body)

    def give_back(self, endpoint: Endpoint, connection: Connection) -> None:
        """Keep a connection whose answer is complete, or close it. Engines that are gone lose theirs."""
        idle = self._idle.setdefault(endpoint, [])
        if connection.is_reusable() and len(idle) < _KEPT:
            idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close all idle connections."""
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()

    async def _asked(self, connection: Connection, endpoint: Endpoint, path: str, body: bytes) -> Head:
        try:
            return await connection.ask(endpoint, path, body)
        except BaseException:  # a cancelled request too: nobody will read this connection's answer
            connection.close()
            raise
