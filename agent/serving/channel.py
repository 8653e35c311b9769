"""The serving channel: one outbound stream over which requests come and answers go, as bytes, as they arrive.

It lives in an event loop of its own thread, so a piece of an answer passes no queue and no other thread between the
engine's socket and the stream; what arrives while a piece is on its way goes up with the next one. Nothing is parsed. A
request that is cancelled loses its connection, which makes the engine stop generating.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from functools import partial

from agent.context import Agent
from agent.link.calls import LinkClosed, Refused, ServingCall, Superseded, Unreachable
from agent.link.session import Session
from agent.serving.engine_client import Connections, EngineUnreachable
from agent.serving.engine_process import Endpoint
from agent.serving.replicas import Serving
from tunesmith.v1.fleet_pb2 import ServeDown, ServeUp

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5  # how often the open channel looks whether the agent is to end


def run(agent: Agent, session: Session, serving: Serving) -> None:
    """Keep the channel open while there is anything to serve, until the agent ends."""
    wait = agent.settings.retry_first_seconds
    while not agent.stopping.is_set():
        if not serving.wanted.wait(1.0):
            continue
        try:
            epoch = session.epoch()
            if asyncio.run(_open(agent, epoch, serving)):
                wait = agent.settings.retry_first_seconds
        except LinkClosed:
            return
        except Superseded:
            session.superseded(epoch)
        except (Refused, Unreachable) as problem:
            log.info("serving channel: %s", problem)
        agent.stopping.wait(random.uniform(0, wait))
        wait = min(wait * 2, agent.settings.retry_max_seconds)


async def _open(agent: Agent, epoch: int, serving: Serving) -> bool:
    """One life of the channel; whether any request came before it ended."""
    async with agent.link.serving_call() as call:
        await call.send(ServeUp(epoch=epoch))
        channel = Channel(call, serving, agent.settings.inference_requests)
        reading = asyncio.ensure_future(channel.read())
        try:
            while not agent.stopping.is_set():
                done, _ = await asyncio.wait({reading}, timeout=_LOOK_SECONDS)
                if done:
                    break
            else:
                raise LinkClosed
            await reading
        finally:
            reading.cancel()
            await channel.close()
        return channel.served


class Channel:
    """The requests of one stream, each a task; at most `most` ask an engine at once, the others wait."""

    def __init__(self, call: ServingCall, serving: Serving, most: int) -> None:
        self._call, self._serving = call, serving
        self._turns = asyncio.Semaphore(most)
        self._connections = Connections()
        self._exchanges: dict[int, asyncio.Task[None]] = {}
        self.served = False

    async def read(self) -> None:
        """Begin and cancel requests as the stream says. Raises Refused and Unreachable."""
        async for down in self._call.requests():
            self.served = True
            if down.cancel:
                if (cancelled := self._exchanges.get(down.request_id)) is not None:
                    cancelled.cancel()
                continue
            task = asyncio.ensure_future(self._answer(down))
            self._exchanges[down.request_id] = task
            task.add_done_callback(partial(self._forget, down.request_id))

    def _forget(self, number: int, _: asyncio.Task[None]) -> None:
        self._exchanges.pop(number, None)

    async def close(self) -> None:
        """Drop what is under way."""
        running = list(self._exchanges.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._connections.close()

    async def _answer(self, down: ServeDown) -> None:
        try:
            async with self._turns:
                await exchange(self._call, self._connections, down, self._serving.endpoint(down.replica_id))
        except (Refused, Unreachable) as problem:  # the stream itself ended: nobody is there to be told
            log.debug("request %d: %s", down.request_id, problem)


async def exchange(call: ServingCall, connections: Connections, down: ServeDown, endpoint: Endpoint | None) -> None:
    """Ask the engine and pass on what it says. The last message of an answer has `end`.

    Cancelling drops the connection: the engine stops generating, and nothing more is passed on.
    """
    number = down.request_id
    if endpoint is None:
        await call.send(_failure(number, "nothing_serves"))
        return
    begun = time.monotonic()
    try:
        connection, head = await connections.ask(endpoint, down.path, down.body)
        complete = False
        try:
            # the head travels with the first bytes: one message less before the first token
            up = ServeUp(request_id=number, status=head.status, content_type=head.content_type)
            async for data, last in connection.pieces():
                if up.status:
                    up.engine_seconds = time.monotonic() - begun
                up.data, up.end = data, last
                complete = last
                await call.send(up)
                up = ServeUp(request_id=number)
        finally:
            if complete:
                connections.give_back(endpoint, connection)
            else:
                connection.close()
    except EngineUnreachable as problem:
        log.warning("request %d: %s", number, problem)
        await call.send(_failure(number, "engine_failed"))


def _failure(number: int, code: str) -> ServeUp:
    return ServeUp(request_id=number, status=503, error=code, end=True)
