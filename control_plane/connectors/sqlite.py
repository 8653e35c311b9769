"""The rows of a query on an SQLite file in a folder that an administrator opened."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from control_plane.connectors.folder import FILE, FOLDER
from control_plane.connectors.opened import files_below, folder_of, opened_file
from control_plane.connectors.sql import MOST_TABLES, QUERY, ROWS, batches, complaint, write_rows
from control_plane.domain.connectors import Described, Fetched, Item, Manifest, Sink, Wanted
from control_plane.domain.errors import (
    SourceFileOpen,
    SourceGone,
    SourcePathRefused,
    SourceQueryFailed,
    SourceTooSlow,
)

_MANIFEST = Manifest(
    display={"en": "SQLite file", "de": "SQLite-Datei", "zh": "SQLite 文件"},
    description={
        "en": "The rows of a query on an SQLite file that lies on the server.",
        "de": "Die Zeilen einer Abfrage an eine SQLite-Datei, die auf dem Server liegt.",
        "zh": "对服务器上 SQLite 文件的查询结果。",
    },
    parameters={
        "type": "object",
        "properties": {
            "folder": FOLDER,
            "file": FILE,
            "query": QUERY,
            "rows": ROWS,
        },
        "required": ["folder", "file", "query"],
        "additionalProperties": False,
    },
    label="file",
)
_ALLOWED = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE)
_CLOSED_FUNCTIONS = ("load_extension", "fts3_tokenizer")
_LONGEST_CELL = 64 << 20  # bytes
_MAGIC = b"SQLite format 3\0"
_READS_AT, _BY_WAL = 19, b"\2"  # where a database's head says how it is read
_KIND = 0xFF  # of an error's number, the rest says more
_STEPS_BETWEEN_LOOKS = 100_000  # of the database's machine


class Sqlite:
    """The connector."""

    manifest = _MANIFEST

    def describe(self, wanted: Wanted) -> Described:
        """The files that are databases; of one that is named its tables, each with the query that gives all of it."""
        folder, file = folder_of(wanted), str(wanted.parameters.get("file", ""))
        if not file:
            databases = (one for one in files_below(folder) if _is_database(folder, one[0]))
            found = list(islice(databases, MOST_TABLES + 1))
            items = [Item(name, {"file": name}, about.st_size) for name, about in found[:MOST_TABLES]]
            return Described(items, len(found) > MOST_TABLES)
        with _connected(wanted) as connection:
            cursor = connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY name")
            names = [str(row[0]) for row in cursor.fetchmany(MOST_TABLES + 1)]
        quoted = {name: '"' + name.replace('"', '""') + '"' for name in names[:MOST_TABLES]}
        tables = [Item(name, {"query": f"SELECT * FROM {said}"}) for name, said in quoted.items()]
        return Described(tables, len(names) > MOST_TABLES)

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """The rows of the query."""
        with _connected(wanted) as connection:
            cursor = connection.execute(wanted.parameters["query"])
            columns = [str(column[0]) for column in cursor.description or ()]
            write_rows(wanted, columns, batches(cursor), into)
        return Fetched(PurePosixPath(str(wanted.parameters["file"])).stem + ".jsonl")


@contextmanager
def _connected(wanted: Wanted) -> Iterator[sqlite3.Connection]:
    """A connection that only reads this file. Raises what goes wrong with a source."""
    folder, file = folder_of(wanted), str(wanted.parameters["file"])
    # no link, and below the folder; then by name, as SQLite has more files than one
    os.close(opened_file(folder, file))
    until = time.monotonic() + wanted.bounds.seconds
    path = Path(folder) / file
    is_still = _is_still(path)
    before = _stamp(path)
    address = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if is_still else ''}"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_CELL)
            connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            connection.execute("PRAGMA query_only = ON")
            connection.set_authorizer(_authorize)
            connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
            yield connection
        if is_still and (not _is_still(path) or before != _stamp(path)):  # half of it is old, half of it new
            raise SourceFileOpen(file=file)
    except (sqlite3.Error, sqlite3.Warning, UnicodeDecodeError) as problem:
        if time.monotonic() > until:
            raise SourceTooSlow(allowed=wanted.bounds.seconds) from problem
        if getattr(problem, "sqlite_errorcode", 0) & _KIND in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            raise SourceFileOpen(file=file) from problem
        raise SourceQueryFailed(problem=complaint(problem)) from problem


def _is_still(path: Path) -> bool:
    """Whether a database that keeps its changes in a file beside it (WAL) has none there: it is whole by itself.

    Only such a one may be read as what nobody changes, and needs to be, as SQLite would make files in its folder.
    Raises SourceFileOpen where changes lie there without their index, which SQLite would make.
    """
    with path.open("rb") as found:
        if found.read(_READS_AT + 1)[_READS_AT:] != _BY_WAL:
            return False
    beside, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    try:
        has_changes = beside.lstat().st_size > 0
    except FileNotFoundError:
        has_changes = False
    if has_changes and not index.exists():
        raise SourceFileOpen(file=path.name)
    return not has_changes


def _stamp(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def _authorize(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """Reading alone: no other database, no setting, no function that reaches outside."""
    if action not in _ALLOWED or (action == sqlite3.SQLITE_FUNCTION and second in _CLOSED_FUNCTIONS):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _is_database(folder: str, file: str) -> bool:
    """Whether a file begins as a database; none that went meanwhile or that the server may not read is one."""
    try:
        with os.fdopen(opened_file(folder, file), "rb") as found:
            return found.read(len(_MAGIC)) == _MAGIC
    except (SourceGone, SourcePathRefused, OSError):
        return False


CONNECTOR = Sqlite()
