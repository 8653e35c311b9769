"""A fake control plane for tests of the agent: the real wire and real mutual TLS, but everything behind it in memory.

It keeps what the agent sent (`states`, `logs`, `events`, `artifacts`) and checks what the contract lets it check:
fences, report sequences, log offsets, chunk hashes.
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from control_plane.authority import Authority, key_of_request, open_authority
from patience import PATIENCE
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

MACHINE = "11111111-2222-3333-4444-555555555555"
OPTIONS = [
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
]


class FakeFleet(fleet_pb2_grpc.FleetServicer, fleet_pb2_grpc.EnrollmentServicer):
    def __init__(self, folder: Path) -> None:
        self.authority: Authority = open_authority(folder)
        self.token = f"tsj_7.secret.{self.authority.key_hash}"
        self.changed = threading.Condition()
        self.blobs: dict[str, bytes] = {}
        self.instructions: dict[str, pb.Instruction] = {}
        self.fences: dict[int, int] = {}
        self.states: dict[int, list[pb.ReportStateRequest]] = defaultdict(list)
        self.logs: dict[tuple[int, str], bytes] = defaultdict(bytes)
        self.sealed: dict[tuple[int, str], str] = {}
        self.events: dict[int, list[dict[str, object]]] = defaultdict(list)
        self.artifacts: dict[int, pb.BeginArtifactRequest] = {}
        self.committed: dict[int, dict[str, dict[str, bytes]]] = defaultdict(dict)  # attempt → output → path → bytes
        self.replicas: dict[int, list[pb.ReplicaStatus]] = defaultdict(list)
        self.hellos: list[pb.HelloRequest] = []
        self.heartbeats: list[pb.HeartbeatRequest] = []
        self.goodbyes: list[str] = []
        self.refusals: dict[str, tuple[grpc.StatusCode, str]] = {}  # call → what to answer instead
        self.refuse_times = 1  # how often a refusal is given before the call is answered
        self.down: queue.Queue[pb.ServeDown | None] = queue.Queue()
        self.up: dict[int, queue.Queue[pb.ServeUp]] = defaultdict(queue.Queue)
        self._chunks: dict[str, bytes] = {}
        self.chunks_asked = False
        self.hold_chunks = threading.Event()  # cleared: chunks are not answered until it is set again
        self.hold_chunks.set()
        self.epoch = 0
        self.heartbeat_seconds = 1.0
        self._server: grpc.Server | None = None
        self.api_port = self.fleet_port = 0

    # ---- being a server

    def start(self) -> None:
        """Listen (again) on loopback; the ports stay the same over restarts."""
        key, chain = self.authority.server_identity(frozenset({"127.0.0.1"}), time.time())
        self._server = grpc.server(ThreadPoolExecutor(32), options=OPTIONS)
        fleet_pb2_grpc.add_FleetServicer_to_server(self, self._server)
        fleet_pb2_grpc.add_EnrollmentServicer_to_server(self, self._server)
        open_ = grpc.ssl_server_credentials([(key, chain)])
        mutual = grpc.ssl_server_credentials([(key, chain)], self.authority.pem, require_client_auth=True)
        self.api_port = self._server.add_secure_port(f"127.0.0.1:{self.api_port}", open_)
        self.fleet_port = self._server.add_secure_port(f"127.0.0.1:{self.fleet_port}", mutual)
        self._server.start()

    def stop(self) -> None:
        self.down.put(None)
        self.hold_chunks.set()
        if self._server is not None:
            self._server.stop(0).wait()

    def instruct(self, key: str, **what: object) -> None:
        with self.changed:
            self.instructions[key] = pb.Instruction(key=key, **what)  # type: ignore[arg-type]
            self.changed.notify_all()

    def offer(self, offer: pb.Offer) -> None:
        self.fences[offer.attempt_id] = offer.fence
        self.instruct(f"offer:{offer.attempt_id}:{offer.fence}", offer=offer)

    def blob(self, path: str, data: bytes) -> pb.FileRef:
        sha256 = hashlib.sha256(data).hexdigest()
        self.blobs[sha256] = data
        return pb.FileRef(path=path, sha256=sha256, size=len(data))

    def wait_for(self, condition, seconds: float = PATIENCE) -> None:  # type: ignore[no-untyped-def]
        """Return as soon as the condition holds; it is looked at whenever the agent has said something."""
        with self.changed:
            assert self.changed.wait_for(condition, seconds), "it did not happen in time"

    def last_state(self, attempt_id: int) -> str:
        return self.states[attempt_id][-1].state if self.states[attempt_id] else ""

    # ---- Enrollment

    def Enroll(self, request: pb.EnrollRequest, context: grpc.ServicerContext) -> pb.EnrollReply:
        if request.token != self.token.rpartition(".")[0]:
            self._refuse(context, grpc.StatusCode.UNAUTHENTICATED, "join_token_refused")
        issued = self.authority.issue(MACHINE, key_of_request(request.csr), time.time(), 3600)
        return pb.EnrollReply(
            machine_id=MACHINE, certificate=issued.certificate, authority=self.authority.pem,
            fleet_address=f"127.0.0.1:{self.fleet_port}", generation=1,
        )  # fmt: skip

    # ---- Fleet

    def RenewCertificate(self, request, context):  # type: ignore[no-untyped-def]
        self._maybe_refuse("RenewCertificate", context)
        issued = self.authority.issue(MACHINE, key_of_request(request.csr), time.time(), 3600)
        return pb.RenewCertificateReply(certificate=issued.certificate, generation=2)

    def Hello(self, request, context):  # type: ignore[no-untyped-def]
        self._maybe_refuse("Hello", context)
        with self.changed:
            self.epoch += 1
            self.hellos.append(request)
            self.changed.notify_all()
            return pb.HelloReply(
                epoch=self.epoch,
                control_plane_version="0.1.0",
                heartbeat_seconds=self.heartbeat_seconds,
                poll_seconds=5,
            )

    def Heartbeat(self, request, context):  # type: ignore[no-untyped-def]
        self._maybe_refuse("Heartbeat", context)
        with self.changed:
            self.heartbeats.append(request)
            self.changed.notify_all()
        return pb.HeartbeatReply(heartbeat_seconds=self.heartbeat_seconds)

    def Poll(self, request, context):  # type: ignore[no-untyped-def]
        def fresh() -> list[pb.Instruction]:
            return [one for key, one in self.instructions.items() if key not in request.known]

        with self.changed:
            self.changed.wait_for(fresh, request.wait_seconds)
            return pb.PollReply(instructions=fresh())

    def Accept(self, request, context):  # type: ignore[no-untyped-def]
        self._fence(request, context)
        return pb.AcceptReply(lease_seconds=60)

    def Decline(self, request, context):  # type: ignore[no-untyped-def]
        with self.changed:
            self.states[request.attempt_id].append(
                pb.ReportStateRequest(state="DECLINED", reason=request.reason, params=request.params)
            )
            self.changed.notify_all()
        return pb.DeclineReply()

    def ReportState(self, request, context):  # type: ignore[no-untyped-def]
        self._fence(request, context)
        self._maybe_refuse(f"ReportState:{request.state}", context)
        with self.changed:
            seen = self.states[request.attempt_id]
            if request.sequence > len(seen) + 1:
                self._refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "sequence_gap")
            if request.sequence == len(seen) + 1:
                seen.append(request)
            self.changed.notify_all()
            return pb.ReportStateReply(state=seen[-1].state)

    def AppendLog(self, request, context):  # type: ignore[no-untyped-def]
        self._fence(request, context)
        key = (request.attempt_id, request.stream)
        with self.changed:
            if request.offset == len(self.logs[key]):
                self.logs[key] += request.data
            self.changed.notify_all()
            return pb.AppendLogReply(committed=len(self.logs[key]))

    def SealLog(self, request, context):  # type: ignore[no-untyped-def]
        self._fence(request, context)
        key = (request.attempt_id, request.stream)
        if hashlib.sha256(self.logs[key]).hexdigest() != request.sha256:
            self.logs[key] = b""
            return pb.SealLogReply(sealed=False, committed=0)
        self.sealed[key] = request.sha256
        return pb.SealLogReply(sealed=True, committed=request.length)

    def AppendEvents(self, request, context):  # type: ignore[no-untyped-def]
        self._fence(request, context)
        with self.changed:
            seen = self.events[request.attempt_id]
            for event in request.events:
                if event.sequence == len(seen) + 1:
                    seen.append(json.loads(event.body))
            self.changed.notify_all()
            return pb.AppendEventsReply(committed=len(seen))

    def BeginArtifact(self, request, context):  # type: ignore[no-untyped-def]
        self._fence(request, context)
        self._maybe_refuse("BeginArtifact", context)
        known = [number for number, begun in self.artifacts.items() if begun == request]
        number = known[0] if known else len(self.artifacts) + 1
        self.artifacts[number] = request
        return pb.BeginArtifactReply(artifact_id=number)

    def MissingChunks(self, request, context):  # type: ignore[no-untyped-def]
        files = self.artifacts[request.artifact_id].files
        return pb.MissingChunksReply(chunks={c for file in files for c in file.chunks if c not in self._chunks})

    def PutChunk(self, request, context):  # type: ignore[no-untyped-def]
        assert hashlib.sha256(request.data).hexdigest() == request.sha256
        with self.changed:
            self.chunks_asked = True
            self.changed.notify_all()
        self.hold_chunks.wait(PATIENCE)
        self._chunks[request.sha256] = request.data
        return pb.PutChunkReply()

    def CommitArtifact(self, request, context):  # type: ignore[no-untyped-def]
        self._maybe_refuse("CommitArtifact", context)
        begun = self.artifacts[request.artifact_id]
        files = {file.path: b"".join(self._chunks[chunk] for chunk in file.chunks) for file in begun.files}
        for file in begun.files:
            assert hashlib.sha256(files[file.path]).hexdigest() == file.sha256
        with self.changed:
            self.committed[begun.attempt_id][begun.name] = files
            self.changed.notify_all()
        return pb.CommitArtifactReply()

    def GetBlob(self, request, context):  # type: ignore[no-untyped-def]
        data = self.blobs[request.sha256]
        return pb.GetBlobReply(data=data[request.offset : request.offset + request.length], size=len(data))

    def ReportReplica(self, request, context):  # type: ignore[no-untyped-def]
        with self.changed:
            self.replicas[request.status.replica_id].append(request.status)
            self.changed.notify_all()
        return pb.ReportReplicaReply()

    def Goodbye(self, request, context):  # type: ignore[no-untyped-def]
        with self.changed:
            self.goodbyes.append(request.reason)
            self.changed.notify_all()
        return pb.GoodbyeReply()

    def Serve(self, up, context) -> Iterator[pb.ServeDown]:  # type: ignore[no-untyped-def]
        def listen() -> None:
            try:
                for message in up:
                    self.up[message.request_id].put(message)
            except grpc.RpcError:
                pass  # the stream ended

        self.down.put(None)  # the machine's earlier stream ends
        mine = self.down = queue.Queue()
        threading.Thread(target=listen, daemon=True).start()
        yield from iter(mine.get, None)

    # ---- saying no

    def _fence(self, request, context) -> None:  # type: ignore[no-untyped-def]
        if request.fence != self.fences.get(request.attempt_id):
            self._refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "fenced")

    def _maybe_refuse(self, call: str, context: grpc.ServicerContext) -> None:
        if call in self.refusals:
            refusal = self.refusals[call]
            self.refuse_times -= 1
            if self.refuse_times < 1:
                del self.refusals[call]
            self._refuse(context, *refusal)

    def _refuse(self, context: grpc.ServicerContext, status: grpc.StatusCode, code: str) -> None:
        context.set_trailing_metadata((("tunesmith-code", code), ("tunesmith-params", "{}")))
        context.abort(status, code)
