"""One machine's day over the wire: offer, accept, report, log, events, artifact, serve, stop, cancel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf import json_format

from control_plane.domain.policies import Policy
from control_plane.services import deployments, jobs
from control_plane.services.fleet import logs, scheduling
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import AttemptPartRecord, EventRecord, JobRecord
from control_plane.store.models import ModelRecord
from fleet_support import GIB, Fleet, announced, inventory_of, make_fleet, model_files
from link_support import Link, code_of, hello
from patience import PATIENCE
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc


@dataclass
class Machine:
    """An agent that does as it is told."""

    stub: fleet_pb2_grpc.FleetStub
    epoch: int

    def poll(self, *known: str, seconds: float = 0.0) -> dict[str, pb.Instruction]:
        reply = self.stub.Poll(pb.PollRequest(epoch=self.epoch, known=known, wait_seconds=seconds), timeout=PATIENCE)
        return {instruction.key: instruction for instruction in reply.instructions}

    def report(self, offer: pb.Offer, sequence: int, state: str, **more: object) -> str:
        request = pb.ReportStateRequest(
            attempt_id=offer.attempt_id,
            fence=offer.fence,
            sequence=sequence,
            state=state,
            **more,  # type: ignore[arg-type]
        )
        return str(self.stub.ReportState(request, timeout=PATIENCE).state)

    def run(self, offer: pb.Offer, form: str) -> str:
        """Take an offer through to its end."""
        held = {"attempt_id": offer.attempt_id, "fence": offer.fence}
        assert self.stub.Accept(pb.AcceptRequest(**held), timeout=PATIENCE).lease_seconds == 300
        self.report(offer, 1, "RUNNING", environment_lock="torch==2.13.0\n")
        said = b"step 1\nstep 2\n"
        append = pb.AppendLogRequest(**held, stream="stdout", data=said)
        assert self.stub.AppendLog(append, timeout=PATIENCE).committed == len(said)
        line = json.dumps({"kind": "metric", "time": 1.0, "step": 1, "values": {"loss": 0.5}})
        events = pb.AppendEventsRequest(**held, events=[pb.AttemptEvent(sequence=1, body=line)])
        assert self.stub.AppendEvents(events, timeout=PATIENCE).committed == 1
        self.report(offer, 2, "UPLOADING")
        self.upload(held, form)
        sealing = pb.SealLogRequest(**held, stream="stdout", length=len(said), sha256=hashlib.sha256(said).hexdigest())
        assert self.stub.SealLog(sealing, timeout=PATIENCE).sealed
        return self.report(offer, 3, "SUCCEEDED")

    def upload(self, held: dict[str, int], form: str) -> None:
        contents = model_files(form)
        files = [announced(path, data) for path, data in contents.items()]
        begin = pb.BeginArtifactRequest(
            **held,
            name="model",
            files=[pb.ArtifactFile(path=f.path, size=f.size, sha256=f.sha256, chunks=f.chunks) for f in files],
        )
        artifact = {
            "artifact_id": self.stub.BeginArtifact(begin, timeout=PATIENCE).artifact_id,
            "fence": held["fence"],
        }
        missing = self.stub.MissingChunks(pb.MissingChunksRequest(**artifact), timeout=PATIENCE).chunks
        for data in contents.values():
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 in missing:
                self.stub.PutChunk(pb.PutChunkRequest(**artifact, sha256=sha256, data=data), timeout=PATIENCE)
        self.stub.CommitArtifact(pb.CommitArtifactRequest(**artifact), timeout=PATIENCE)

    def read(self, file: pb.FileRef) -> bytes:
        request = pb.GetBlobRequest(sha256=file.sha256, offset=0, length=file.size)
        return bytes(self.stub.GetBlob(request, timeout=PATIENCE).data)


@pytest.fixture
def fleet(link: Link) -> Fleet:
    return make_fleet(link.cp)


@pytest.fixture
def machine(link: Link) -> Iterator[Machine]:
    inventory = json_format.ParseDict(inventory_of(16 * GIB), pb.Inventory())
    with link.as_machine(link.join()) as stub:
        yield Machine(stub, hello(stub, inventory=inventory).epoch)


def planned(fleet: Fleet, method: str, **inputs: int) -> JobRecord:
    job = jobs.submit(fleet.user, fleet.cp, "default", method, inputs=inputs)
    assert scheduling.run_pass(fleet.cp) == 1
    return job


def done(fleet: Fleet, machine: Machine, method: str, form: str, **inputs: int) -> ModelRecord:
    job = planned(fleet, method, **inputs)
    (offer,) = machine.poll().values()
    assert machine.run(offer.offer, form) == "SUCCEEDED"
    return ModelRecord.get(ModelRecord.job == job.id)


def test_a_job_runs_from_the_offer_to_the_model(fleet: Fleet, machine: Machine) -> None:
    job = planned(fleet, "bring")
    ((key, instruction),) = machine.poll(seconds=15).items()
    offer = instruction.offer
    assert key == f"offer:{offer.attempt_id}:{offer.fence}"
    assert (offer.job_id, offer.method, offer.entry, list(offer.devices)) == (job.id, "bring", "main.py", ["cpu:0"])
    assert json.loads(offer.parameters) == {"steps": 40}
    assert [(one.name, one.kind, one.form, one.path) for one in offer.outputs] == [("model", "model", "base", "base")]
    assert machine.poll(key) == {}  # what the machine knows is not told again
    assert machine.read(offer.code[0]) == b"print('hello')\n"

    assert machine.run(offer, "base") == "SUCCEEDED"
    assert machine.poll() == {}
    assert JobRecord.get_by_id(job.id).state == "SUCCEEDED"
    assert ModelRecord.get(ModelRecord.job == job.id).form == "base"
    assert logs.read(fleet.cp, offer.attempt_id, "stdout", 0, 100)[0] == b"step 1\nstep 2\n"
    assert [event.body["values"] for event in EventRecord.select()] == [{"loss": 0.5}]


def test_what_a_job_may_take_goes_with_its_offer(fleet: Fleet, machine: Machine) -> None:
    """An import: half an hour unless its owner says so, and a bound of memory; a training: neither."""
    assert planned(fleet, "bring").time_limit == fleet.cp.settings.import_seconds == 1800.0
    (instruction,) = machine.poll().values()
    assert instruction.offer.time_limit == 1800.0
    assert instruction.offer.memory_bytes == JobRecord.get().memory_bytes > 0
    assert machine.run(instruction.offer, "base") == "SUCCEEDED"
    planned(fleet, "tune", base=ModelRecord.get().id, dataset=fleet.dataset().id)
    (instruction,) = machine.poll().values()
    assert (instruction.offer.time_limit, instruction.offer.memory_bytes) == (0.0, 0)
    asked = jobs.submit(fleet.user, fleet.cp, "default", "bring", policy=Policy(time_limit=90.0))
    assert asked.time_limit == 90.0


def test_inputs_come_with_their_files_and_their_base(fleet: Fleet, machine: Machine) -> None:
    base = done(fleet, machine, "bring", "base")
    adapter = done(fleet, machine, "tune", "adapter", base=base.id, dataset=fleet.dataset().id)
    planned(fleet, "pack", model=adapter.id)
    (instruction,) = machine.poll().values()
    (given,) = instruction.offer.inputs
    assert (given.form, given.base.form) == ("adapter", "base")
    weights = next(file for file in given.base.files if file.path == "model.safetensors")
    assert machine.read(weights) == b"weights" * 9


def test_a_request_to_cancel_reaches_the_machine(fleet: Fleet, machine: Machine) -> None:
    job = planned(fleet, "bring")
    (instruction,) = machine.poll().values()
    offer = instruction.offer
    machine.stub.Accept(pb.AcceptRequest(attempt_id=offer.attempt_id, fence=offer.fence), timeout=PATIENCE)
    jobs.cancel(fleet.user, fleet.cp, job.id)
    ((key, told),) = machine.poll(seconds=15).items()
    assert key == f"cancel:{offer.attempt_id}:{offer.fence}"
    assert (told.cancel.attempt_id, told.cancel.fence) == (offer.attempt_id, offer.fence)
    assert machine.report(offer, 1, "CANCELLED") == "CANCELLED"
    assert machine.poll() == {}


def test_an_instruction_to_serve_stands_until_it_is_taken_back(fleet: Fleet, machine: Machine) -> None:
    base = done(fleet, machine, "bring", "base")
    adapter = done(fleet, machine, "tune", "adapter", base=base.id, dataset=fleet.dataset().id)
    packaged = done(fleet, machine, "pack", "gguf", model=adapter.id)
    deployment = deployments.deploy(fleet.user, fleet.cp, "default", "assistant", packaged.id)
    scheduling.run_pass(fleet.cp)
    ((key, told),) = machine.poll(seconds=15).items()
    assert (told.serve.name, told.serve.model.form) == ("assistant", "gguf")
    assert b"weights" in machine.read(next(f for f in told.serve.model.files if f.path.endswith(".gguf")))

    status = pb.ReplicaStatus(replica_id=told.serve.replica_id, generation=told.serve.generation, state="SERVING")
    machine.stub.ReportReplica(pb.ReportReplicaRequest(epoch=machine.epoch, status=status), timeout=PATIENCE)
    assert deployments.serving_replica(fleet.user, fleet.cp, "default", "assistant").id == told.serve.replica_id
    assert machine.poll(key) == {}
    assert list(machine.poll()) == [key]  # a machine that forgot everything learns it again

    deployments.stop(fleet.user, fleet.cp, deployment.id)
    ((_, stop),) = machine.poll(key, seconds=15).items()
    assert stop.WhichOneof("what") == "stop_serving"
    status = pb.ReplicaStatus(
        replica_id=stop.stop_serving.replica_id, generation=stop.stop_serving.generation, state="STOPPED"
    )
    machine.stub.Heartbeat(pb.HeartbeatRequest(epoch=machine.epoch, replicas=[status]), timeout=PATIENCE)
    assert machine.poll() == {}
    assert ReplicaRecord.get_by_id(stop.stop_serving.replica_id).state == "STOPPED"


def test_a_heartbeat_renews_the_lease_and_stops_what_is_not_held(fleet: Fleet, machine: Machine) -> None:
    planned(fleet, "bring")
    (instruction,) = machine.poll().values()
    offer = instruction.offer
    machine.stub.Accept(pb.AcceptRequest(attempt_id=offer.attempt_id, fence=offer.fence), timeout=PATIENCE)
    fleet.cp.clock.advance(100)  # type: ignore[attr-defined]
    beat = pb.HeartbeatRequest(
        epoch=machine.epoch,
        inventory=json_format.ParseDict(inventory_of(16 * GIB), pb.Inventory()),
        attempts=[
            pb.HeldAttempt(attempt_id=offer.attempt_id, fence=offer.fence, state="RUNNING"),
            pb.HeldAttempt(attempt_id=4711, fence=1, state="RUNNING"),
        ],
    )
    reply = machine.stub.Heartbeat(beat, timeout=PATIENCE)
    assert [(one.attempt_id, one.seconds_left) for one in reply.leases] == [(offer.attempt_id, 300.0)]
    assert [(one.attempt_id, one.verdict) for one in reply.verdicts] == [(4711, "stop")]
    stored = AttemptPartRecord.get(AttemptPartRecord.attempt == offer.attempt_id)
    assert stored.lease_until == pytest.approx(fleet.cp.clock() + 300)


def test_one_machine_may_not_touch_anothers_attempt(link: Link, fleet: Fleet, machine: Machine) -> None:
    planned(fleet, "bring")
    (instruction,) = machine.poll().values()
    offer = instruction.offer
    held = {"attempt_id": offer.attempt_id, "fence": offer.fence}
    with link.as_machine(link.join()) as stranger:
        hello(stranger)
        for call in (
            lambda: stranger.Accept(pb.AcceptRequest(**held), timeout=PATIENCE),
            lambda: stranger.Decline(pb.DeclineRequest(**held), timeout=PATIENCE),
            lambda: stranger.ReportState(pb.ReportStateRequest(**held, sequence=1, state="FAILED"), timeout=PATIENCE),
            lambda: stranger.AppendLog(pb.AppendLogRequest(**held, stream="stdout", data=b"x"), timeout=PATIENCE),
            lambda: stranger.GetBlob(
                pb.GetBlobRequest(sha256=offer.code[0].sha256, offset=0, length=10), timeout=PATIENCE
            ),
        ):
            with pytest.raises(grpc.RpcError) as refusal:
                call()
            assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
            assert code_of(refusal.value) == "not_found"
