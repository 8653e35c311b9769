"""The Fleet service: decode, one service, encode. Every call runs authenticated by its client certificate."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

import grpc.aio

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, TunesmithError
from control_plane.domain.permissions import Actor
from control_plane.rpc import wire
from control_plane.rpc.interceptors import address_of, peer_certificate
from control_plane.rpc.serving import ServingChannels
from control_plane.services import deployments
from control_plane.services.fleet import artifacts, attempts, enrollment, events, logs, machines
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

log = logging.getLogger(__name__)

MAX_LOG_CHUNK = 256 << 10
MAX_CHUNK = 8 << 20

Context = grpc.aio.ServicerContext[Any, Any]
P = ParamSpec("P")
R = TypeVar("R")


class FleetServicer(fleet_pb2_grpc.FleetServicer):
    def __init__(self, cp: ControlPlane, control: Executor, bulk: Executor, channels: ServingChannels) -> None:
        self._cp = cp
        self._control = control
        self._bulk = bulk
        self._channels = channels

    async def _call(
        self,
        context: Context,
        service: Callable[Concatenate[Actor, ControlPlane, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Run a service as the calling machine, in the pool of the calls that leases and offers hang on."""
        return await self._run(self._control, context, service, *args, **kwargs)

    async def _transfer(
        self,
        context: Context,
        service: Callable[Concatenate[Actor, ControlPlane, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Like `_call`, in the pool of what moves bytes."""
        return await self._run(self._bulk, context, service, *args, **kwargs)

    async def _run(
        self,
        pool: Executor,
        context: Context,
        service: Callable[Concatenate[Actor, ControlPlane, P], R],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Authentication and service share one hop into the pool."""
        peer, address = peer_certificate(context), address_of(context)

        def run() -> R:
            actor = enrollment.authenticate(self._cp, peer.machine_id, peer.serial, peer.not_after, address)
            return service(actor, self._cp, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(pool, run)

    # ---- presence

    async def RenewCertificate(self, request: pb.RenewCertificateRequest, context: Context) -> pb.RenewCertificateReply:
        made = await self._call(context, enrollment.renew, request.csr)
        return pb.RenewCertificateReply(certificate=made.certificate, generation=made.generation)

    async def Hello(self, request: pb.HelloRequest, context: Context) -> pb.HelloReply:
        answer = await self._call(context, machines.hello, wire.hello(request))
        return wire.hello_reply(answer, machines.heartbeat_seconds(self._cp), self._cp.settings.poll_seconds)

    async def Heartbeat(self, request: pb.HeartbeatRequest, context: Context) -> pb.HeartbeatReply:
        answer = await self._call(context, machines.heartbeat, wire.heartbeat(request))
        return wire.heartbeat_reply(answer, machines.heartbeat_seconds(self._cp))

    async def Goodbye(self, request: pb.GoodbyeRequest, context: Context) -> pb.GoodbyeReply:
        await self._call(context, machines.goodbye, request.epoch, request.reason)
        return pb.GoodbyeReply()

    async def Poll(self, request: pb.PollRequest, context: Context) -> pb.PollReply:
        """Hangs in the loop, in no thread: a signal for the machine makes it look again."""
        loop, known = asyncio.get_running_loop(), frozenset(request.known)
        until = loop.time() + max(0.0, min(request.wait_seconds, self._cp.settings.poll_seconds))
        with self._signals_of(peer_certificate(context).machine_id) as signalled:
            while True:
                signalled.clear()
                found = await self._call(context, machines.instructions, request.epoch, known)
                if found or loop.time() >= until:
                    return pb.PollReply(instructions=[wire.instruction(value) for value in found])
                with suppress(TimeoutError):
                    await asyncio.wait_for(signalled.wait(), until - loop.time())

    # ---- attempts

    async def Accept(self, request: pb.AcceptRequest, context: Context) -> pb.AcceptReply:
        seconds = await self._call(context, attempts.accept, request.attempt_id, request.fence)
        return pb.AcceptReply(lease_seconds=seconds)

    async def Decline(self, request: pb.DeclineRequest, context: Context) -> pb.DeclineReply:
        params = wire.params(request.params)
        await self._call(context, attempts.decline, request.attempt_id, request.fence, request.reason, params)
        return pb.DeclineReply()

    async def ReportState(self, request: pb.ReportStateRequest, context: Context) -> pb.ReportStateReply:
        state = await self._call(
            context,
            attempts.report,
            request.attempt_id,
            request.fence,
            request.sequence,
            request.state,
            request.reason,
            wire.params(request.params),
            attempts.Told(request.environment_lock, request.stage, request.peak_memory_bytes),
        )
        return pb.ReportStateReply(state=state)

    async def AppendLog(self, request: pb.AppendLogRequest, context: Context) -> pb.AppendLogReply:
        _limit("data", len(request.data), MAX_LOG_CHUNK)
        committed = await self._transfer(
            context, logs.append, request.attempt_id, request.fence, request.stream, request.offset, request.data
        )
        return pb.AppendLogReply(committed=committed)

    async def SealLog(self, request: pb.SealLogRequest, context: Context) -> pb.SealLogReply:
        sealed, committed = await self._transfer(
            context, logs.seal, request.attempt_id, request.fence, request.stream, request.length, request.sha256
        )
        return pb.SealLogReply(sealed=sealed, committed=committed)

    async def AppendEvents(self, request: pb.AppendEventsRequest, context: Context) -> pb.AppendEventsReply:
        lines = [(event.sequence, event.body) for event in request.events]
        committed = await self._transfer(context, events.append, request.attempt_id, request.fence, lines)
        return pb.AppendEventsReply(committed=committed)

    # ---- files

    async def BeginArtifact(self, request: pb.BeginArtifactRequest, context: Context) -> pb.BeginArtifactReply:
        files = [wire.artifact_file(file) for file in request.files]
        artifact = await self._transfer(
            context, artifacts.begin, request.attempt_id, request.fence, request.name, files
        )
        return pb.BeginArtifactReply(artifact_id=artifact)

    async def MissingChunks(self, request: pb.MissingChunksRequest, context: Context) -> pb.MissingChunksReply:
        chunks = await self._transfer(context, artifacts.missing, request.artifact_id, request.fence)
        return pb.MissingChunksReply(chunks=chunks)

    async def PutChunk(self, request: pb.PutChunkRequest, context: Context) -> pb.PutChunkReply:
        _limit("data", len(request.data), MAX_CHUNK)
        await self._transfer(
            context, artifacts.put_chunk, request.artifact_id, request.fence, request.sha256, request.data
        )
        return pb.PutChunkReply()

    async def CommitArtifact(self, request: pb.CommitArtifactRequest, context: Context) -> pb.CommitArtifactReply:
        await self._transfer(context, artifacts.commit, request.artifact_id, request.fence)
        return pb.CommitArtifactReply()

    async def GetBlob(self, request: pb.GetBlobRequest, context: Context) -> pb.GetBlobReply:
        _limit("length", request.length, MAX_CHUNK)
        data, size = await self._transfer(context, artifacts.read_blob, request.sha256, request.offset, request.length)
        return pb.GetBlobReply(data=data, size=size)

    # ---- serving

    async def ReportReplica(self, request: pb.ReportReplicaRequest, context: Context) -> pb.ReportReplicaReply:
        status = wire.replica_status(request.status)
        await self._call(context, deployments.observe, request.epoch, [status])
        return pb.ReportReplicaReply()

    async def Serve(self, request_iterator: AsyncIterator[pb.ServeUp], context: Context) -> AsyncIterator[pb.ServeDown]:
        """The machine's serving channel. It ends with the stream, the session, or the right to be here."""
        machine_id = peer_certificate(context).machine_id
        opening = await anext(request_iterator, pb.ServeUp())
        await self._call(context, machines.check_epoch, opening.epoch)
        channel = self._channels.open(machine_id)
        parts = [
            asyncio.ensure_future(channel.take_all(request_iterator)),
            asyncio.ensure_future(self._watch(context, machine_id, opening.epoch, channel.close)),
        ]
        try:
            async for request in channel.requests():
                yield request
        finally:
            self._channels.forget(machine_id, channel)
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _watch(self, context: Context, machine_id: str, epoch: int, end: Callable[[], None]) -> None:
        with self._signals_of(machine_id) as signalled:
            while True:
                await signalled.wait()
                signalled.clear()
                try:
                    await self._call(context, machines.check_epoch, epoch)
                except TunesmithError as refusal:
                    log.info("The serving channel of machine %s ends: %s", machine_id, refusal.code)
                    end()
                    return

    @contextmanager
    def _signals_of(self, machine_id: str) -> Iterator[asyncio.Event]:
        loop, signalled = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(signalled.set)

        unsubscribe = self._cp.signals.subscribe([f"machine:{machine_id}"], wake)
        try:
            yield signalled
        finally:
            unsubscribe()


def _limit(field: str, given: int, most: int) -> None:
    if given > most:
        raise FieldInvalid(field=field, problem=f"{given} > {most}")
