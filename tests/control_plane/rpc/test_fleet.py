"""Sessions, heartbeats and the hanging Poll over the real fleet port."""

from __future__ import annotations

import threading
import time

import grpc
import pytest

from control_plane.domain.permissions import SYSTEM
from control_plane.services.fleet import artifacts, machines
from control_plane.store.machines import MachineRecord
from link_support import Link, code_of, hello
from patience import LONG, PATIENCE, wait_until
from tunesmith.v1 import fleet_pb2 as pb


def test_hello_tells_the_pace_and_stores_the_inventory(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        reply = hello(stub)
    assert (reply.heartbeat_seconds, reply.poll_seconds) == (10.0, LONG)
    stored = MachineRecord.get_by_id(machine.id)
    assert stored.connectivity == "ONLINE"
    assert stored.inventory["memory_total"] == 8 << 30
    assert stored.inventory["devices"][0]["kind"] == "cpu"
    assert stored.inventory["battery"] == 0.0  # empty fields are there


def test_an_inventory_beyond_measure_is_refused(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub, pytest.raises(grpc.RpcError) as refusal:
        hello(stub, inventory=pb.Inventory(hostname="x" * (1 << 19)))
    assert code_of(refusal.value) == "field_invalid"


def test_a_newer_session_supersedes_the_older_one(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        old, new = hello(stub).epoch, hello(stub).epoch
        stub.Heartbeat(pb.HeartbeatRequest(epoch=new), timeout=PATIENCE)
        for call in (
            lambda: stub.Heartbeat(pb.HeartbeatRequest(epoch=old), timeout=PATIENCE),
            lambda: stub.Poll(pb.PollRequest(epoch=old, wait_seconds=0), timeout=PATIENCE),
            lambda: stub.Goodbye(pb.GoodbyeRequest(epoch=old, reason="sleep"), timeout=PATIENCE),
        ):
            with pytest.raises(grpc.RpcError) as refusal:
                call()
            assert refusal.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert code_of(refusal.value) == "superseded"


def test_goodbye_says_where_the_machine_went(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        epoch = hello(stub).epoch
        stub.Goodbye(pb.GoodbyeRequest(epoch=epoch, reason="sleep"), timeout=PATIENCE)
        assert MachineRecord.get_by_id(machine.id).connectivity == "ASLEEP"


def test_poll_comes_back_empty_when_its_time_is_up(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        epoch = hello(stub).epoch
        begun = time.monotonic()
        reply = stub.Poll(pb.PollRequest(epoch=epoch, wait_seconds=0.3), timeout=PATIENCE)
    assert not reply.instructions
    assert time.monotonic() - begun >= 0.3


def test_poll_wakes_at_once_when_there_is_something_to_do(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        epoch = hello(stub).epoch
        hanging = stub.Poll.future(pb.PollRequest(epoch=epoch, wait_seconds=LONG), timeout=PATIENCE)
        _until_listening(link, machine.id)
        machines.drain(SYSTEM, link.cp, machine.id)
        reply = hanging.result()
        assert [one.key for one in reply.instructions] == ["drain"]
        assert reply.instructions[0].WhichOneof("what") == "drain"
        known = stub.Poll(pb.PollRequest(epoch=epoch, known=["drain"], wait_seconds=0), timeout=PATIENCE)
        assert not known.instructions
        assert stub.Heartbeat(pb.HeartbeatRequest(epoch=epoch), timeout=PATIENCE).instructions_waiting


def test_a_hanging_poll_ends_with_its_session(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        epoch = hello(stub).epoch
        hanging = stub.Poll.future(pb.PollRequest(epoch=epoch, wait_seconds=LONG), timeout=PATIENCE)
        _until_listening(link, machine.id)
        hello(stub)
        with pytest.raises(grpc.RpcError) as refusal:
            hanging.result()
    assert code_of(refusal.value) == "superseded"


def test_many_hanging_polls_hold_no_thread(link: Link) -> None:
    """More polls than the pool has threads hang, and a heartbeat is still answered."""
    machine = link.join()
    with link.as_machine(machine) as stub:
        epoch = hello(stub).epoch
        polls = [stub.Poll.future(pb.PollRequest(epoch=epoch, wait_seconds=LONG), timeout=PATIENCE) for _ in range(60)]
        _until_listening(link, machine.id, 60)
        assert len([one for one in threading.enumerate() if one.name.startswith("rpc")]) <= 25
        stub.Heartbeat(pb.HeartbeatRequest(epoch=epoch), timeout=PATIENCE)
        machines.drain(SYSTEM, link.cp, machine.id)
        assert all(poll.result().instructions for poll in polls)


def test_transfers_that_take_every_thread_of_theirs_silence_no_heartbeat(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, let_go, stuck = link.join(), threading.Event(), threading.Semaphore(0)

    def slow(*_: object) -> tuple[bytes, int]:
        stuck.release()
        let_go.wait(PATIENCE)
        return b"", 0

    monkeypatch.setattr(artifacts, "read_blob", slow)
    threads = link.cp.settings.bulk_threads
    with link.as_machine(machine) as stub:
        epoch = hello(stub).epoch
        blob = pb.GetBlobRequest(sha256="0" * 64, length=1)
        transfers = [stub.GetBlob.future(blob, timeout=PATIENCE) for _ in range(24)]
        try:
            assert all(stuck.acquire(timeout=PATIENCE) for _ in range(threads))
            stub.Heartbeat(pb.HeartbeatRequest(epoch=epoch), timeout=PATIENCE)
            assert not any(transfer.done() for transfer in transfers)
        finally:
            let_go.set()
        assert all(transfer.result().size == 0 for transfer in transfers)


def test_a_defect_tells_nothing_of_the_inside(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the key is 12345")

    machine = link.join()
    monkeypatch.setattr(machines, "goodbye", broken)
    with link.as_machine(machine) as stub, pytest.raises(grpc.RpcError) as refusal:
        stub.Goodbye(pb.GoodbyeRequest(epoch=1), timeout=PATIENCE)
    assert refusal.value.code() is grpc.StatusCode.INTERNAL
    assert refusal.value.details() == "Something went wrong."
    assert "12345" not in str(refusal.value.trailing_metadata())


def test_chunks_beyond_the_limit_are_refused(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub:
        with pytest.raises(grpc.RpcError) as refusal:
            stub.AppendLog(pb.AppendLogRequest(attempt_id=1, data=bytes((256 << 10) + 1)), timeout=PATIENCE)
        assert code_of(refusal.value) == "field_invalid"
        with pytest.raises(grpc.RpcError) as bomb:
            stub.PutChunk(pb.PutChunkRequest(data=bytes(64 << 20)), timeout=PATIENCE, compression=grpc.Compression.Gzip)
        assert bomb.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_another_machines_attempt_is_not_found(link: Link) -> None:
    machine = link.join()
    with link.as_machine(machine) as stub, pytest.raises(grpc.RpcError) as refusal:
        stub.Accept(pb.AcceptRequest(attempt_id=1, fence=1), timeout=PATIENCE)
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND


def _until_listening(link: Link, machine_id: str, count: int = 1) -> None:
    """The polls have subscribed: what is woken from here on is heard."""
    callbacks = link.cp.signals._callbacks  # type: ignore[attr-defined]
    wait_until(lambda: len(callbacks.get(f"machine:{machine_id}", ())) >= count)
