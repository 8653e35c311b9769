"""The machines of `fleet.py`: one process that holds many of them, each with its key, certificate and connections.

Nothing is trained and nothing measured: what a machine says of itself is made up, but every call is the real one over
the real transport, repeated as the agent repeats it. The process is told what to do by JSON lines on its stdin, and
answers each with one on its stdout when it is done.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import random
import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Any

import grpc
import grpc.aio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

GIB = 1 << 30
OPTIONS = (  # as in agent/link/calls.py
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)
BULK = frozenset({"PutChunk", "AppendLog", "SealLog"})
TRANSIENT = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
RETRY_FIRST, RETRY_MAX, CALL_SECONDS = 0.2, 60.0, 30.0  # the agent's defaults
ENROLLING_AT_ONCE, GREETING_AT_ONCE = 8, 16  # so that the arrival is no storm; that one comes later
REMEMBERED = 256


class Records:
    """What this process saw: seconds of each answered call by phase, failed tries, when offers were taken up."""

    def __init__(self) -> None:
        self.phase = "joining"
        self.seconds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.failures: dict[str, Counter[str]] = defaultdict(Counter)
        self.accepted: dict[int, float] = {}  # job → time.monotonic() when its Accept was answered
        self.logs: dict[int, tuple[int, str]] = {}  # job → length and sha256 of what was to be kept
        self.heard: dict[str, float] = {}  # machine → when its last heartbeat that was answered began

    def shown(self) -> dict[str, Any]:
        return {
            "seconds": self.seconds,
            "failures": self.failures,
            "accepted": self.accepted,
            "logs": self.logs,
        }


class Attempt:
    """An attempt that runs: a log that grows by lines, a metric a step, an end when it is told."""

    def __init__(self, machine: Machine, offer: pb.Offer) -> None:
        self._machine, self._offer = machine, offer
        self._told = itertools.count(1)
        self._log = bytearray()
        self._lines = 0

    async def run(self) -> None:
        """From the offer to its end."""
        machine, offer = self._machine, self._offer
        named = {"attempt_id": offer.attempt_id, "fence": offer.fence}
        await machine.ask(pb.AcceptRequest(**named))
        machine.records.accepted[offer.job_id] = time.monotonic()
        machine.held[offer.attempt_id] = offer.fence
        try:
            await self._report("RUNNING")
            if (parameters := json.loads(offer.parameters))["lines"]:
                await self._work(named, parameters)
            await self._report("UPLOADING")
            for output in offer.outputs:
                await self._upload(named, output.name)
            await self._report("SUCCEEDED")
        finally:
            del machine.held[offer.attempt_id]

    async def _report(self, state: str) -> None:
        offer = self._offer
        await self._machine.ask(
            pb.ReportStateRequest(
                attempt_id=offer.attempt_id, fence=offer.fence, sequence=next(self._told), state=state, at=time.time()
            )
        )

    async def _work(self, named: dict[str, int], parameters: dict[str, Any]) -> None:
        calls = parameters["log_calls"]
        committed, due = 0, time.monotonic() + random.random()
        for turn in itertools.count(1):
            await self._wait(due)
            if self._machine.finish.is_set():
                break
            # in whole lines, as many a second as asked for however often they are sent
            self._write(turn * parameters["lines"] // calls - (turn - 1) * parameters["lines"] // calls)
            committed = await self._send_log(named, committed)
            if turn % calls == 0:
                step = turn // calls
                values = {"loss": 1 / step, "step_seconds": 1.0}
                body = json.dumps({"kind": "metric", "time": time.time(), "step": step, "values": values})
                event = pb.AttemptEvent(sequence=step, body=body)
                await self._machine.ask(pb.AppendEventsRequest(**named, events=[event]))
            due += 1 / calls
        await self._seal(named, committed)

    async def _wait(self, due: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._machine.finish.wait(), max(0.0, due - time.monotonic()))

    def _write(self, lines: int) -> None:
        for _ in range(lines):
            self._lines += 1
            self._log += (
                f"{self._lines:8d} job {self._offer.job_id}: a line as a trainer writes it, of usual length\n".encode()
            )

    async def _send_log(self, named: dict[str, int], committed: int) -> int:
        """Send what is not acknowledged; what is acknowledged then."""
        while committed < len(self._log):
            data = bytes(self._log[committed : committed + (256 << 10)])
            request = pb.AppendLogRequest(**named, stream="stdout", offset=committed, data=data)
            committed = (await self._machine.ask(request)).committed
        return committed

    async def _seal(self, named: dict[str, int], committed: int) -> None:
        sha256 = hashlib.sha256(self._log).hexdigest()
        sealed = False
        while not sealed:
            committed = await self._send_log(named, committed)
            request = pb.SealLogRequest(**named, stream="stdout", length=len(self._log), sha256=sha256)
            reply = await self._machine.ask(request)
            sealed, committed = reply.sealed, reply.committed
        self._machine.records.logs[self._offer.job_id] = (len(self._log), sha256)

    async def _upload(self, named: dict[str, int], name: str) -> None:
        data = f"what attempt {named['attempt_id']} made\n".encode()
        sha256 = hashlib.sha256(data).hexdigest()
        file = pb.ArtifactFile(path="result.txt", size=len(data), sha256=sha256, chunks=[sha256])
        begun = await self._machine.ask(pb.BeginArtifactRequest(**named, name=name, files=[file]))
        it = {"artifact_id": begun.artifact_id, "fence": named["fence"]}
        for chunk in (await self._machine.ask(pb.MissingChunksRequest(**it))).chunks:
            await self._machine.ask(pb.PutChunkRequest(**it, sha256=chunk, data=data))
        await self._machine.ask(pb.CommitArtifactRequest(**it))


class Machine:
    """One machine: enrols, says Hello, beats, polls, and runs what it is offered."""

    def __init__(self, records: Records, finish: asyncio.Event) -> None:
        self.records, self.finish = records, finish
        self.held: dict[int, int] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._reached = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._heartbeat_seconds = self._poll_seconds = 0.0
        self._epoch = 0

    async def enroll(self, stub: fleet_pb2_grpc.EnrollmentStub, token: str, version: str) -> None:
        """Redeem a join token; from then on calls go to the fleet port with the certificate."""
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "machine")])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self._key, hashes.SHA256())
        self._host = f"bench-{token[4:12]}"
        request = pb.EnrollRequest(
            token=token, csr=csr.public_bytes(serialization.Encoding.PEM), hostname=self._host, agent_version=version
        )
        reply = await stub.Enroll(request, timeout=120)
        self._id, self._version = reply.machine_id, version
        key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        secured = grpc.ssl_channel_credentials(reply.authority, key, reply.certificate)
        # two connections, the second made when it is first used: a slow upload must cost no lease
        channels = {
            name: grpc.aio.secure_channel(reply.fleet_address, secured, OPTIONS) for name in ("control", "bulk")
        }
        self._stubs = {name: fleet_pb2_grpc.FleetStub(channel) for name, channel in channels.items()}

    async def greet(self) -> None:
        """Open a session."""
        held = [pb.HeldAttempt(attempt_id=one, fence=fence, state="RUNNING") for one, fence in self.held.items()]
        reply = await self.ask(
            pb.HelloRequest(agent_version=self._version, boot_id="boot", inventory=self._inventory(), attempts=held)
        )
        self._epoch, self._poll_seconds = reply.epoch, reply.poll_seconds
        self._heartbeat_seconds = reply.heartbeat_seconds

    def live(self) -> None:
        """Beat and poll from now on."""
        self._spawn(self._beat())
        self._spawn(self._poll())

    async def ask(self, request: Any, deadline: float = CALL_SECONDS) -> Any:
        """The reply to a unary call, repeated while the failure is a passing one, as the agent does."""
        name, wait = type(request).__name__.removesuffix("Request"), RETRY_FIRST
        stub = self._stubs["bulk" if name in BULK else "control"]
        while True:
            begun, phase = time.monotonic(), self.records.phase
            try:
                reply = await getattr(stub, name)(request, timeout=deadline)
            except grpc.RpcError as problem:
                self.records.failures[self.records.phase][f"{name} {problem.code().name}"] += 1
                if problem.code() not in TRANSIENT:
                    raise
                self._reached.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._reached.wait(), random.uniform(0, wait))
                wait = min(wait * 2, RETRY_MAX)
            else:
                self._reached.set()
                self.records.seconds[phase][name].append(time.monotonic() - begun)
                return reply

    async def _beat(self) -> None:
        await asyncio.sleep(random.uniform(0, self._heartbeat_seconds))
        while True:
            held = [pb.HeldAttempt(attempt_id=one, fence=fence, state="RUNNING") for one, fence in self.held.items()]
            begun = time.monotonic()
            request = pb.HeartbeatRequest(epoch=self._epoch, inventory=self._inventory(), attempts=held)
            self._heartbeat_seconds = (await self.ask(request)).heartbeat_seconds
            self.records.heard[self._id] = begun
            await asyncio.sleep(self._heartbeat_seconds * random.uniform(0.95, 1.05))

    async def _poll(self) -> None:
        known: list[str] = []
        while True:
            request = pb.PollRequest(epoch=self._epoch, known=known, wait_seconds=self._poll_seconds)
            for instruction in (await self.ask(request, self._poll_seconds + 15.0)).instructions:
                known = [*known, instruction.key][-REMEMBERED:]
                if instruction.WhichOneof("what") == "offer":
                    self._spawn(Attempt(self, instruction.offer).run())

    def _spawn(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            self.records.failures[self.records.phase][f"ended by {type(problem).__name__}: {problem}"[:300]] += 1

    def _inventory(self) -> pb.Inventory:
        free = int(random.uniform(8, 15) * GIB)
        return pb.Inventory(
            hostname=self._host, system="linux", release="Debian 12", architecture="x86_64", cpu_name="simulated",
            cpu_count=8, memory_total=16 * GIB, memory_free=free, disk_total=200 * GIB, disk_free=100 * GIB,
            cpu_utilisation=random.random(), on_mains=True, battery=-1, platforms=["cpu"],
            devices=[
                pb.Device(uuid="cpu:0", kind="cpu", name="simulated", memory_total=16 * GIB, memory_free=free,
                          utilisation=random.random(), healthy=True)
            ],
        )  # fmt: skip


class Crowd:
    """The machines of this process, and what can be asked of them: each public coroutine is a command."""

    def __init__(self) -> None:
        self._records, self._finish = Records(), asyncio.Event()
        self._machines: list[Machine] = []

    async def join(self, tokens: list[str], address: str, authority: str, version: str) -> dict[str, Any]:
        """Enrol one machine for each token, open their sessions, and live."""
        credentials = grpc.ssl_channel_credentials(authority.encode())
        self._machines = [Machine(self._records, self._finish) for _ in tokens]
        async with grpc.aio.secure_channel(address, credentials) as channel:
            stub = fleet_pb2_grpc.EnrollmentStub(channel)
            await _at_most(
                ENROLLING_AT_ONCE,
                [one.enroll(stub, token, version) for one, token in zip(self._machines, tokens, strict=True)],
            )
        await _at_most(GREETING_AT_ONCE, [one.greet() for one in self._machines])
        for one in self._machines:
            one.live()
        return {"joined": len(self._machines)}

    async def phase(self, name: str) -> dict[str, Any]:
        """What is seen from now on is kept under this name."""
        self._records.phase = name
        return {}

    async def accepted(self) -> dict[str, Any]:
        """How many offers were taken up so far."""
        return {"accepted": len(self._records.accepted)}

    async def heard_since(self, since: float, seconds: float) -> dict[str, Any]:
        """Wait until each machine was answered a heartbeat that began after `since`; when that was."""
        heard = self._records.heard
        await _until(lambda: sum(at > since for at in heard.values()) == len(self._machines), seconds)
        return {"at": [at for at in heard.values() if at > since]}

    async def finish(self, seconds: float) -> dict[str, Any]:
        """End what runs, in good order; how many attempts did not end in time."""
        self._finish.set()
        await _until(lambda: not any(one.held for one in self._machines), seconds)
        return {"left": sum(len(one.held) for one in self._machines)}

    async def figures(self) -> dict[str, Any]:
        """What was seen."""
        return self._records.shown()


async def _at_most(together: int, work: list[Any]) -> None:
    turn = asyncio.Semaphore(together)

    async def one(item: Any) -> None:
        async with turn:
            await item

    await asyncio.gather(*map(one, work))


async def _until(reached: Any, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not reached() and time.monotonic() < until:
        await asyncio.sleep(0.1)


async def main() -> None:
    crowd, commands = Crowd(), asyncio.StreamReader(limit=64 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        command = json.loads(line)
        answer = await getattr(crowd, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
