"""The serving channel: requests go down a machine's own stream, answers come up, and a reader that leaves cancels."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import pytest

from control_plane.domain.errors import DeadlineExceeded, EngineFailed, MachineWentAway
from control_plane.domain.permissions import SYSTEM
from control_plane.rpc.serving import ServingChannels
from control_plane.services.fleet import machines
from link_support import Link, TestMachine, code_of, hello
from patience import PATIENCE, wait_until
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

CHAT = "/v1/chat/completions"


@dataclass
class Stream:
    """The agent's end of the channel, with a fake engine: the test says each piece of each answer."""

    down: Iterator[pb.ServeDown]
    up: queue.SimpleQueue[pb.ServeUp | None] = field(default_factory=queue.SimpleQueue)
    received: queue.SimpleQueue[pb.ServeDown] = field(default_factory=queue.SimpleQueue)
    ended: threading.Event = field(default_factory=threading.Event)

    def request(self) -> pb.ServeDown:
        return self.received.get(timeout=PATIENCE)

    def say(self, request: pb.ServeDown, **values: object) -> None:
        self.up.put(pb.ServeUp(request_id=request.request_id, **values))  # type: ignore[arg-type]

    def read(self) -> None:
        try:
            for message in self.down:
                self.received.put(message)
        except grpc.RpcError:
            pass
        finally:
            self.ended.set()


@contextmanager
def stream_of(stub: fleet_pb2_grpc.FleetStub, link: Link, machine: TestMachine, epoch: int) -> Iterator[Stream]:
    up: queue.SimpleQueue[pb.ServeUp | None] = queue.SimpleQueue()
    up.put(pb.ServeUp(epoch=epoch))
    call = stub.Serve(iter(up.get, None))
    stream = Stream(call, up)
    threading.Thread(target=stream.read, daemon=True).start()
    try:
        wait_until(lambda: machine.id in link.cp.inference._channels)  # type: ignore[attr-defined]
        yield stream
    finally:
        up.put(None)
        call.cancel()


@pytest.fixture
def machine(link: Link) -> TestMachine:
    return link.join()


@pytest.fixture
def stub(link: Link, machine: TestMachine) -> Iterator[fleet_pb2_grpc.FleetStub]:
    with link.as_machine(machine) as stub:
        yield stub


@pytest.fixture
def stream(link: Link, machine: TestMachine, stub: fleet_pb2_grpc.FleetStub) -> Iterator[Stream]:
    with stream_of(stub, link, machine, hello(stub).epoch) as stream:
        yield stream


def engine(stream: Stream, behaviour: Callable[[pb.ServeDown], None]) -> None:
    """Answer one request in a thread of its own."""
    threading.Thread(target=lambda: behaviour(stream.request()), daemon=True).start()


def test_an_answer_is_streamed_piece_by_piece(link: Link, machine: TestMachine, stream: Stream) -> None:
    asked: list[pb.ServeDown] = []

    def answer(request: pb.ServeDown) -> None:
        asked.append(request)
        stream.say(request, status=200, content_type="text/event-stream", data=b"one")

    engine(stream, answer)
    reply = link.cp.inference.ask(machine.id, 7, CHAT, b'{"stream": true}', PATIENCE)
    assert (reply.status, reply.content_type) == (200, "text/event-stream")
    assert (asked[0].replica_id, asked[0].path, asked[0].body) == (7, CHAT, b'{"stream": true}')
    pieces = iter(reply)
    assert next(pieces) == b"one"  # before the next one was even made
    stream.say(asked[0], data=b"two")
    assert next(pieces) == b"two"
    stream.say(asked[0], end=True)
    assert list(pieces) == []
    reply.close()
    with pytest.raises(queue.Empty):  # a complete answer is not cancelled
        stream.received.get(timeout=0.2)


def test_answers_at_the_same_time_do_not_mix(link: Link, machine: TestMachine, stream: Stream) -> None:
    results: dict[int, bytes] = {}

    def ask(number: int) -> None:
        reply = link.cp.inference.ask(machine.id, 1, CHAT, str(number).encode(), PATIENCE)
        results[number] = b"".join(reply)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    requests = [stream.request() for _ in threads]
    for _ in range(5):
        for request in requests:
            stream.say(request, status=200, data=request.body)
    for request in requests:
        stream.say(request, end=True)
    for thread in threads:
        thread.join(PATIENCE)
    assert results == {number: str(number).encode() * 5 for number in range(8)}


def test_a_reader_that_leaves_cancels_the_generation(link: Link, machine: TestMachine, stream: Stream) -> None:
    engine(stream, lambda request: stream.say(request, status=200, data=b"a"))
    reply = link.cp.inference.ask(machine.id, 1, CHAT, b"{}", PATIENCE)
    next(iter(reply))
    reply.close()
    cancel = stream.request()
    assert cancel.cancel
    assert cancel.request_id == reply.request_id  # type: ignore[attr-defined]
    stream.say(cancel, data=b"too late", end=True)  # harmless
    engine(stream, lambda request: stream.say(request, status=200, data=b"fine", end=True))
    assert b"".join(link.cp.inference.ask(machine.id, 1, CHAT, b"{}", PATIENCE)) == b"fine"


def test_pieces_that_wait_go_on_together(link: Link, machine: TestMachine, stream: Stream) -> None:
    engine(stream, lambda request: stream.say(request, status=200, data=b"1"))
    reply = link.cp.inference.ask(machine.id, 1, CHAT, b"{}", PATIENCE)
    pieces = iter(reply)
    assert next(pieces) == b"1"
    request = pb.ServeDown(request_id=reply.request_id)  # type: ignore[attr-defined]
    stream.say(request, data=b"2")
    stream.say(request, data=b"3")
    stream.say(request, error="engine_failed", end=True)
    wait_until(lambda: reply._pieces.qsize() == 3)  # type: ignore[attr-defined]
    assert next(pieces) == b"23"
    with pytest.raises(EngineFailed):
        next(pieces)


def test_a_chat_that_is_cancelled_leaves_nothing_behind(link: Link, machine: TestMachine, stream: Stream) -> None:
    channels: ServingChannels = link.cp.inference  # type: ignore[assignment]

    async def ask_and_leave(number: int) -> None:
        asked = channels.stream(machine.id, 1, CHAT, str(number).encode(), PATIENCE)
        reading = asyncio.ensure_future(anext(asked))
        await asyncio.sleep(0)  # it is sent
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    for number in range(40):  # more than any pool has threads
        asyncio.run_coroutine_threadsafe(ask_and_leave(number), link.server._loop).result(PATIENCE)
        assert not stream.request().cancel
        assert stream.request().cancel
    engine(stream, lambda request: stream.say(request, status=200, data=b"fine", end=True))

    async def ask() -> bytes:
        return b"".join([data async for _, data in channels.stream(machine.id, 1, CHAT, b"{}", PATIENCE)])

    assert asyncio.run_coroutine_threadsafe(ask(), link.server._loop).result(PATIENCE) == b"fine"
    assert channels._channels[machine.id]._answers == {}


def test_a_deadline_cancels_too(link: Link, machine: TestMachine, stream: Stream) -> None:
    with pytest.raises(DeadlineExceeded):
        link.cp.inference.ask(machine.id, 1, CHAT, b"{}", 0.2)
    assert not stream.request().cancel
    assert stream.request().cancel


def test_an_engine_that_cannot_be_asked(link: Link, machine: TestMachine, stream: Stream) -> None:
    engine(stream, lambda request: stream.say(request, error="connection_refused", end=True))
    with pytest.raises(EngineFailed, match="connection_refused"):
        link.cp.inference.ask(machine.id, 1, CHAT, b"{}", PATIENCE)


def test_a_machine_that_goes_away_ends_its_answers(link: Link, machine: TestMachine, stream: Stream) -> None:
    def answer_and_leave(request: pb.ServeDown) -> None:
        stream.say(request, status=200, data=b"half")
        stream.up.put(None)

    engine(stream, answer_and_leave)
    reply = link.cp.inference.ask(machine.id, 1, CHAT, b"{}", PATIENCE)
    with pytest.raises(MachineWentAway):
        list(reply)
    wait_until(lambda: machine.id not in link.cp.inference._channels)  # type: ignore[attr-defined]
    with pytest.raises(MachineWentAway):
        link.cp.inference.ask(machine.id, 1, CHAT, b"{}", PATIENCE)


def test_a_new_session_ends_the_channel_of_the_older_one(
    link: Link, machine: TestMachine, stub: fleet_pb2_grpc.FleetStub, stream: Stream
) -> None:
    hello(stub)
    assert stream.ended.wait(PATIENCE)


def test_a_revoked_machine_loses_its_channel(link: Link, machine: TestMachine, stream: Stream) -> None:
    machines.revoke(SYSTEM, link.cp, machine.id)
    assert stream.ended.wait(PATIENCE)


def test_a_channel_of_an_older_session_is_refused(link: Link, stub: fleet_pb2_grpc.FleetStub) -> None:
    old = hello(stub).epoch
    hello(stub)
    with pytest.raises(grpc.RpcError) as refusal:
        list(stub.Serve(iter([pb.ServeUp(epoch=old)]), timeout=PATIENCE))
    assert code_of(refusal.value) == "superseded"


def test_an_answer_that_nobody_reads_is_ended(link: Link, machine: TestMachine, stream: Stream) -> None:
    def flood(request: pb.ServeDown) -> None:
        for _ in range(12):
            stream.say(request, status=200, data=bytes(1 << 20))

    engine(stream, flood)
    reply = link.cp.inference.ask(machine.id, 1, CHAT, b"{}", PATIENCE)
    assert stream.request().cancel
    assert reply.unread <= 9 << 20  # type: ignore[attr-defined]
