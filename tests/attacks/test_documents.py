"""Documents and answers that a method's program or an engine made up: refused in words, never an error of ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from control_plane.domain import scores
from control_plane.domain.documents import parse
from control_plane.domain.errors import EngineFailed
from control_plane.rpc.serving import ServingChannels
from link_support import Link, hello
from patience import PATIENCE
from tunesmith.v1 import fleet_pb2 as pb

SOUND: dict[str, Any] = {
    "candidates": ["candidate"],
    "metrics": {"exact": {"candidate": [1, 0]}},
    "primary_metric": "exact",
    "rows": [{"row": 0, "prompt": "a", "expected": "b", "answers": {"candidate": "b"}}],
    "seconds": {"candidate": 1.0},
}
CHANGES: list[dict[str, Any]] = [
    {"candidates": "candidate"}, {"candidates": [["candidate"]]}, {"candidates": ["candidate", "candidate"]},
    {"candidates": ["candidate", {"a": 1}]}, {"candidates": []}, {"candidates": ["baseline"]}, {"candidates": None},
    {"metrics": {}}, {"metrics": []}, {"metrics": {"exact": []}}, {"metrics": {"exact": {"candidate": []}}},
    {"metrics": {"exact": {"candidate": [1, True]}}}, {"metrics": {"exact": {"candidate": ["1", 0]}}},
    {"metrics": {"exact": {"candidate": [1e300, 0]}}}, {"metrics": {"exact": {"candidate": [1] * 100_001}}},
    {"metrics": {"exact": {"candidate": [1, 0]}, "other": {"candidate": [1]}}},
    {"primary_metric": None}, {"primary_metric": {}}, {"primary_metric": ["exact"]}, {"primary_metric": "other"},
    {"rows": {}}, {"rows": [1]}, {"rows": [{}]}, {"rows": [{"row": "0", "answers": {"candidate": ""}}]},
    {"rows": [{"row": 2, "answers": {"candidate": ""}}]}, {"rows": [{"row": -1, "answers": {"candidate": ""}}]},
    {"rows": [{"row": 0, "answers": {}}]}, {"rows": [{"row": 0, "answers": ["b"]}]},
]  # fmt: skip


def test_the_sound_one_is_read() -> None:
    read = scores.read([json.dumps(SOUND).encode()])
    assert (read.verdict, read.metrics) == ("unpaired", SOUND["metrics"]) and len(read.rows.numbers) == 1
    assert scores.read([json.dumps(SOUND | {"seconds": [1], "rows": []}).encode()]).seconds == {}


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_an_evaluation_of_nonsense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        scores.read([json.dumps(SOUND | change).encode()])


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", "[Infinity]", "1e999", "-1e999", "9" * 20, "[" + "9" * 5_000 + "]", "0." + "9" * 5_000,
     "[" * 101 + "]" * 101,
     "[" * 100_000, '{"a":' * 100_000, b"\xff\xfe{\x00}\x00", b"\xff"],
    ids=range(14),
)  # fmt: skip
def test_what_could_not_be_written_out_again_is_not_read(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["[" * 100 + "]" * 100, '"\\ud800"', '{"\\udfff": 1}', str(2**63 - 1), "1e308", b"\xef\xbb\xbf{}"]
)
def test_what_is_read_can_be_written_out_again(text: str | bytes) -> None:
    json.dumps(parse(text), ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize(
    ("status", "content_type", "passed_on"),
    [
        (200, "application/json", "application/json"),
        (200, "text/event-stream; charset=utf-8", "text/event-stream; charset=utf-8"),
        (200, "text/html", "application/octet-stream"),
        (200, "application/json\r\nSet-Cookie: a=b", "application/octet-stream"),
        (200, "image/svg+xml", "application/octet-stream"),
        (0, "application/json", None),
        (99_999, "application/json", None),
        (-1, "", None),
    ],
)
def test_the_head_of_an_answer_is_an_engines(link: Link, status: int, content_type: str, passed_on: str | None) -> None:
    machine, channels = link.join(), link.cp.inference
    assert isinstance(channels, ServingChannels)
    asked = threading.Event()

    def up(epoch: int) -> Iterator[pb.ServeUp]:
        yield pb.ServeUp(epoch=epoch)
        assert asked.wait(PATIENCE)
        yield pb.ServeUp(request_id=1, status=status, content_type=content_type, data=b"{}", end=True)
        yield pb.ServeUp(request_id=77, status=200, data=b"of no request", end=True)

    with link.as_machine(machine) as stub:
        stream = stub.Serve(up(hello(stub).epoch), timeout=PATIENCE)
        found: list[Any] = []
        reader = threading.Thread(target=lambda: found.append(_ask(channels, machine.id)))
        reader.start()
        assert next(stream).path == "/v1/chat/completions"
        asked.set()
        reader.join(PATIENCE)
        stream.cancel()
    if passed_on is None:
        assert isinstance(found[0], EngineFailed)
    else:
        assert (found[0].content_type, b"".join(found[0])) == (passed_on, b"{}")


def _ask(channels: ServingChannels, machine_id: str) -> Any:
    while machine_id not in channels._channels:  # until the stream's opening message has arrived
        threading.Event().wait(0.01)
    try:
        return channels.ask(machine_id, 1, "/v1/chat/completions", b"{}", PATIENCE)
    except EngineFailed as problem:
        return problem
