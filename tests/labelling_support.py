"""What tests of labellings need: data, people, and a stub of an engine that answers as the test says.

The stub stands at the inference port. What serves in earnest is asked in tests/journeys/test_labelling.py.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

import data_support

from control_plane.context import Answer, ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services.datasets import json_lines
from control_plane.services.labelling import fetching, judging, making
from control_plane.services.labelling.making import Wanted
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.labelling import LabelItemRecord, LabellingRecord
from served import serve

PROJECT = "pumps"

Answering = Callable[[dict[str, Any]], "str | Streamed"]


@dataclass
class Streamed:
    """An answer as the stub gives it: the pieces of an event stream."""

    pieces: Iterable[bytes]
    status: int = 200
    content_type: str = "text/event-stream"
    engine_seconds: float = 0.0
    closed: bool = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)

    def close(self) -> None:
        self.closed = True


def event(text: str = "", finish: str | None = None) -> bytes:
    body = {"choices": [{"delta": {"content": text} if text else {}, "finish_reason": finish}]}
    return f"data: {json.dumps(body)}\n\n".encode()


def whole(text: str, finish: str = "stop") -> Streamed:
    return Streamed([event(text[:3]), event(text[3:]), event(finish=finish), b"data: [DONE]\n\n"])


@dataclass
class StubEngine:
    """A stub of what serves a deployment: `answers` says what it says to a request."""

    answers: Answering
    asked: list[dict[str, Any]] = field(default_factory=list)
    given: list[Streamed] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        asked = json.loads(body)
        with self.lock:
            self.asked.append(asked)
        said = self.answers(asked)
        answer = said if isinstance(said, Streamed) else whole(said)
        self.given.append(answer)
        return answer


def upper(asked: dict[str, Any]) -> str:
    """The last message in capitals."""
    return str(asked["messages"][-1]["content"]).upper()


def pairs(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"prompt": f"question {n}", "completion": f"answer {n}"} for n in range(first, first + count)]


def lines(rows: Iterable[dict[str, Any]]) -> BytesIO:
    return BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows))


@dataclass
class Desk:
    """A project with two versions' worth of people: `ada` begins, all of them judge."""

    cp: ControlPlane
    engine: StubEngine
    ada: Actor
    ben: Actor
    cleo: Actor

    def keep(self, train: list[dict[str, Any]], test: list[dict[str, Any]] | None = None) -> DatasetVersionRecord:
        held_out = lines(test) if test else None
        return json_lines.upload(self.ada, self.cp, PROJECT, "faults", lines(train), held_out, test_share=0.0)[0]

    def start(self, version: DatasetVersionRecord, **wanted: Any) -> LabellingRecord:
        return making.start(self.ada, self.cp, PROJECT, Wanted(version.id, **wanted))

    def asked(self, labelling: LabellingRecord) -> LabellingRecord:
        """Ask until the labelling rests."""
        while (found := LabellingRecord.get_by_id(labelling.id)).state == "asking":
            fetching.advance(self.cp)
            self.cp.labellings.join()
        return found

    def begun(self, version: DatasetVersionRecord, **wanted: Any) -> LabellingRecord:
        return self.asked(self.start(version, **wanted))

    def items(self, labelling: LabellingRecord) -> list[LabelItemRecord]:
        query = LabelItemRecord.select().where(LabelItemRecord.labelling == labelling.id)
        return list(query.order_by(LabelItemRecord.place))

    def judge_all(self, actor: Actor, labelling: LabellingRecord, *said: str | tuple[str, str]) -> int:
        """Take one item after the other, saying what is given in turn (the last again and again); how many."""
        count = 0
        while (item := judging.next_item(actor, self.cp, labelling.id)) is not None:
            one = said[min(count, len(said) - 1)]
            judging.judge(actor, self.cp, item.record.id, *((one,) if isinstance(one, str) else one))
            count += 1
        return count


def desk(cp: ControlPlane, answers: Answering = upper) -> Desk:
    """A project with a deployment `helper` that serves, by the stub."""
    engine = StubEngine(answers)
    cp = replace(cp, inference=engine)
    people = [data_support.expert(cp, name, PROJECT) for name in ("ada", "ben", "cleo")]
    serve(cp, PROJECT, "helper")
    return Desk(cp, engine, *people)
