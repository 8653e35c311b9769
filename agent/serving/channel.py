"""The serving channel: one outbound stream over which requests come and answers go, as bytes, as they arrive.

Each request has a thread of a pool that reads from the engine; nothing is parsed. A request that is cancelled loses its
connection, which makes the engine stop generating.
"""

from __future__ import annotations

import http.client
import logging
import queue
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from agent.context import Agent
from agent.link.calls import LinkClosed, Refused, Superseded, Unreachable
from agent.link.session import Session
from agent.serving.engine_process import Endpoint
from agent.serving.replicas import Serving
from tunesmith.v1.fleet_pb2 import ServeDown, ServeUp

log = logging.getLogger(__name__)

_READ = 64 << 10


def run(agent: Agent, session: Session, serving: Serving) -> None:
    """Keep the channel open while there is anything to serve, until the agent ends."""
    wait = agent.settings.retry_first_seconds
    while not agent.stopping.is_set():
        if not serving.wanted.wait(1.0):
            continue
        try:
            epoch = session.epoch()
            if _stream(agent, epoch, serving):
                wait = agent.settings.retry_first_seconds
        except LinkClosed:
            return
        except Superseded:
            session.superseded(epoch)
        except (Refused, Unreachable) as problem:
            log.info("serving channel: %s", problem)
        agent.stopping.wait(random.uniform(0, wait))
        wait = min(wait * 2, agent.settings.retry_max_seconds)


def _stream(agent: Agent, epoch: int, serving: Serving) -> bool:
    """One life of the stream: hand each request to a thread; whether any came before it ended."""
    up: queue.SimpleQueue[ServeUp | None] = queue.SimpleQueue()
    up.put(ServeUp(epoch=epoch))
    exchanges: dict[int, Exchange] = {}
    served = False
    pool = ThreadPoolExecutor(agent.settings.inference_threads, "inference")
    try:
        for down in agent.link.serve(iter(up.get, None)):
            served = True
            if down.cancel:
                exchange = exchanges.pop(down.request_id, None)
                if exchange is not None:
                    exchange.cancel()
                continue
            exchange = Exchange(down, serving.endpoint(down.replica_id), up)
            exchanges[down.request_id] = exchange
            pool.submit(_answer, exchange, exchanges)
    finally:
        up.put(None)
        for exchange in list(exchanges.values()):
            exchange.cancel()
        pool.shutdown(wait=False, cancel_futures=True)
    return served


def _answer(exchange: Exchange, exchanges: dict[int, Exchange]) -> None:
    try:
        exchange.run()
    finally:
        exchanges.pop(exchange.number, None)


class Exchange:
    """One request to an engine and its answer."""

    def __init__(self, down: ServeDown, endpoint: Endpoint | None, up: queue.SimpleQueue[ServeUp | None]) -> None:
        self._down = down
        self.number = down.request_id
        self._endpoint = endpoint
        self._up = up
        self._cancelled = threading.Event()
        self._connection: http.client.HTTPConnection | None = None

    def run(self) -> None:
        """Ask the engine and pass on what it says. The last message of an answer has `end`."""
        if self._endpoint is None:
            self._fail("nothing_serves")
            return
        try:
            self._pass_on(self._endpoint)
        except (OSError, ValueError, AttributeError, http.client.HTTPException) as problem:
            # closing a connection under a reader shows in any of these ways
            if not self._cancelled.is_set():
                log.warning("request %d: %s", self._down.request_id, problem)
                self._fail("engine_failed")
        finally:
            if self._connection is not None:
                self._connection.close()

    def cancel(self) -> None:
        """Drop the connection: the engine stops generating, and nothing more is passed on."""
        self._cancelled.set()
        connected = self._connection.sock if self._connection is not None else None
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)

    def _pass_on(self, endpoint: Endpoint) -> None:
        number, body = self._down.request_id, self._down.body
        headers = {"Authorization": f"Bearer {endpoint.key}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(endpoint.host, endpoint.port)
        self._connection.request("POST" if body else "GET", self._down.path, body or None, headers)
        if self._cancelled.is_set():  # between the start of this thread and the connection
            return
        response = self._connection.getresponse()
        kind = response.headers.get("Content-Type", "application/json")
        # the head travels with the first bytes: one message less before the first token
        up = ServeUp(request_id=number, status=response.status, content_type=kind)
        while data := response.read1(_READ):
            if self._cancelled.is_set():
                return
            up.data = data
            self._up.put(up)
            up = ServeUp(request_id=number)
        if not self._cancelled.is_set():
            up.end = True
            self._up.put(up)

    def _fail(self, code: str) -> None:
        self._up.put(ServeUp(request_id=self._down.request_id, status=503, error=code, end=True))
