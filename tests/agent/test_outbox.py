"""Logs and events on their way, against a control plane in memory that acknowledges as it likes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from agent.attempts.masking import Mask, secrets_of
from agent.attempts.outbox import CHUNK, Outbox
from agent.link.calls import Refused
from agent.storage.state import Store
from tunesmith.v1 import fleet_pb2 as pb


class Receiver:
    """Stands where the link is."""

    def __init__(self) -> None:
        self.log = b""
        self.events: list[str] = []
        self.lose_log_at = -1  # pretend once that the log ends here
        self.lose_events_at = -1
        self.refuse = ""
        self.limit = 1 << 30
        self.sealed: list[str] = []

    def ask(self, request: Any, tick: Any = None) -> Any:
        if self.refuse:
            raise Refused(self.refuse, {}, "")
        return getattr(self, type(request).__name__)(request)

    def AppendLogRequest(self, request: pb.AppendLogRequest) -> pb.AppendLogReply:
        assert len(request.data) <= CHUNK
        room = 256 if request.data.startswith(b"\n[tunesmith] ") else 0
        if len(self.log) + len(request.data) > self.limit + room:
            raise Refused("file_too_large", {"file": request.stream, "limit": self.limit}, "")
        if request.stream == "stdout" and request.offset == len(self.log):
            self.log += request.data
        if 0 <= self.lose_log_at < len(self.log):
            self.log, self.lose_log_at = self.log[: self.lose_log_at], -1
        return pb.AppendLogReply(committed=len(self.log))

    def SealLogRequest(self, request: pb.SealLogRequest) -> pb.SealLogReply:
        kept = self.log if request.stream == "stdout" else b""
        sealed = hashlib.sha256(kept).hexdigest() == request.sha256 and len(kept) == request.length
        self.sealed += [request.stream] if sealed else []
        return pb.SealLogReply(sealed=sealed, committed=len(kept) if sealed else 0)

    def AppendEventsRequest(self, request: pb.AppendEventsRequest) -> pb.AppendEventsReply:
        for event in request.events:
            if event.sequence == len(self.events) + 1:
                self.events.append(event.body)
        if 0 <= self.lose_events_at < len(self.events):
            del self.events[self.lose_events_at :]
            self.lose_events_at = -1
        return pb.AppendEventsReply(committed=len(self.events))


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "state.db")
    made.add_attempt(1, 1, b"")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("log", "out"):
        (tmp_path / name).mkdir()
    return tmp_path


def outbox(receiver: Receiver, store: Store, folder: Path) -> Outbox:
    offer, mask = pb.Offer(attempt_id=1, fence=1), Mask(["hunter2hunter2"])
    return Outbox(receiver, store, offer, folder, mask, lambda: None)  # type: ignore[arg-type]


def test_only_ended_lines_travel_until_the_end(receiver: Receiver, store: Store, folder: Path) -> None:
    box, path = outbox(receiver, store, folder), folder / "log" / "stdout"
    path.write_bytes(b"one\n 50%\rtw")
    box.send_logs()
    assert receiver.log == b"one\n 50%\r"
    path.write_bytes(b"one\n 50%\rtwo")
    box.seal_logs()
    assert receiver.log == b"one\n 50%\rtwo"
    assert store.log(1, "stdout") == (len(receiver.log), True)


def test_a_secret_is_covered_wherever_chunks_are_cut(receiver: Receiver, store: Store, folder: Path) -> None:
    line = b"x" * 1000 + b" hunter2hunter2 tsk_0123456789abcdef http://me:password@host/\n"
    (folder / "log" / "stdout").write_bytes(line * 1000 + b"y" * 200_000 + b"\nend")
    outbox(receiver, store, folder).seal_logs()
    assert len(receiver.log) == len(line) * 1000 + 200_004
    assert b"hunter2" not in receiver.log and b"tsk_" not in receiver.log and b"password" not in receiver.log
    assert receiver.log.startswith(b"x" * 1000 + b" ************** ******************** http://***********@host/\n")


def test_the_log_rewinds_and_goes_on_after_a_restart(receiver: Receiver, store: Store, folder: Path) -> None:
    text = b"".join(b"line %d\n" % number for number in range(50_000))
    (folder / "log" / "stdout").write_bytes(text)
    receiver.lose_log_at = 70
    outbox(receiver, store, folder).send_logs()
    assert receiver.log == text
    (folder / "log" / "stdout").write_bytes(text + b"more\n")
    outbox(receiver, store, folder).seal_logs()  # another agent
    assert receiver.log == text + b"more\n"


@pytest.mark.parametrize("code", ["file_too_large", "log_diverged"])
def test_a_stream_that_is_not_taken_does_not_stop_the_attempt(
    receiver: Receiver, store: Store, folder: Path, code: str
) -> None:
    (folder / "log" / "stdout").write_bytes(b"line\n")
    receiver.refuse = code
    outbox(receiver, store, folder).seal_logs()
    assert store.log(1, "stdout") == (0, True)


def test_a_log_that_became_too_long_ends_with_a_line_that_says_so(
    receiver: Receiver, store: Store, folder: Path
) -> None:
    line, path = b"a line that holds hunter2hunter2 and no more\n", folder / "log" / "stdout"
    receiver.limit = 20_000
    path.write_bytes(line * 400)
    box = outbox(receiver, store, folder)
    box.send_logs()
    kept = receiver.log
    path.write_bytes(line * 4000)
    box.send_logs()
    marked = kept + b"\n[tunesmith] the log is cut off here, after %d bytes: it became too long\n" % len(kept)
    assert receiver.log == marked
    assert receiver.sealed == ["stdout"]
    box.send_logs()
    outbox(receiver, store, folder).seal_logs()  # another agent
    assert receiver.log == marked
    assert sorted(receiver.sealed) == ["agent", "stderr", "stdout"]


def test_other_refusals_do(receiver: Receiver, store: Store, folder: Path) -> None:
    (folder / "log" / "stdout").write_bytes(b"line\n")
    receiver.refuse = "denied"
    with pytest.raises(Refused):
        outbox(receiver, store, folder).send_logs()


def test_events_are_lines_in_order_and_rewind(receiver: Receiver, store: Store, folder: Path) -> None:
    path = folder / "out" / "events.jsonl"
    path.write_text("".join(json.dumps({"step": step}) + "\n" for step in range(1200)) + '{"step": 12')
    receiver.lose_events_at = 700
    outbox(receiver, store, folder).send_events()
    assert [json.loads(body)["step"] for body in receiver.events] == list(range(1200))
    with path.open("a") as file:
        file.write('00}\n{"step": 1201}\n')
    outbox(receiver, store, folder).send_events()  # another agent
    assert [json.loads(body)["step"] for body in receiver.events] == list(range(1202))


@pytest.mark.parametrize("line", ["no json", "[1]", '{"a": ' * 9, '{"a": "' + "x" * 70_000 + '"}', "\udcff"])
def test_a_bad_event_becomes_a_warning_in_its_place(receiver: Receiver, store: Store, folder: Path, line: str) -> None:
    text = f'{{"step": 1}}\n{line}\n{{"step": 3}}\n'
    (folder / "out" / "events.jsonl").write_bytes(text.encode(errors="surrogateescape"))
    outbox(receiver, store, folder).send_events()
    first, second, third = (json.loads(body) for body in receiver.events)
    assert (first["step"], third["step"]) == (1, 3)
    assert (second["code"], second["params"]) == ("event_unreadable", {"line": 2})


def test_what_counts_as_a_secret() -> None:
    variables = {"HF_TOKEN": "a" * 10, "MY_KEY": "b" * 10, "DB_PASSWORD": "c" * 10, "PATH": "/usr/bin", "X_KEY": "1"}
    assert secrets_of(variables, "/k") == ["a" * 10, "b" * 10, "c" * 10, "1", "/k"]
    assert Mask(["1", "aaaaaaaaaa"]).cover(b"1 aaaaaaaaaa") == b"1 **********"
