"""Logs by offset: repeated, overlapping, early, diverging; and sealed."""

import hashlib
from dataclasses import replace

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import FileTooLarge, NotFound
from control_plane.domain.permissions import Actor
from control_plane.services.fleet import logs
from control_plane.store.jobs import AttemptRecord, LogRecord
from fleet_support import Fleet, report


def test_offsets(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    def append(offset: int, data: bytes) -> int:
        return logs.append(machine, cp, attempt.id, attempt.fence, "stdout", offset, data)

    assert append(0, b"one ") == 4
    assert append(0, b"one ") == 4  # the same again
    assert append(2, b"e two") == 7  # overlaps
    assert append(9, b"far") == 7  # too early: rewind
    assert append(7, b"") == 7
    assert logs.read(cp, attempt.id, "stdout", 0, 100) == (b"one two", 7)


def test_bytes_that_differ_start_the_log_again(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    def append(offset: int, data: bytes) -> int:
        return logs.append(machine, cp, attempt.id, attempt.fence, "stdout", offset, data)

    append(0, b"one two")
    assert append(4, b"tWo three") == 0
    assert logs.read(cp, attempt.id, "stdout", 0, 100) == (b"", 0)
    assert append(0, b"one tWo three") == 13
    assert logs.read(cp, attempt.id, "stdout", 0, 100) == (b"one tWo three", 13)


def test_bytes_beyond_the_acknowledged_length_are_not_shown(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord
) -> None:
    logs.append(machine, cp, attempt.id, attempt.fence, "stdout", 0, b"kept")
    path = cp.settings.data / "logs" / str(attempt.id) / "stdout.log"
    with path.open("ab") as file:  # a crash after the write and before the row
        file.write(b" torn")
    assert logs.read(cp, attempt.id, "stdout", 0, 100) == (b"kept", 4)
    assert logs.append(machine, cp, attempt.id, attempt.fence, "stdout", 4, b" on") == 7
    assert logs.read(cp, attempt.id, "stdout", 0, 100) == (b"kept on", 7)


def test_sealing(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    whole = b"first second"
    sha256 = hashlib.sha256(whole).hexdigest()

    def seal() -> tuple[bool, int]:
        return logs.seal(machine, cp, attempt.id, attempt.fence, "stdout", len(whole), sha256)

    logs.append(machine, cp, attempt.id, attempt.fence, "stdout", 0, whole[:5])
    assert seal() == (False, 5)
    logs.append(machine, cp, attempt.id, attempt.fence, "stdout", 5, b" SECOND")
    assert seal() == (False, 0)  # differs: from the beginning
    logs.append(machine, cp, attempt.id, attempt.fence, "stdout", 0, whole)
    assert seal() == seal() == (True, len(whole))
    assert cp.blobs.has(sha256)
    assert logs.read(cp, attempt.id, "stdout", 6, 100) == (b"second", len(whole))
    assert not (cp.settings.data / "logs" / str(attempt.id) / "stdout.log").exists()
    assert logs.append(machine, cp, attempt.id, attempt.fence, "stdout", len(whole), b"more") == len(whole)


def test_an_empty_log_is_sealed_too(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    empty = hashlib.sha256(b"").hexdigest()
    assert logs.seal(machine, cp, attempt.id, attempt.fence, "stderr", 0, empty) == (True, 0)
    assert LogRecord.get().sealed_at > 0 and logs.read(cp, attempt.id, "stderr", 0, 10) == (b"", 0)


def test_the_end_of_an_attempt_does_not_cut_its_log(cp: ControlPlane, machine: Actor, attempt: AttemptRecord) -> None:
    report(machine, cp, attempt, "FAILED", reason="trainer_crashed")
    assert logs.append(machine, cp, attempt.id, attempt.fence, "stderr", 0, b"why") == 3


def test_limits(cp: ControlPlane, machine: Actor, attempt: AttemptRecord, fleet: Fleet) -> None:
    with pytest.raises(NotFound):
        logs.append(machine, cp, attempt.id, attempt.fence, "../x", 0, b"a")
    with pytest.raises(NotFound):
        logs.append(fleet.machine(), cp, attempt.id, attempt.fence, "stdout", 0, b"a")
    LogRecord.create(attempt=attempt, stream="stdout", size=cp.settings.max_log_bytes)
    with pytest.raises(FileTooLarge):
        logs.append(machine, cp, attempt.id, attempt.fence, "stdout", cp.settings.max_log_bytes, b"a")


def test_a_log_that_is_too_long_has_room_for_the_line_that_says_so(
    cp: ControlPlane, machine: Actor, attempt: AttemptRecord
) -> None:
    small = replace(cp, settings=replace(cp.settings, max_log_bytes=10))
    given = (attempt.id, attempt.fence, "stdout")
    assert logs.append(machine, small, *given, 0, b"0123456789") == 10
    end = b"\n[tunesmith] the log is cut off here\n"
    for refused in (end[1:], end + b"x" * 256):
        with pytest.raises(FileTooLarge):
            logs.append(machine, small, *given, 10, refused)
    assert logs.append(machine, small, *given, 10, end) == 10 + len(end)
    whole = hashlib.sha256(b"0123456789" + end).hexdigest()
    assert logs.seal(machine, small, *given, 10 + len(end), whole) == (True, 10 + len(end))
