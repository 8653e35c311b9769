"""Why an attempt ended, read from whatever a trainer left."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from agent.attempts.outcome import judge
from agent.attempts.trainer import Exit

REFUSED = Exit(2, 0, "")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("log", "out"):
        (tmp_path / name).mkdir()
    return tmp_path


def refusal(code: str) -> str:
    return json.dumps({"kind": "message", "level": "error", "code": code, "text": "No."}) + "\n"


def test_the_last_refusal_is_found_in_a_huge_file_within_little_memory(folder: Path) -> None:
    path = folder / "out" / "events.jsonl"
    with path.open("w") as file:
        file.write(refusal("early"))
        file.write("x" * (64 << 20))
        file.write("\n" + "[" * 60_000 + "\n" + refusal("late") + '{"kind": "metric"}\n')
    tracemalloc.start()
    failure = judge(folder, REFUSED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert failure is not None and (failure.code, failure.params) == ("late", {"text": "No."})
    assert peak < 8 << 20


def test_what_is_no_file_says_nothing(folder: Path) -> None:
    for name in ("out/events.jsonl", "log/stderr", "log/stdout"):
        (folder / name).mkdir()
    failure = judge(folder, REFUSED)
    assert failure is not None and (failure.code, failure.params) == ("trainer_crashed", {"status": 2, "lines": ""})
