"""The link to the control plane, the only module that speaks gRPC: channels, deadlines, retries, typed refusals.

Three channels, so that a slow upload never costs a lease and neither delays a token of an answer: `control` (Hello,
Heartbeat, Poll, reports), `bulk` (blobs, artifacts, logs), and the serving stream's own, which lives in an event loop.
A request's type names its call.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import random
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from agent.settings import Settings
from tunesmith.v1 import fleet_pb2_grpc
from tunesmith.v1.fleet_pb2 import ServeDown, ServeUp

log = logging.getLogger(__name__)

_BULK = frozenset({"GetBlob", "PutChunk", "AppendLog", "SealLog"})
_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.max_receive_message_length", 16 << 20),
]
_TRANSIENT = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,  # the channel was replaced under the call
    }
)
_FAULTY = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN})


class LinkClosed(Exception):
    """The agent is ending; whatever waits on the control plane lets go."""


class Refused(Exception):
    """The control plane said no, and would say so again."""

    def __init__(self, code: str, params: dict[str, Any], text: str) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.params = params


class Fenced(Refused):
    """A newer attempt has taken over: stop the trainer, keep the spool."""


class Superseded(Refused):
    """A newer session of this machine has taken over: say Hello again."""


class Gone(Refused):
    """The control plane does not know the thing (any more): stop, keep the spool."""


class CertificateRefused(Refused):
    """This machine is not, or no longer, part of the fleet."""


class Unreachable(Exception):
    """Nobody answered; `str` says what gRPC knows."""


class Faulty(Unreachable):
    """Somebody answered with an error that is no refusal: it may be gone at the next try, or be one of the program."""


@dataclass(frozen=True)
class Credentials:
    """PEM texts for mutual TLS."""

    key: bytes
    certificate: bytes
    authority: bytes


class Link:
    """Calls of the Fleet service by this machine. All methods may be called from any thread."""

    def __init__(self, address: str, credentials: Credentials, settings: Settings) -> None:
        self._address = address
        self._settings = settings
        self._closed = False
        self._reached = threading.Condition()
        self.reopen(credentials)

    def reopen(self, credentials: Credentials) -> None:
        """Use a new certificate for all further calls; those under way end on the old channels."""
        self._credentials = credentials
        self._stubs = {name: _stub(_channel(self._address, credentials)) for name in ("control", "bulk")}

    def ask(self, request: Any, deadline: float = 0.0, tick: Callable[[], None] | None = None) -> Any:
        """The reply to a unary call, e.g. a HelloReply to a HelloRequest. Transient errors are retried for ever.

        `deadline` (seconds) is that of one try; 0 means the usual one. `tick` is called while the call waits for its
        next try and may raise to give it up; who brings one is told of a fault of the control plane that stays.
        Raises Refused (Fenced, Superseded, Gone, CertificateRefused), LinkClosed, and with a `tick` Faulty.
        """
        wait, faults = self._settings.retry_first_seconds, 0
        for tries in itertools.count(1):
            try:
                reply = self.ask_once(request, deadline or self._settings.call_seconds)
            except Unreachable as problem:
                _tell(type(request).__name__, tries, problem)
                faults += isinstance(problem, Faulty)
                if tick is not None and faults >= self._settings.faulty_tries:
                    raise
                self._pause(random.uniform(0, wait), tick)
                wait = min(wait * 2, self._settings.retry_max_seconds)
            else:
                if wait > self._settings.retry_first_seconds:
                    self.retry_now()
                return reply
        raise AssertionError("it counts for ever")

    def ask_once(self, request: Any, deadline: float) -> Any:
        """One try of a unary call. Raises Refused, Unreachable and LinkClosed."""
        if self._closed:
            raise LinkClosed
        name = type(request).__name__.removesuffix("Request")
        stub = self._stubs["bulk" if name in _BULK else "control"]
        try:
            return getattr(stub, name)(request, timeout=deadline)
        except grpc.RpcError as problem:
            raise _typed(problem) from problem
        except ValueError as problem:  # gRPC's word for a channel that was closed meanwhile
            raise Unreachable(str(problem)) from problem

    @asynccontextmanager
    async def serving_call(self) -> AsyncIterator[ServingCall]:
        """The serving channel, inside an event loop; it ends with the block. Raises LinkClosed."""
        if self._closed:
            raise LinkClosed
        async with grpc.aio.secure_channel(self._address, _secured(self._credentials), _OPTIONS) as channel:
            call = _stub(channel).Serve()
            try:
                yield ServingCall(call)
            finally:
                call.cancel()

    def retry_now(self) -> None:
        """The control plane can be reached again: whoever waits before a retry need not wait longer."""
        with self._reached:
            self._reached.notify_all()

    def close(self) -> None:
        """Let go of every wait between retries; calls under way run to their deadline."""
        self._closed = True
        self.retry_now()

    def _pause(self, seconds: float, tick: Callable[[], None] | None) -> None:
        """Wait, at most until the control plane is reached again; the tick is called every now and then."""
        until, reached = time.monotonic() + seconds, False
        while not self._closed and not reached and (left := until - time.monotonic()) > 0:
            if tick is not None:
                tick()
                left = min(left, self._settings.tail_seconds)
            with self._reached:
                reached = not self._closed and self._reached.wait(left)
        if self._closed:
            raise LinkClosed
        if tick is not None:
            tick()


class ServingCall:
    """The serving channel: answers go up, requests come down. Used inside one event loop."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._turn = asyncio.Lock()  # gRPC takes one message at a time

    async def send(self, up: ServeUp) -> None:
        """Send a piece of an answer. Raises Refused and Unreachable."""
        async with self._turn:
            try:
                await self._call.write(up)
            except grpc.RpcError as problem:
                raise _typed(problem) from problem
            except asyncio.InvalidStateError as problem:  # the stream has ended
                raise Unreachable(str(problem)) from problem

    async def requests(self) -> AsyncIterator[ServeDown]:
        """What the control plane asks for, until the stream ends. Raises Refused and Unreachable."""
        try:
            async for down in self._call:
                yield down
        except grpc.RpcError as problem:
            raise _typed(problem) from problem


def ask_enrollment(address: str, authority: bytes, request: Any, deadline: float = 30.0) -> Any:
    """A call of the Enrollment service, whose server certificate must be signed by `authority` (PEM).

    Raises Refused and Unreachable.
    """
    channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(authority), _OPTIONS)
    try:
        stub = fleet_pb2_grpc.EnrollmentStub(channel)  # type: ignore[no-untyped-call]  # generated
        return getattr(stub, type(request).__name__.removesuffix("Request"))(request, timeout=deadline)
    except grpc.RpcError as problem:
        raise _typed(problem) from problem
    finally:
        channel.close()


def _stub(channel: Any) -> fleet_pb2_grpc.FleetStub:
    return fleet_pb2_grpc.FleetStub(channel)  # type: ignore[no-untyped-call]  # generated


def _channel(address: str, credentials: Credentials) -> grpc.Channel:
    return grpc.secure_channel(address, _secured(credentials), _OPTIONS)


def _secured(credentials: Credentials) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(credentials.authority, credentials.key, credentials.certificate)


def _tell(call: str, tries: int, problem: Unreachable) -> None:
    """Log a failed try: an error on the other side as a warning, after 1, 2, 4, 8, … tries."""
    doubled = tries & (tries - 1) == 0
    level = logging.WARNING if doubled and isinstance(problem, Faulty) else logging.DEBUG
    log.log(level, "%s failed %d times and is tried again: %s", call, tries, problem)


def _typed(problem: grpc.RpcError) -> Exception:
    """A gRPC error as one of this module's."""
    status, text = problem.code(), problem.details() or ""
    trailing: Any = problem.trailing_metadata() or ()
    metadata = {str(key): str(value) for key, value in trailing}
    code = metadata.get("tunesmith-code", status.name).lower()
    if status in _TRANSIENT:
        return Unreachable(f"{status.name} {text}")
    if status in _FAULTY:
        return Faulty(f"{status.name} {text}")
    kind = {"fenced": Fenced, "superseded": Superseded, "certificate_refused": CertificateRefused}.get(code, Refused)
    if kind is Refused and status is grpc.StatusCode.NOT_FOUND:
        kind = Gone
    return kind(code, _params(metadata.get("tunesmith-params", "")), text)


def _params(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
