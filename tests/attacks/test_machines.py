"""A machine of the fleet that lies, over real gRPC with mutual TLS: it reaches its own attempts and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from attacks.town import Town

from control_plane.authority import open_authority
from control_plane.services import jobs
from control_plane.services.fleet import events, points, scheduling
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.audit import AuditRecord
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.jobs import AttemptRecord, EventRecord, JobRecord, LogRecord
from control_plane.store.machines import EnvironmentLockRecord, MachineRecord
from control_plane.store.models import ModelRecord
from fleet_support import Fleet, announced, make_fleet
from link_support import Link, TestMachine, code_of, hello, key_pem, signing_request
from patience import PATIENCE
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

DATA = b'{"form": "base", "architecture": "LlamaForCausalLM"}'
SHA = hashlib.sha256(DATA).hexdigest()


@dataclass
class Shift:
    """Machine A holds an attempt of an import; B is another machine of the same fleet."""

    link: Link
    fleet: Fleet
    a: TestMachine
    b: TestMachine
    attempt: AttemptRecord
    job: JobRecord

    @contextmanager
    def as_a(self) -> Iterator[fleet_pb2_grpc.FleetStub]:
        with self.link.as_machine(self.a) as stub:
            yield stub

    def own(self, **changes: Any) -> dict[str, Any]:
        return {"attempt_id": self.attempt.id, "fence": self.attempt.fence} | changes

    def begun(self, stub: fleet_pb2_grpc.FleetStub) -> int:
        file = pb.ArtifactFile(path="model.json", size=len(DATA), sha256=SHA, chunks=[SHA])
        request = pb.BeginArtifactRequest(**self.own(name="model", files=[file]))
        return int(stub.BeginArtifact(request, timeout=PATIENCE).artifact_id)


@pytest.fixture
def shift(link: Link) -> Shift:
    fleet, a = make_fleet(link.cp), link.join()
    with link.as_machine(a) as stub:
        inventory = pb.Inventory(
            system="linux", memory_total=64 << 30, memory_free=64 << 30, disk_free=1 << 40, platforms=["cpu"],
            devices=[pb.Device(uuid="cpu:0", kind="cpu", memory_total=64 << 30, memory_free=64 << 30, healthy=True)],
        )  # fmt: skip
        hello(stub, inventory=inventory)
        job = jobs.submit(fleet.user, link.cp, "default", "bring")
        scheduling.run_pass(link.cp)
        attempt = fleet.attempt(job.id)
        stub.Accept(pb.AcceptRequest(attempt_id=attempt.id, fence=attempt.fence), timeout=PATIENCE)
    return Shift(link, fleet, a, link.join(), fleet.attempt(job.id), job)


def refused(call: Callable[[Any], Any], request: Any) -> str:
    """The domain's code of a refusal; a call that succeeds, or fails without one, fails the test."""
    with pytest.raises(grpc.RpcError) as refusal:
        call(request)
    assert refusal.value.code() is not grpc.StatusCode.INTERNAL, refusal.value.details()
    return code_of(refusal.value)


# ---- B's hands on what is A's


def _about_an_attempt(attempt_id: int, fence: int, artifact_id: int) -> dict[str, Any]:
    """Each call of the Fleet service that names an attempt or an artifact."""
    own = {"attempt_id": attempt_id, "fence": fence}
    event = pb.AttemptEvent(sequence=1, body='{"kind": "message", "text": "b"}')
    file = pb.ArtifactFile(path="model.json", size=len(DATA), sha256=SHA, chunks=[SHA])
    return {
        "Accept": pb.AcceptRequest(**own),
        "Decline": pb.DeclineRequest(**own, reason="x"),
        "ReportState": pb.ReportStateRequest(**own, sequence=1, state="FAILED", reason="x"),
        "AppendLog": pb.AppendLogRequest(**own, stream="stdout", data=b"b"),
        "SealLog": pb.SealLogRequest(**own, stream="stdout", sha256=hashlib.sha256(b"").hexdigest()),
        "AppendEvents": pb.AppendEventsRequest(**own, events=[event]),
        "BeginArtifact": pb.BeginArtifactRequest(**own, name="model", files=[file]),
        "MissingChunks": pb.MissingChunksRequest(artifact_id=artifact_id, fence=fence),
        "PutChunk": pb.PutChunkRequest(artifact_id=artifact_id, fence=fence, sha256=SHA, data=DATA),
        "CommitArtifact": pb.CommitArtifactRequest(artifact_id=artifact_id, fence=fence),
    }


def test_each_call_about_an_attempt_is_tried() -> None:
    others = {"RenewCertificate", "Hello", "Heartbeat", "Poll", "GetBlob", "ReportReplica", "Goodbye", "Serve"}
    service = pb.DESCRIPTOR.services_by_name["Fleet"]
    assert set(service.methods_by_name) == {*_about_an_attempt(1, 1, 1), *others}


def test_another_machines_attempt_does_not_exist(shift: Shift) -> None:
    with shift.as_a() as stub:
        artifact = shift.begun(stub)
    before = (AuditRecord.select().count(), LogRecord.select().count(), EventRecord.select().count())
    with shift.link.as_machine(shift.b) as stub:
        hello(stub)
        for name, request in _about_an_attempt(shift.attempt.id, shift.attempt.fence, artifact).items():
            assert refused(getattr(stub, name), request) == "not_found", name
        beat = pb.HeartbeatRequest(epoch=1, attempts=[pb.HeldAttempt(**shift.own())])
        reply = stub.Heartbeat(beat, timeout=PATIENCE)
    assert not reply.leases
    assert [verdict.verdict for verdict in reply.verdicts] == ["stop"]
    assert (AuditRecord.select().count(), LogRecord.select().count(), EventRecord.select().count()) == before
    assert AttemptRecord.get_by_id(shift.attempt.id).state == "PREPARING"


@pytest.mark.parametrize("off", [-1, 1, 2**62])
def test_a_wrong_fence_stops(shift: Shift, off: int) -> None:
    with shift.as_a() as stub:
        artifact = shift.begun(stub)
        for name, request in _about_an_attempt(shift.attempt.id, shift.attempt.fence + off, artifact).items():
            assert refused(getattr(stub, name), request) == "fenced", name


def test_only_blobs_that_an_own_attempt_needs_are_given_out(shift: Shift) -> None:
    secret = shift.link.cp.blobs.put_bytes(b"a row of another project")
    method = hashlib.sha256(b"print('hello')\n").hexdigest()
    with shift.as_a() as stub:
        assert stub.GetBlob(pb.GetBlobRequest(sha256=method, length=100), timeout=PATIENCE).data == b"print('hello')\n"
        for offset, length, wanted in ((-5, 100, b"print('hello')\n"), (2**63 - 1, 9, b""), (0, -1, b""), (6, 1, b"'")):
            request = pb.GetBlobRequest(sha256=method, offset=offset, length=length)
            assert stub.GetBlob(request, timeout=PATIENCE).data == wanted
        for name in (secret, "", "..", "../../tunesmith.db", "\x00", method.upper(), "0" * 64, "x" * 100_000):
            assert refused(stub.GetBlob, pb.GetBlobRequest(sha256=name, length=100)) == "not_found"
        assert refused(stub.GetBlob, pb.GetBlobRequest(sha256=method, length=2**40)) == "field_invalid"
    with shift.link.as_machine(shift.b) as stub:
        assert refused(stub.GetBlob, pb.GetBlobRequest(sha256=method, length=100)) == "not_found"


def test_another_machines_replica_is_not_touched(town: Town) -> None:
    link, replica = Link(town.cp, town.server), ReplicaRecord.get()
    before = replica.__data__.copy()
    deployment = DeploymentRecord.get_by_id(replica.deployment_id).__data__.copy()
    weights = ArtifactRecord.get_by_id(ModelRecord.get_by_id(town.made["gguf"]).artifact_id).files[0]["sha256"]
    thief = link.join()
    with link.as_machine(thief) as stub:
        epoch = hello(stub).epoch
        status = pb.ReplicaStatus(replica_id=replica.id, generation=replica.generation, state="FAILED", reason="x")
        stub.ReportReplica(pb.ReportReplicaRequest(epoch=epoch, status=status), timeout=PATIENCE)
        stub.Heartbeat(pb.HeartbeatRequest(epoch=epoch, replicas=[status]), timeout=PATIENCE)
        assert not stub.Poll(pb.PollRequest(epoch=epoch, wait_seconds=0), timeout=PATIENCE).instructions
        assert refused(stub.GetBlob, pb.GetBlobRequest(sha256=weights, length=9)) == "not_found"
    assert ReplicaRecord.get_by_id(replica.id).__data__ == before
    assert DeploymentRecord.get_by_id(replica.deployment_id).__data__ == deployment


def test_what_a_machine_says_about_a_replica_is_checked(shift: Shift) -> None:
    with shift.link.as_machine(shift.b) as stub:
        hello(stub)
        for params in ("[]", "NaN", "{", '{"a": 1e999}', '{"a": ' + "9" * 400 + "}", '{"a":' * 5_000, "x" * (1 << 20)):
            status = pb.ReplicaStatus(replica_id=1, generation=1, state="FAILED", reason="x", params=params)
            assert refused(stub.ReportReplica, pb.ReportReplicaRequest(epoch=1, status=status)) == "field_invalid"


# ---- who is let in


def test_a_certificate_of_another_fleet_opens_nothing(link: Link, tmp_path: Path) -> None:
    machine, foreign = link.join(), open_authority(tmp_path / "foreign")
    issued = foreign.issue(machine.id, machine.key.public_key(), link.cp.clock(), 3600.0)
    for certificate in (issued.certificate, issued.certificate + open_authority(link.cp.settings.data).pem, None):
        key = key_pem(machine.key) if certificate else None
        with link.fleet(key, certificate) as stub, pytest.raises(grpc.RpcError) as refusal:
            hello(stub)
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE  # no handshake


def test_a_certificate_of_this_fleet_that_is_no_machines_opens_nothing(link: Link) -> None:
    machine, authority = link.join(), open_authority(link.cp.settings.data)
    key, chain = authority.server_identity(frozenset({"localhost"}), link.cp.clock())
    unknown = authority.issue("00000000-0000-0000-0000-000000000000", machine.key.public_key(), link.cp.clock(), 3600.0)
    for private, certificate in ((key, chain), (key_pem(machine.key), unknown.certificate)):
        with link.fleet(private, certificate) as stub, pytest.raises(grpc.RpcError) as refusal:
            hello(stub)
        # a server's certificate may fail in the handshake already
        assert refusal.value.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE)
    assert MachineRecord.get_by_id(machine.id).epoch == 0


def test_guessing_join_tokens_is_slowed_and_told(link: Link) -> None:
    real = link.token()
    token_id, secret, pin = real.removeprefix("tsj_").split(".")
    guesses = [
        "",
        "tsj_",
        secret,
        f"tsj_{token_id}",
        f"tsj_{token_id}.{secret[:-1]}x.{pin}",
        "x" * 100_000,
        "\x00.\x00",
    ]
    told: list[str] = []
    with link.api() as stub:
        for number in range(25):
            machine, guess = TestMachine(), guesses[number % len(guesses)]
            request = pb.EnrollRequest(
                token=guess, csr=signing_request(machine.key), hostname="h", agent_version="0.1.0"
            )
            told.append(refused(stub.Enroll, request))
    assert told[:20] == ["join_token_refused"] * 20
    assert told[20:] == ["too_many"] * 5
    entries = list(AuditRecord.select().where(AuditRecord.action == "enrollment.refused"))
    assert len(entries) == 20  # the alarm: each guess, with its address
    assert {entry.address for entry in entries} == {"127.0.0.1"}
    assert {entry.subject for entry in entries} == {"join_token:unknown", f"join_token:{token_id}"}
    assert not any(secret[:8] in json.dumps(entry.__data__) for entry in entries)
    assert MachineRecord.select().count() == 0


def test_a_join_token_that_has_expired_or_was_used_lets_nobody_in(link: Link) -> None:
    old, used = link.token(lifetime_seconds=60.0), link.token()
    link.enroll(used, TestMachine())
    link.cp.clock.advance(61)  # type: ignore[attr-defined]
    for token in (old, used):
        with pytest.raises(grpc.RpcError) as refusal:
            link.enroll(token, TestMachine())
        assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert code_of(refusal.value) == "join_token_refused"
    assert MachineRecord.select().count() == 1


@pytest.mark.parametrize("csr", [b"", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", b"\x00" * 100_000])
def test_a_request_that_is_none_burns_no_token(link: Link, csr: bytes) -> None:
    token = link.token()
    with link.api() as stub:
        request = pb.EnrollRequest(token=token, csr=csr, hostname="h", agent_version="0.1.0")
        assert refused(stub.Enroll, request) == "field_invalid"
    link.enroll(token, TestMachine())


# ---- what it sends


def test_a_message_beyond_measure_is_refused(shift: Shift) -> None:
    with shift.as_a() as stub:
        for data in (b"x" * (17 << 20), b"\x00" * (64 << 20)):
            with pytest.raises(grpc.RpcError) as refusal:
                stub.AppendLog(
                    pb.AppendLogRequest(**shift.own(stream="stdout", data=data)),
                    timeout=PATIENCE,
                    compression=grpc.Compression.Gzip if data[:1] == b"\x00" else None,
                )
            assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        request = pb.AppendLogRequest(**shift.own(stream="stdout", data=b"x" * ((256 << 10) + 1)))
        assert refused(stub.AppendLog, request) == "field_invalid"
        many = [pb.HeldAttempt(attempt_id=number, fence=1) for number in range(300_000)]
        assert refused(stub.Heartbeat, pb.HeartbeatRequest(epoch=1, attempts=many)) == "field_invalid"
        replicas = [pb.ReplicaStatus(replica_id=number, state="SERVING") for number in range(300_000)]
        assert refused(stub.Heartbeat, pb.HeartbeatRequest(epoch=1, replicas=replicas)) == "field_invalid"
        stub.Heartbeat(pb.HeartbeatRequest(epoch=1), timeout=PATIENCE)  # and the connection lives


BAD_PATHS = [
    "", ".", "..", "/", "/etc/passwd.json", "../x.json", "a/../../x.json", "a//x.json", "./x.json", "a/./x.json",
    "a\\..\\x.json", "C:x.json", "a\x00.json", "a\n.json", "a\u202e.json", "x.json ", "a /x.json", "x" * 300 + ".json",
    "\U0001f600" * 100 + ".json", "a" * 195 + "/x.json",
]  # fmt: skip
BAD_TYPES = [
    "pytorch_model.bin", "model.pt", "optimizer.pth", "x.pkl", "x.pickle", "x.ckpt", "x.py", "x.so", "x.zip", "x",
    "model.safetensors.bin", "x.json.PKL", ".json",
]  # fmt: skip
CLASHES = [
    ("a.json", "a.json"), ("a.json", "A.json"), ("é.json", "e\u0301.json"), ("ﬁ.json", "fi.json"),
    ("ß.json", "SS.json"), ("a.json", "a.json/b.json"), ("A.json/b.json", "a.json"),
]  # fmt: skip


def _announce(shift: Shift, stub: fleet_pb2_grpc.FleetStub, *paths: str, **changes: Any) -> str:
    file = {"size": len(DATA), "sha256": SHA, "chunks": [SHA]} | changes
    files = [pb.ArtifactFile(path=path, **file) for path in paths]
    return refused(stub.BeginArtifact, pb.BeginArtifactRequest(**shift.own(name="model", files=files)))


def test_files_that_may_not_arrive_are_not_announced(shift: Shift) -> None:
    with shift.as_a() as stub:
        for path in BAD_PATHS:
            assert _announce(shift, stub, path) == "path_refused", path
        for path in BAD_TYPES:
            assert _announce(shift, stub, path) == "file_type_refused", path
        for pair in CLASHES:
            assert _announce(shift, stub, *pair) == "path_refused", pair
        for bad in ({"size": -1}, {"size": 2**62}, {"size": 9 << 20}, {"sha256": "../x"}, {"chunks": ["x" * 64]}):
            assert _announce(shift, stub, "x.json", **bad) == "field_invalid", bad
        for name in ("", "..", "checkpoint:-1", "checkpoint:1/../x", "other", "model\x00"):
            file = pb.ArtifactFile(path="x.json", size=len(DATA), sha256=SHA, chunks=[SHA])
            request = pb.BeginArtifactRequest(**shift.own(name=name, files=[file]))
            assert refused(stub.BeginArtifact, request) == "field_invalid", name
        assert _announce(shift, stub) == "field_invalid"
        many = [f"{number}.json" for number in range(10_001)]
        assert _announce(shift, stub, *many, size=0, chunks=[]) == "field_invalid"
    assert ArtifactRecord.select().count() == 0


def test_chunks_are_what_they_say(shift: Shift) -> None:
    cp = shift.link.cp
    with shift.as_a() as stub:
        own = {"artifact_id": shift.begun(stub), "fence": shift.attempt.fence}
        put = stub.PutChunk
        assert refused(put, pb.PutChunkRequest(**own, sha256=SHA, data=DATA[:-1])) == "chunk_corrupt"
        other = hashlib.sha256(b"other").hexdigest()
        assert refused(put, pb.PutChunkRequest(**own, sha256=other, data=b"other")) == "not_found"
        assert refused(put, pb.PutChunkRequest(**own, sha256="../../x", data=b"x")) == "not_found"
        assert refused(stub.CommitArtifact, pb.CommitArtifactRequest(**own)) == "artifact_incomplete"
        # a size that is not the file's would slip past every limit on sizes
        file = pb.ArtifactFile(path="model.json", size=1, sha256=SHA, chunks=[SHA])
        begin = pb.BeginArtifactRequest(**shift.own(name="checkpoint:1", files=[file]))
        lie = {"artifact_id": stub.BeginArtifact(begin, timeout=PATIENCE).artifact_id, "fence": shift.attempt.fence}
        assert refused(put, pb.PutChunkRequest(**lie, sha256=SHA, data=DATA)) == "chunk_corrupt"
        assert refused(stub.CommitArtifact, pb.CommitArtifactRequest(**lie)) == "artifact_incomplete"
    assert not cp.blobs.has(SHA)
    assert ArtifactRecord.select().where(ArtifactRecord.committed_at > 0).count() == 0


def test_offsets_of_a_log_are_no_game(shift: Shift) -> None:
    with shift.as_a() as stub:

        def append(offset: int, data: bytes, stream: str = "stdout") -> int:
            request = pb.AppendLogRequest(**shift.own(stream=stream, offset=offset, data=data))
            return int(stub.AppendLog(request, timeout=PATIENCE).committed)

        for offset in (-1, -(2**63)):
            request = pb.AppendLogRequest(**shift.own(stream="stdout", offset=offset, data=b"hello"))
            assert refused(stub.AppendLog, request) == "field_invalid"
        assert append(2**63 - 1, b"far") == 0
        assert append(0, b"hello ") == 6
        assert append(3, b"lo world") == 11  # an overlap that agrees
        assert append(12, b"gap") == 11
        assert append(2**63 - 1, b"far") == 11
        for stream in ("", "../x", "stdout/../../x", "\x00", "x" * 10_000):
            request = pb.AppendLogRequest(**shift.own(stream=stream, data=b"x"))
            assert refused(stub.AppendLog, request) == "not_found"
        seal = pb.SealLogRequest(**shift.own(stream="stdout", length=-1, sha256="x"))
        assert not stub.SealLog(seal, timeout=PATIENCE).sealed
    folder = shift.link.cp.settings.data / "logs"
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["stdout.log"]


EVIL_LINES = [
    "", "not json", "[]", "null", "{}", '{"kind": "party"}', '{"kind": "metric", "step": NaN, "values": {"loss": NaN}}',
    '{"kind": "metric", "step": 1, "values": {"loss": 1e999}}', '{"kind": "progress", "step": -1, "steps": 0}',
    '{"kind": "progress", "step": 1e-300, "steps": 1e308}',
    '{"kind": "progress", "step": 1, "steps": ' + "9" * 400 + "}",
    '{"kind": "progress", "time": 1e300, "step": 1, "steps": 2, "stage": 7}', '{"kind": "message", "time": -1e300}',
    '{"kind": "metric", "step": {"a": 1}, "values": [1]}', '{"kind": "metric", "step": true, "values": {"": "x"}}',
    '{"kind": "message", "text": "\\ud800", "\\udfff": 1}', '{"kind": "message", "text": "\\u0000"}',
    '{"kind": "message", "code": {"a": 1}, "params": [1], "level": 5, "text": {"b": 2}}',
    '{"kind": "checkpoint", "path": "../../etc/passwd", "step": "x"}', '{"kind": "message", "a": ' + '{"a":' * 10_000,
    '{"kind": "message", "a": ' + "[" * 300 + "]" * 300 + "}",
    '{"kind": "message", "text": "' + "x" * (10 << 20) + '"}',
    '{"kind": "metric", "step": 1, "values": {"<script>alert(1)</script>": 1}}',
    "\u202e\x1b[31m<script>alert(1)</script>",
]  # fmt: skip


def test_no_line_of_a_report_is_fatal(shift: Shift) -> None:
    with shift.as_a() as stub:
        for number, line in enumerate(EVIL_LINES, 1):
            event = pb.AttemptEvent(sequence=number, body=line)
            reply = stub.AppendEvents(pb.AppendEventsRequest(**shift.own(events=[event])), timeout=PATIENCE)
            assert reply.committed == number, line[:80]
        for number in (0, -1, 2**63 - 1):
            event = pb.AttemptEvent(sequence=number, body="{}")
            reply = stub.AppendEvents(pb.AppendEventsRequest(**shift.own(events=[event])), timeout=PATIENCE)
            assert reply.committed == len(EVIL_LINES)
    stored = events.of_job(shift.job.id)
    assert len(stored) == len(EVIL_LINES)
    for event in stored:  # each can be written out, and its time is one of a calendar
        json.dumps(event.body, ensure_ascii=False, allow_nan=False).encode()
        assert 0 <= event.time <= 253_402_300_799
    json.dumps(points.series(shift.job.id), allow_nan=False)
    progress = JobRecord.get_by_id(shift.job.id).progress
    assert all(
        isinstance(progress[name], int) and progress[name] >= 0 for name in ("step", "steps") if name in progress
    )


def test_reasons_and_states_are_taken_as_words_only(shift: Shift) -> None:
    with shift.as_a() as stub:

        def report(**changes: Any) -> pb.ReportStateRequest:
            return pb.ReportStateRequest(**shift.own(sequence=1, state="RUNNING") | changes)

        for params in (
            "[]",
            "{",
            '{"a": NaN}',
            '{"a": ' + "9" * 400 + "}",
            "{" * 10_000,
            '{"a": "' + "x" * 100_000 + '"}',
        ):
            assert refused(stub.ReportState, report(params=params)) == "field_invalid"
        for sequence in (2, 2**63 - 1):
            assert refused(stub.ReportState, report(sequence=sequence)) == "sequence_gap"
        for sequence in (0, -1):
            assert stub.ReportState(report(sequence=sequence, state="SUCCEEDED"), timeout=PATIENCE).state == "PREPARING"
        for sequence, state in enumerate(("LOST", "OFFERED", "QUEUED", "PREEMPTED", "", "\x00", "SUCCEEDED"), 1):
            assert stub.ReportState(report(sequence=sequence, state=state), timeout=PATIENCE).state == "PREPARING"
    assert JobRecord.get_by_id(shift.job.id).state == "RUNNING"


@pytest.mark.parametrize(
    "lock", ["--index-url https://evil.example\ntorch==2\n", "evil @ https://evil.example/a==1\n", "-e .\n", "a==1;b\n"]
)
def test_a_lock_with_more_than_pins_reaches_no_other_machine(shift: Shift, lock: str) -> None:
    with shift.as_a() as stub:
        request = pb.ReportStateRequest(**shift.own(sequence=1, state="RUNNING", environment_lock=lock))
        stub.ReportState(request, timeout=PATIENCE)
        assert EnvironmentLockRecord.select().count() == 0
        request = pb.ReportStateRequest(**shift.own(sequence=2, state="RUNNING", environment_lock="torch==2.13.0\n"))
        stub.ReportState(request, timeout=PATIENCE)
    assert [row.lock for row in EnvironmentLockRecord.select()] == ["torch==2.13.0\n"]


CARDS = [
    b"", b"[]", b"{}", b'{"form": "adapter"}', b'{"form": "base", "parameter_count": "many"}', b"\xff\xfe{\x00}\x00",
    b'{"form": "base", "source": "x"}', b'{"form": "base", "context_length": {}}', b'{"form": "base", "x": NaN}',
    b'{"form": "base", "x": ' + b"[" * 5_000, b'{"form": "base", "x": "' + b"x" * 100_000 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("card", CARDS, ids=range(len(CARDS)))
def test_a_model_with_a_broken_card_is_a_failure_with_its_reason(shift: Shift, card: bytes) -> None:
    file, sha256 = announced("model.json", card), hashlib.sha256(card).hexdigest()
    with shift.as_a() as stub:
        for sequence, state in ((1, "RUNNING"), (2, "UPLOADING")):
            stub.ReportState(pb.ReportStateRequest(**shift.own(sequence=sequence, state=state)), timeout=PATIENCE)
        files = [pb.ArtifactFile(path=file.path, size=file.size, sha256=file.sha256, chunks=file.chunks)]
        begin = pb.BeginArtifactRequest(**shift.own(name="model", files=files))
        own = {"artifact_id": stub.BeginArtifact(begin, timeout=PATIENCE).artifact_id, "fence": shift.attempt.fence}
        if card:
            stub.PutChunk(pb.PutChunkRequest(**own, sha256=sha256, data=card), timeout=PATIENCE)
        stub.CommitArtifact(pb.CommitArtifactRequest(**own), timeout=PATIENCE)
        done = pb.ReportStateRequest(**shift.own(sequence=3, state="SUCCEEDED"))
        assert stub.ReportState(done, timeout=PATIENCE).state == "FAILED"
    job = JobRecord.get_by_id(shift.job.id)
    assert (job.state, job.reason) == ("FAILED", "output_unreadable")


def test_an_inventory_of_nonsense_can_be_shown(shift: Shift) -> None:
    nan = float("nan")
    device = pb.Device(uuid="\x00", kind="<script>", utilisation=nan, temperature=float("inf"), memory_total=-(2**63))
    inventory = pb.Inventory(hostname="<script>", cpu_utilisation=nan, battery=-nan, memory_total=-1, devices=[device])
    with shift.as_a() as stub:
        stub.Heartbeat(pb.HeartbeatRequest(epoch=1, inventory=inventory), timeout=PATIENCE)
    scheduling.run_pass(shift.link.cp)
    stored = MachineRecord.get_by_id(shift.a.id).inventory
    json.dumps(stored, allow_nan=False)
    assert stored["cpu_utilisation"] == 0.0
