"""The two gRPC ports, in an event loop of their own thread: api (server TLS) and fleet (mutual TLS)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

import grpc
import grpc.aio

from control_plane.authority import open_authority
from control_plane.context import ControlPlane
from control_plane.rpc.automation.servicer import AutomationServicer
from control_plane.rpc.durations import Durations
from control_plane.rpc.enrollment import EnrollmentServicer
from control_plane.rpc.fleet import FleetServicer
from control_plane.rpc.hops import Hops
from control_plane.rpc.interceptors import ErrorsInWords
from control_plane.rpc.serving import ServingChannels
from control_plane.settings import Settings
from tunesmith.v1 import automation_pb2_grpc, fleet_pb2_grpc

# generated without types
_Add = Callable[[object, grpc.aio.Server], None]
_add_enrollment: _Add = fleet_pb2_grpc.add_EnrollmentServicer_to_server
_add_automation: _Add = automation_pb2_grpc.add_AutomationServicer_to_server
_add_fleet: _Add = fleet_pb2_grpc.add_FleetServicer_to_server

# Bytes of a message after decompression, so they bound gzip bombs too. Anybody may fill as many on the api port, where
# a message is read before its token; the fleet's takes chunks of files, from machines that are known.
_API_MESSAGE = 1 << 20
_FLEET_MESSAGE = 16 << 20
_OPTIONS = (
    ("grpc.max_send_message_length", 16 << 20),
    ("grpc.so_reuseport", 0),  # a second process on the same port is an error, not a partner
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # agents ping every 60 s; by default gRPC would call that abuse and hang up
    ("grpc.http2.min_ping_interval_without_data_ms", 30_000),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
)


@dataclass(frozen=True)
class Pools:
    """The threads that services run in, apart by what may wait for what; the hanging calls hold none.

    A commit that hashes for minutes, or a script that asks too much, must not silence the heartbeats: leases hang on
    them.
    """

    control: Hops  # sessions, heartbeats, polls, offers, reports
    bulk: Hops  # chunks, commits, logs, blobs
    automation: Hops  # the public API, and enrolment

    @classmethod
    def of(cls, settings: Settings) -> Pools:
        return cls(
            Hops(settings.control_threads, thread_name_prefix="rpc-control"),
            Hops(settings.bulk_threads, thread_name_prefix="rpc-bulk"),
            Hops(settings.automation_threads, thread_name_prefix="rpc-automation"),
        )

    def shutdown(self) -> None:
        """Return when nothing runs in them any more."""
        for pool in (self.control, self.bulk, self.automation):
            pool.shutdown()


class Server:
    """Both ports. `start` returns when they listen, `stop` when they are closed."""

    def __init__(self, cp: ControlPlane, channels: ServingChannels) -> None:
        self._cp = cp
        self._channels = channels
        self._pools = Pools.of(cp.settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rpc-loop", daemon=True)
        self._servers: list[grpc.aio.Server] = []
        self.api_port = self.fleet_port = 0

    def start(self) -> None:
        """Listen on both ports of the settings (0: a free one). Raises RuntimeError where one is taken."""
        self._thread.start()
        self._run(self._start()).result()

    def stop(self, grace_seconds: float = 1.0) -> None:
        """Refuse new calls at once, end the running ones after the grace."""
        self._run(self._stop(grace_seconds)).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._pools.shutdown()

    async def _start(self) -> None:
        settings = self._cp.settings
        authority = open_authority(settings.data)
        hosts = frozenset({settings.public_host, settings.host, "localhost", "127.0.0.1"}) - {"0.0.0.0", "::"}
        identity = [authority.server_identity(hosts, self._cp.clock())]
        self.api_port = await self._listen(self._api(), settings.api_port, grpc.ssl_server_credentials(identity))
        self.fleet_port = await self._listen(
            self._fleet(),
            settings.fleet_port,
            grpc.ssl_server_credentials(identity, root_certificates=authority.pem, require_client_auth=True),
        )

    async def _listen(self, server: grpc.aio.Server, port: int, credentials: grpc.ServerCredentials) -> int:
        bound = server.add_secure_port(f"{self._cp.settings.host}:{port}", credentials)
        self._servers.append(server)
        await server.start()
        return int(bound)

    def _api(self) -> grpc.aio.Server:
        server = self._made(_API_MESSAGE)
        _add_enrollment(EnrollmentServicer(self._cp, self._pools.automation), server)
        _add_automation(AutomationServicer(self._cp, self._pools.automation), server)
        return server

    def _fleet(self) -> grpc.aio.Server:
        server = self._made(_FLEET_MESSAGE)
        _add_fleet(FleetServicer(self._cp, self._pools.control, self._pools.bulk, self._channels), server)
        return server

    def _made(self, largest_message: int) -> grpc.aio.Server:
        options = (*_OPTIONS, ("grpc.max_receive_message_length", largest_message))
        return grpc.aio.server(interceptors=[Durations(self._cp.metrics), ErrorsInWords()], options=options)

    async def _stop(self, grace_seconds: float) -> None:
        await asyncio.gather(*(server.stop(grace_seconds) for server in self._servers))
        # the calls that were cut are still to be wound up
        if remaining := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(remaining, timeout=grace_seconds)

    def _run(self, coroutine: object) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)  # type: ignore[arg-type]
