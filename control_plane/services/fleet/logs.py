"""The logs of attempts: a file while they grow, a blob once they are sealed.

Bytes are written at their offset and on disk before the row says so: a repeated or concurrent call writes the same
bytes to the same place. Only the bytes that the row acknowledges are ever read.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, FileTooLarge, NotFound
from control_plane.domain.permissions import Actor
from control_plane.services import references
from control_plane.services.fleet import attempts
from control_plane.store.database import database, transaction
from control_plane.store.jobs import AttemptRecord, LogRecord
from control_plane.store.statements import Prepared

STREAMS = ("stdout", "stderr", "agent")
_SLICE = 1 << 20
_GROW = Prepared(
    lambda log, before, size: LogRecord.update(size=size).where(LogRecord.id == log, LogRecord.size == before)
)
_MARKER = b"\n[tunesmith] "  # begins the line with which a machine closes a log that became too long
_MARKER_ROOM = 256  # bytes that this line has beyond the limit


def append(actor: Actor, cp: ControlPlane, attempt_id: int, fence: int, stream: str, offset: int, data: bytes) -> int:
    """Store the bytes of a log from `offset` on; its length then. Less than `offset` means: rewind to it.

    Bytes that are there already must be the same ones: where they differ, the machine's file is the truth, and the log
    starts again from 0. Raises NotFound, Fenced, FieldInvalid, FileTooLarge, DiskFull.
    """
    if offset < 0:
        raise FieldInvalid(field="offset", problem=str(offset))
    attempt = attempts.own(actor, attempt_id, fence)
    log = _log(attempt, stream)
    if offset > log.size:
        return int(log.size)
    known, fresh = data[: log.size - offset], data[log.size - offset :]
    if log.sealed_at:
        return int(log.size)
    if known and _stored(cp, log, offset, len(known)) != known:
        _restart(log, _path(cp, attempt.id, stream))
        return 0
    if not fresh:
        return int(log.size)
    room = _MARKER_ROOM if fresh.startswith(_MARKER) else 0
    if log.size + len(fresh) > cp.settings.max_log_bytes + room:
        raise FileTooLarge(file=stream, limit=cp.settings.max_log_bytes)
    cp.blobs.require_space(len(fresh))
    _write(_path(cp, attempt.id, stream), log.size, fresh)
    size = _acknowledge(log, log.size + len(fresh))
    cp.signals.wake(f"job:{attempt.job_id}")
    return size


def seal(
    actor: Actor, cp: ControlPlane, attempt_id: int, fence: int, stream: str, length: int, sha256: str
) -> tuple[bool, int]:
    """Close a log whose length and sha256 the machine names: (sealed, acknowledged length).

    A log that is too short is to be continued; one that differs starts again from 0; a sealed one stays as it is.
    Raises NotFound, Fenced, DiskFull.
    """
    attempt = attempts.own(actor, attempt_id, fence)
    log = _log(attempt, stream)
    if log.sealed_at:
        return True, int(log.size)
    if log.size < length:
        return False, int(log.size)
    path = _path(cp, attempt.id, stream)
    if log.size > length or _hash(path, length) != sha256:
        _restart(log, path)
        return False, 0
    with cp.blobs.holding():
        _store(cp, path, length)
        with transaction():
            sealed = LogRecord.update(sha256=sha256, sealed_at=cp.clock()).where(
                LogRecord.id == log.id, LogRecord.size == length
            )
            if sealed.execute():
                references.add(cp, references.LOG, log.id, [sha256])
    path.unlink(missing_ok=True)
    cp.signals.wake(f"job:{attempt.job_id}")
    return True, length


def read(cp: ControlPlane, attempt_id: int, stream: str, offset: int, length: int) -> tuple[bytes, int]:
    """A slice of a log, and the log's acknowledged length; a log that nobody wrote is empty."""
    _known(stream)
    log = LogRecord.get_or_none(LogRecord.attempt == attempt_id, LogRecord.stream == stream)
    if log is None:
        return b"", 0
    try:
        return _stored(cp, log, offset, length), int(log.size)
    except FileNotFoundError:  # sealed since the row was read: the bytes are in the blob now
        log = LogRecord.get_by_id(log.id)
        return _stored(cp, log, offset, length), int(log.size)


def _known(stream: str) -> None:
    if stream not in STREAMS:
        raise NotFound


def _log(attempt: AttemptRecord, stream: str) -> LogRecord:
    _known(stream)
    mine = (LogRecord.attempt == attempt.id, LogRecord.stream == stream)
    log = LogRecord.get_or_none(*mine)
    if log is None:
        with transaction():
            log = LogRecord.get_or_none(*mine) or LogRecord.create(attempt=attempt.id, stream=stream)
    return log


def _path(cp: ControlPlane, attempt_id: int, stream: str) -> Path:
    return cp.settings.data / "logs" / str(attempt_id) / f"{stream}.log"


def _write(path: Path, offset: int, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(handle, view, offset)
            view, offset = view[written:], offset + written
        os.fsync(handle)
    finally:
        os.close(handle)


def _acknowledge(log: LogRecord, size: int) -> int:
    with transaction():
        _GROW.execute(database.obj, log=log.id, before=log.size, size=size)
        return int(LogRecord.get_by_id(log.id).size)


def _restart(log: LogRecord, path: Path) -> None:
    with transaction():
        LogRecord.update(size=0).where(LogRecord.id == log.id, LogRecord.sealed_at == 0).execute()
    if path.exists():
        os.truncate(path, 0)


def _stored(cp: ControlPlane, log: LogRecord, offset: int, length: int) -> bytes:
    length = max(0, min(length, log.size - offset))
    if length == 0:
        return b""
    path = cp.blobs.path(log.sha256) if log.sealed_at else _path(cp, log.attempt_id, log.stream)
    with path.open("rb") as source:
        source.seek(offset)
        return source.read(length)


def _hash(path: Path, length: int) -> str:
    digest = hashlib.sha256()
    if length:
        with path.open("rb") as source:
            while length and (data := source.read(min(length, _SLICE))):
                digest.update(data)
                length -= len(data)
    return digest.hexdigest()


def _store(cp: ControlPlane, path: Path, length: int) -> None:
    """Copy, not rename: until the row says sealed, the file is the log."""
    if length == 0:
        cp.blobs.put_bytes(b"")
        return
    os.truncate(path, length)
    with path.open("rb") as source:
        cp.blobs.put(source)
