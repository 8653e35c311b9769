"""How an attempt ended, as a reason's code and parameters. Pure reading of what the trainer left."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.attempts.outbox import last_lines
from agent.attempts.trainer import Exit
from agent.storage.files import is_plain, open_plain

REFUSED_INPUT = 2  # the exit status by which a method refuses its input
# what Python, NumPy and torch, Rust, and C++ say of memory that they do not get
_NO_MEMORY = re.compile(
    r"MemoryError|(Cannot|can't|Unable to) allocate|not enough memory|allocation of \d+ bytes failed|std::bad_alloc"
)
_LONGEST_LINE = 64 << 10
_READ_AT_MOST = 16 << 20  # bytes at the end of events.jsonl; the refusal is among the last lines


class Failure(Exception):
    """An attempt ends badly; the code is the control plane's, which has the words for it."""

    def __init__(self, code: str, params: dict[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.params = params or {}


def judge(folder: Path, end: Exit) -> Failure | None:
    """None for a good end, else why not."""
    if end.error:
        return Failure("trainer_crashed", {"status": end.status, "lines": end.error})
    lines = last_lines(folder / "log" / "stderr") or last_lines(folder / "log" / "stdout")
    if (end.status or end.signal) and (over := _over(end, lines)):
        return over
    if end.signal:
        return Failure("trainer_killed", {"signal": _signal_name(end.signal), "lines": lines})
    if end.status == REFUSED_INPUT and (refusal := _refusal(folder / "out" / "events.jsonl")):
        return refusal
    if end.status:
        return Failure("trainer_crashed", {"status": end.status, "lines": lines})
    return None


def _over(end: Exit, lines: str) -> Failure | None:
    """The limit that it went over: the runner ended it, or the kernel gave it no more memory and it said so."""
    if end.over == "time_limit":
        return Failure("time_limit", {"allowed": end.limits.get("seconds", 0), "lines": lines})
    if end.over == "memory_limit" or ("data_bytes" in end.limits and _NO_MEMORY.search(lines)):
        return Failure("memory_limit", {"limit": int(end.limits.get("memory_bytes", 0)), "lines": lines})
    return None


def _refusal(events: Path) -> Failure | None:
    """The last message of level error, with its English text for a reader whose catalogue lacks the code."""
    found = None
    for line in _last_of(events):
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict) and event.get("kind") == "message" and event.get("level") == "error":
            given = event.get("params")
            params = given if isinstance(given, dict) else {}
            found = Failure(str(event.get("code", "method_refused")), {**params, "text": str(event.get("text", ""))})
    return found


def _last_of(events: Path) -> Iterator[bytes]:
    """The lines at the end of the file, however much a trainer wrote; a line that is too long comes in pieces."""
    if not is_plain(events):
        return
    with open_plain(events) as file:
        file.seek(max(0, events.stat().st_size - _READ_AT_MOST))
        yield from iter(lambda: file.readline(_LONGEST_LINE), b"")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
