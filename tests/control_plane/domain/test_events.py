"""Lines of events.jsonl, good and bad."""

import pytest

from control_plane.domain import events
from control_plane.domain.documents import parse


def test_a_metric() -> None:
    event = events.read(
        '{"kind": "metric", "time": 5, "step": 1, "values": {"loss": 0.5, "note": "x", "ok": true}}', 9.0
    )
    assert (event.kind, event.time) == ("metric", 5.0)
    assert events.metrics(event.body) == {"loss": 0.5}


def test_a_missing_time_is_now() -> None:
    assert events.read('{"kind": "progress", "time": "soon"}', 9.0).time == 9.0


@pytest.mark.parametrize(
    "line", ["", "{", "[]", '{"kind": "party"}', '{"kind": "metric", "values": {"loss": NaN}}', "[" * 99_999]
)
def test_a_faulty_line_becomes_a_warning(line: str) -> None:
    event = events.read(line, 9.0)
    assert (event.kind, event.body["code"]) == ("message", "event_unreadable")
    assert event.body["params"]["line"] == line[:500]


def test_lone_surrogates_become_writable() -> None:
    assert parse('{"a": "\\ud800"}') == {"a": "?"}
    assert events.read("\ud800", 0.0).body["text"] == "?"


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ValueError):
        parse("[" * 100_000 + "]" * 100_000)


def test_progress_keeps_what_is_of_the_right_type() -> None:
    assert events.progress({"step": 1, "steps": "9", "stage": "training"}) == {"step": 1, "stage": "training"}
