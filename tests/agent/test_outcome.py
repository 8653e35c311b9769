"""Why an attempt ended, read from whatever a trainer left."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from agent.attempts import trainer
from agent.attempts.outcome import judge
from agent.attempts.trainer import Exit
from agent.settings import Settings
from tunesmith.v1 import fleet_pb2 as pb

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


@pytest.mark.parametrize(
    "said",
    [
        "MemoryError",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB for an array",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory: you tried",
        "memory allocation of 34359738368 bytes failed",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        "OSError: [Errno 12] Cannot allocate memory",
    ],
)
def test_memory_that_is_not_given_is_the_reason_where_it_is_limited(folder: Path, said: str) -> None:
    (folder / "log" / "stderr").write_text(f"Traceback\n{said}\n")
    for end in (Exit(1, 0, ""), Exit(0, 6, "")):
        limited = replace(end, limits={"memory_bytes": 5, "data_bytes": 5})
        failure = judge(folder, limited)
        assert failure is not None and (failure.code, failure.params["limit"]) == ("memory_limit", 5)
        free = judge(folder, end)
        assert free is not None and free.code in ("trainer_crashed", "trainer_killed")


def test_a_good_end_in_the_moment_of_a_limit_is_good(folder: Path) -> None:
    assert judge(folder, Exit(0, 0, "", "time_limit", {"seconds": 5})) is None


def test_limits_follow_from_the_offer() -> None:
    total, settings = 64 << 30, Settings()
    assert trainer.limits_of(pb.Offer(), settings, total) == {}
    assert trainer.limits_of(pb.Offer(time_limit=5), settings, total) == {"seconds": 5}

    def memory(estimate: int, *devices: str) -> dict[str, float]:
        return dict(trainer.limits_of(pb.Offer(memory_bytes=estimate, devices=devices), settings, total))

    assert memory(1 << 30, "cpu:0") == {"memory_bytes": 32 << 30, "data_bytes": 32 << 30}
    assert memory(10 << 30, "cpu:0")["memory_bytes"] == 40 << 30
    assert memory(30 << 30, "cpu:0")["memory_bytes"] == int(0.9 * total)
    assert memory(1 << 30, "GPU-1") == {"memory_bytes": 32 << 30}  # CUDA takes addresses that it never uses


def test_what_is_no_file_says_nothing(folder: Path) -> None:
    for name in ("out/events.jsonl", "log/stderr", "log/stdout"):
        (folder / name).mkdir()
    failure = judge(folder, REFUSED)
    assert failure is not None and (failure.code, failure.params) == ("trainer_crashed", {"status": 2, "lines": ""})
