"""What the agent must not forget, in SQLite with synchronous=FULL: who it is, what it holds, what is untold."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attempts (
    attempt_id INTEGER PRIMARY KEY, fence INTEGER NOT NULL, offer BLOB NOT NULL, state TEXT NOT NULL,
    cancelled INTEGER NOT NULL DEFAULT 0, boot_id TEXT NOT NULL DEFAULT '', sequence INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0, fault_where TEXT NOT NULL DEFAULT '',
    fault_tries INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS reports (
    attempt_id INTEGER NOT NULL, sequence INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (attempt_id, sequence));
CREATE TABLE IF NOT EXISTS logs (
    attempt_id INTEGER NOT NULL, stream TEXT NOT NULL, committed INTEGER NOT NULL, sealed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (attempt_id, stream));
CREATE TABLE IF NOT EXISTS replicas (replica_id INTEGER PRIMARY KEY, serve BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS blobs (
    sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL, used REAL NOT NULL);
"""


@dataclass(frozen=True)
class AttemptRow:
    """An attempt as it was last written down."""

    attempt_id: int
    fence: int
    offer: bytes  # the Offer message
    state: str
    cancelled: int
    boot_id: str  # of the machine's start in which its runner was started
    sequence: int  # of the last report
    events: int  # lines of events.jsonl that are acknowledged
    fault_where: str  # the step that met what nobody foresaw
    fault_tries: int  # so often in a row


class BlobRow(NamedTuple):
    """A cached file whose hash was right when these facts about it were; `used` is when it was last given out."""

    sha256: str
    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int
    used: float


class Unwritable(OSError):
    """state.db takes no writes; `errno` is ENOSPC where its disk is full. Nothing of the write has happened."""


class Store:
    """One connection, one lock: calls are short, and come from several threads. Each that writes raises Unwritable."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(0o600)
        self._lock = threading.RLock()
        with _told():
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(_TABLES)

    def close(self) -> None:
        """No call may follow."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _told():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:  # SQLite ends it by itself on some errors, and keeps it on others
                    self._database.execute("ROLLBACK")
                raise

    # ---- facts

    def fact(self, name: str) -> Any:
        """The JSON value kept under `name`, or None."""
        with self._lock, _told():
            row = self._database.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def keep(self, name: str, value: object) -> None:
        """Keep a JSON value under `name`."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(value)))

    # ---- attempts

    def add_attempt(self, attempt_id: int, fence: int, offer: bytes) -> bool:
        """Write an offer down; False when it is there already. A higher fence replaces the older try."""
        with self._transaction() as database:
            row = database.execute("SELECT fence FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
            if row and row[0] >= fence:
                return False
            self._forget(database, attempt_id)
            database.execute(
                "INSERT INTO attempts (attempt_id, fence, offer, state) VALUES (?, ?, ?, 'OFFERED')",
                (attempt_id, fence, offer),
            )
        return True

    def attempts(self) -> list[AttemptRow]:
        """All attempts that are not settled yet, the oldest first."""
        with self._lock, _told():
            rows = self._database.execute("SELECT * FROM attempts ORDER BY attempt_id").fetchall()
        return [AttemptRow(*row) for row in rows]

    def attempt(self, attempt_id: int) -> AttemptRow | None:
        """One attempt, or None once it is forgotten."""
        with self._lock, _told():
            row = self._database.execute("SELECT * FROM attempts WHERE attempt_id = ?", (attempt_id,)).fetchone()
        return AttemptRow(*row) if row else None

    def set_boot(self, attempt_id: int, boot_id: str) -> None:
        """Remember in which start of the machine the runner was started."""
        with self._transaction() as database:
            database.execute("UPDATE attempts SET boot_id = ? WHERE attempt_id = ?", (boot_id, attempt_id))

    def set_cancelled(self, attempt_id: int) -> None:
        """Remember that the attempt is to be cancelled."""
        with self._transaction() as database:
            database.execute("UPDATE attempts SET cancelled = 1 WHERE attempt_id = ?", (attempt_id,))

    def set_events(self, attempt_id: int, lines: int) -> None:
        """Remember how many lines of events.jsonl are acknowledged."""
        with self._transaction() as database:
            database.execute("UPDATE attempts SET events = ? WHERE attempt_id = ?", (lines, attempt_id))

    def set_faults(self, attempt_id: int, where: str, tries: int) -> None:
        """Remember how often in a row a step of the attempt met what nobody foresaw."""
        with self._transaction() as database:
            database.execute(
                "UPDATE attempts SET fault_where = ?, fault_tries = ? WHERE attempt_id = ?", (where, tries, attempt_id)
            )

    def forget_attempt(self, attempt_id: int) -> None:
        """Drop an attempt that is settled, or that somebody else has taken over."""
        with self._transaction() as database:
            self._forget(database, attempt_id)

    @staticmethod
    def _forget(database: sqlite3.Connection, attempt_id: int) -> None:
        for table in ("attempts", "reports", "logs"):
            database.execute(f"DELETE FROM {table} WHERE attempt_id = ?", (attempt_id,))

    # ---- reports: the new state and the unsent report are one write

    def add_report(self, attempt_id: int, state: str, body: bytes) -> int:
        """Move the attempt to `state` and queue the report of it; the report's sequence number."""
        with self._transaction() as database:
            row = database.execute(
                "UPDATE attempts SET state = ?, sequence = sequence + 1 WHERE attempt_id = ? RETURNING sequence",
                (state, attempt_id),
            ).fetchone()
            database.execute("INSERT INTO reports VALUES (?, ?, ?)", (attempt_id, row[0], body))
        return int(row[0])

    def reports(self, attempt_id: int) -> list[tuple[int, bytes]]:
        """The unsent reports of an attempt in order: sequence number and message."""
        with self._lock, _told():
            rows = self._database.execute(
                "SELECT sequence, body FROM reports WHERE attempt_id = ? ORDER BY sequence", (attempt_id,)
            ).fetchall()
        return [(int(row[0]), bytes(row[1])) for row in rows]

    def drop_report(self, attempt_id: int, sequence: int) -> None:
        """The report was acknowledged."""
        with self._transaction() as database:
            database.execute("DELETE FROM reports WHERE attempt_id = ? AND sequence = ?", (attempt_id, sequence))

    def withdraw_report(self, attempt_id: int, sequence: int) -> None:
        """The report was refused: drop it and all after it, and use their numbers again."""
        with self._transaction() as database:
            database.execute("DELETE FROM reports WHERE attempt_id = ? AND sequence >= ?", (attempt_id, sequence))
            database.execute("UPDATE attempts SET sequence = ? WHERE attempt_id = ?", (sequence - 1, attempt_id))

    # ---- logs

    def log(self, attempt_id: int, stream: str) -> tuple[int, bool]:
        """Acknowledged bytes of a log stream, and whether it is sealed."""
        with self._lock, _told():
            row = self._database.execute(
                "SELECT committed, sealed FROM logs WHERE attempt_id = ? AND stream = ?", (attempt_id, stream)
            ).fetchone()
        return (int(row[0]), bool(row[1])) if row else (0, False)

    def set_log(self, attempt_id: int, stream: str, committed: int, sealed: int) -> None:
        """Remember the acknowledged bytes of a log stream."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO logs VALUES (?, ?, ?, ?)", (attempt_id, stream, committed, sealed))

    # ---- replicas

    def replicas(self) -> list[bytes]:
        """The Serve messages that stand."""
        with self._lock, _told():
            return [
                bytes(row[0])
                for row in self._database.execute("SELECT CAST(serve AS BLOB) FROM replicas ORDER BY replica_id")
            ]

    def keep_replica(self, replica_id: int, serve: bytes) -> None:
        """Remember what a replica is to serve."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO replicas VALUES (?, ?)", (replica_id, serve))

    def drop_replica(self, replica_id: int) -> None:
        """The replica is to serve nothing any more."""
        with self._transaction() as database:
            database.execute("DELETE FROM replicas WHERE replica_id = ?", (replica_id,))

    # ---- blobs

    def blobs(self) -> list[BlobRow]:
        """The cached files that were verified."""
        with self._lock, _told():
            return [BlobRow(*row) for row in self._database.execute("SELECT * FROM blobs")]

    def keep_blobs(self, verified: Iterable[BlobRow], gone: Iterable[str] = ()) -> None:
        """Remember what was verified, and forget what is no longer believed."""
        with self._transaction() as database:
            database.executemany("INSERT OR REPLACE INTO blobs VALUES (?, ?, ?, ?, ?, ?)", verified)
            database.executemany("DELETE FROM blobs WHERE sha256 = ?", [(sha256,) for sha256 in gone])


@contextmanager
def _told() -> Iterator[None]:
    """What SQLite says as an OSError: the disk is the cause, and the caller may try again."""
    try:
        yield
    except sqlite3.Error as problem:
        full = getattr(problem, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
        raise Unwritable(errno.ENOSPC if full else errno.EIO, f"state.db: {problem}") from problem
