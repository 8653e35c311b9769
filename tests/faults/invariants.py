"""What must hold after a storm, read from the database and through the public API."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from faults.storm import Storm

_ORDER = {"offered": 0, "preparing": 1, "running": 2, "uploading": 3}
_OVER = {"succeeded", "failed", "cancelled", "preempted", "lost", "declined"}
# what a storm may do to a job; everything else is a defect of ours
_EXPECTED_FAILURES = {"trainer_killed", "runner_vanished"}
_ORPHAN_SECONDS = 60.0


class KeptLogs:
    """Hard links to the trainers' own log files: the agent deletes their folder once all is told."""

    def __init__(self, attempts: Path, kept: Path) -> None:
        self._attempts, self._kept = attempts, kept
        kept.mkdir()

    def look(self) -> None:
        for stream in ("stdout", "stderr"):
            for path in self._attempts.glob(f"*/log/{stream}"):
                link = self._kept / f"{path.parts[-3]}-{stream}"
                with suppress(FileNotFoundError, FileExistsError):
                    os.link(path, link)

    def of(self, attempt_id: int, stream: str) -> bytes | None:
        """The trainer's bytes, or None where the attempt came and went unseen."""
        path = self._kept / f"{attempt_id}-{stream}"
        return path.read_bytes() if path.exists() else None


def check(storm: Storm) -> dict[str, Any]:
    """Every invariant; what was seen. Raises AssertionError naming what does not hold."""
    rows = _Rows(storm.place.folder / "control-plane/tunesmith.db")
    _every_job_ended_for_a_reason(storm, rows)
    _one_result_a_success(rows)
    _nothing_goes_back(rows)
    _nothing_is_promised(rows)
    logs = _logs_are_complete(storm, rows)
    _steps_are_in_order(rows)
    files = _blobs_are_what_they_are_called(storm, rows)
    _no_orphans(storm)
    states = rows.counted("SELECT state, count(*) FROM jobs GROUP BY state")
    attempts = rows.counted("SELECT state, count(*) FROM attempts GROUP BY state")
    return {"jobs": states, "attempts": attempts, "logs equal": logs, "files hashed": files}


class _Rows:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(query).fetchall()

    def counted(self, query: str) -> dict[str, int]:
        return dict(sorted(self(query)))


def _every_job_ended_for_a_reason(storm: Storm, rows: _Rows) -> None:
    for job, state, reason in rows("SELECT id, state, reason FROM jobs"):
        assert state in ("SUCCEEDED", "FAILED", "CANCELLED"), (job, state)
        assert state != "FAILED" or reason in _EXPECTED_FAILURES, (job, reason)
        assert state != "CANCELLED" or job in storm.cancelled, f"job {job} was cancelled by nobody"
    unended = rows(f"SELECT id, state FROM attempts WHERE state NOT IN ({_quoted(_OVER)})")
    assert unended == [], unended


def _one_result_a_success(rows: _Rows) -> None:
    models = rows.counted("SELECT job_id, count(*) FROM models GROUP BY job_id")
    won = rows.counted("SELECT job_id, count(*) FROM attempts WHERE state = 'SUCCEEDED' GROUP BY job_id")
    succeeded = {job: 1 for (job,) in rows("SELECT id FROM jobs WHERE state = 'SUCCEEDED'")}
    assert models == succeeded, (models, succeeded)
    assert won == succeeded, (won, succeeded)
    beaten = rows(
        "SELECT a.id FROM attempts a JOIN attempts b ON a.job_id = b.job_id AND b.fence > a.fence"
        " WHERE a.state = 'SUCCEEDED'"
    )
    assert beaten == [], f"a newer attempt stands behind a success: {beaten}"


def _nothing_goes_back(rows: _Rows) -> None:
    """In order of the record, an attempt's states only go forward, and its end is the last of them."""
    seen: dict[int, list[str]] = {}
    for action, details in rows("SELECT action, details FROM audit WHERE action LIKE 'attempt.%' ORDER BY id"):
        seen.setdefault(json.loads(details)["attempt"], []).append(action.partition(".")[2])
    for attempt, states in seen.items():
        ends = [state for state in states if state in _OVER]
        ranks = [_ORDER[state] for state in states if state not in _OVER]
        assert len(ends) == 1 and states[-1] == ends[0], (attempt, states)
        assert ranks == sorted(set(ranks)), (attempt, states)


def _nothing_is_promised(rows: _Rows) -> None:
    stuck = rows("SELECT * FROM allocations")
    assert stuck == [], f"devices are still promised: {stuck}"


def _logs_are_complete(storm: Storm, rows: _Rows) -> int:
    """A sealed log is the trainer's file byte by byte; one that was never sealed is a beginning of it."""
    client, equal = storm.place.client(), 0
    query = "SELECT a.job_id, a.id, a.state, l.stream, l.sealed_at FROM logs l JOIN attempts a ON l.attempt_id = a.id"
    for job, attempt, state, stream, sealed in rows(query):
        written = storm.kept.of(attempt, stream) if stream != "agent" else None
        if written is None:
            continue
        data, size = client.read_log(job, stream, attempt_id=attempt)
        while len(data) < size:
            data += client.read_log(job, stream, offset=len(data), attempt_id=attempt)[0]
        assert written.startswith(data), (attempt, stream, len(data), len(written))
        if sealed:
            assert data == written, (attempt, stream, len(data), len(written))
            equal += 1
        assert sealed or state in ("LOST", "DECLINED", "PREEMPTED"), f"attempt {attempt} ended {state} without its log"
    return equal


def _steps_are_in_order(rows: _Rows) -> None:
    """Each attempt tells each step once and in order, whatever was repeated on the way."""
    told: dict[int, list[int]] = {}
    for attempt, body in rows("SELECT attempt_id, body FROM events WHERE kind = 'metric' ORDER BY attempt_id, id"):
        told.setdefault(attempt, []).append(json.loads(body)["step"])
    for attempt, steps in told.items():
        assert steps == list(range(steps[0], steps[0] + len(steps))), (attempt, steps)


def _blobs_are_what_they_are_called(storm: Storm, rows: _Rows) -> int:
    blobs, count = storm.place.folder / "control-plane/blobs", 0
    for (files,) in rows("SELECT files FROM artifacts WHERE committed_at > 0 AND name NOT LIKE 'checkpoint:%'"):
        for file in json.loads(files):
            path = blobs / file["sha256"][:2] / file["sha256"]
            with path.open("rb") as content:
                assert hashlib.file_digest(content, "sha256").hexdigest() == file["sha256"], path
            count += 1
    return count


def _no_orphans(storm: Storm) -> None:
    """No process of an attempt lives on: within a minute, as promised, all are gone."""
    mark, until = str(storm.place.folder / "agent/attempts"), time.monotonic() + _ORPHAN_SECONDS
    while found := [one for one in psutil.process_iter(["cmdline"]) if mark in " ".join(one.info["cmdline"] or ())]:
        assert time.monotonic() < until, [(one.pid, one.info["cmdline"]) for one in found]
        time.sleep(0.5)


def _quoted(words: set[str]) -> str:
    return ", ".join(f"'{word.upper()}'" for word in sorted(words))
