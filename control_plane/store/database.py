"""The database: one handle, one kind of transaction, one base for the records.

On both databases there is one writer at a time, so what a transaction has read is still true when it writes. SQLite
runs in WAL mode and every writer begins IMMEDIATE: a deferred transaction that reads first and writes then fails at
once under contention, however long the busy timeout is. PostgreSQL's writers take a lock of the whole database first.
Reading waits for nobody.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from peewee import (
    Database,
    DatabaseError,
    DatabaseProxy,
    DataError,
    DoubleField,
    Field,
    IntegrityError,
    InterfaceError,
    InternalError,
    Model,
    ModelSelect,
    NotSupportedError,
    OperationalError,
    PeeweeException,
    ProgrammingError,
    SqliteDatabase,
    TextField,
)
from playhouse.db_url import parse
from playhouse.migrations import Runner
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase

from control_plane.domain.errors import Unavailable
from control_plane.store.statements import Lookup, equalities

log = logging.getLogger(__name__)

database = DatabaseProxy()

_WAIT_SECONDS = 30  # for the one writer, and for a connection of the pool
_NOT_NOW = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED})
_ROWS_AT_ONCE = 1_000  # of one statement
_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": _WAIT_SECONDS * 1000,
    "cache_size": -1024,  # KiB, per thread
}
# Seconds, and how often: a server that is gone is noticed within a minute. An address may say otherwise.
_POSTGRESQL = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# Until the transaction's end. Advisory locks belong to one database of the server, and the timeout to this transaction.
_ONE_WRITER = f"SELECT set_config('lock_timeout', '{_WAIT_SECONDS}s', true), pg_advisory_xact_lock(1953853029)"

# SQLite has no queue of writers: who finds another one sleeps for up to 100 ms and looks again. Ours wait here first.
_WRITER = threading.Lock()
_LOOKUP = Lookup()

_kept: ContextVar[dict[tuple[Any, ...], Any] | None] = ContextVar("kept", default=None)


@contextmanager
def reading() -> Iterator[None]:
    """What is looked up by `get`, `first` and `every` is looked up once until the block ends or a transaction begins.

    For what reads much and writes nothing, like the drawing of a page: it sees each row as it was the first time.
    """
    _kept.set({})
    try:
        yield
    finally:
        _kept.set(None)


class Record(Model):
    """A row. "Model" always means a trained model, so rows are records."""

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def get(cls, *query: Any, **filters: Any) -> Any:
        """The first row of the query. Inside `reading()` the same question is asked once. Raises DoesNotExist."""
        kept, plain = _kept.get(), equalities(cls, query)
        if filters or not query or (plain is None and kept is None):
            return super().get(*query, **filters)
        key: tuple[Any, ...]
        if plain is None:
            asked = cls.select().where(*query)
            text, params = asked.sql()
            key, ask = (text, *params), asked.first
        else:
            fields, params = plain
            key = (cls, *(field.name for field in fields), *params)
            ask = partial(_LOOKUP.first, database.obj, cls, fields, params)
        found = ask() if kept is None else kept[key] if key in kept else kept.setdefault(key, ask())
        if found is not None and kept is not None:
            number = cls._meta.primary_key
            if isinstance(number, Field):  # it is known by its id from now on, however it was asked for
                kept.setdefault((cls, number.name, getattr(found, number.name)), found)
        if found is None:
            raise cls.DoesNotExist(f"{cls.__name__} {params}")  # type: ignore[attr-defined]  # its metaclass makes it
        return found


def first(query: ModelSelect[Any]) -> Any:
    """The first row of a query, None if there is none. Inside `reading()` the same question is asked once."""
    found = _rows(query.limit(1))
    return found[0] if found else None


def every(query: ModelSelect[Any]) -> list[Any]:
    """All rows of a query. Inside `reading()` the same question is asked once."""
    return list(_rows(query))


def _rows(query: ModelSelect[Any]) -> list[Any]:
    kept = _kept.get()
    if kept is None:
        return list(query)
    sql, params = query.sql()
    key = (sql, *params)
    if key not in kept:
        kept[key] = list(query)
    return kept[key]  # type: ignore[no-any-return]


class JSONField(TextField):
    """A JSON value as text: the same on SQLite and PostgreSQL; never queried into. Equal values are equal texts."""

    _sorted = True

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=self._sorted)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


class DocumentField(JSONField):
    """A JSON value whose keys stay in the order in which somebody wrote them."""

    _sorted = False


class TimeField(DoubleField):
    """Seconds since the epoch."""


class PostgresqlPool(PooledPostgresqlDatabase):  # type: ignore[misc]
    """Connections that threads borrow: who finds none waits for one, a broken one is replaced when it is borrowed.

    Raises Unavailable where the server does not answer or no connection comes free in time.
    """

    def connect(self, reuse_if_open: bool = False) -> bool:
        with _broken_is_unavailable():
            return bool(super().connect(reuse_if_open))

    def _execute_cursor(self, *args: Any, **kwargs: Any) -> Any:
        with _broken_is_unavailable():
            return super()._execute_cursor(*args, **kwargs)


@contextmanager
def _broken_is_unavailable() -> Iterator[None]:
    try:
        yield
    except (DataError, IntegrityError, InternalError, NotSupportedError, ProgrammingError):
        raise  # about the statement; what else a database says is about the connection, a timeout among it
    except (DatabaseError, InterfaceError, MaxConnectionsExceeded) as problem:
        log.warning("PostgreSQL: %s", problem)
        raise Unavailable from problem


def open_database(data: Path, address: str, connections: int = 40, stale_seconds: float = 300.0) -> Database:
    """Connect the records to SQLite in `data`, or to the PostgreSQL at `address`, and migrate to the newest schema.

    At most `connections` to PostgreSQL are open, each for about `stale_seconds`.
    """
    if address:
        options = _POSTGRESQL | parse(address)
        pool = {"max_connections": connections, "stale_timeout": stale_seconds, "timeout": _WAIT_SECONDS}
        handle: Database = PostgresqlPool(options.pop("database"), **options, **pool)
    else:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = SqliteDatabase(str(data / "tunesmith.db"), pragmas=_PRAGMAS)
    database.initialize(handle)
    Runner(handle, directory=str(Path(__file__).parent / "migrations")).up()
    release()
    return handle


def is_reachable() -> bool:
    """Whether the database answers at all."""
    try:
        database.obj.execute_sql("SELECT 1").fetchone()
    except (Unavailable, PeeweeException):
        return False
    return True


def release() -> None:
    """Give this thread's connection back to the pool: at the end of a request, of a call's hop, of a tick.

    SQLite's stay with their threads: one costs little, and opening it more.
    """
    handle = database.obj
    if isinstance(handle, PostgresqlPool) and not handle.is_closed():
        handle.close()


@contextmanager
def transaction() -> Iterator[None]:
    """One write transaction, the only one at its time. Opened by services only; nesting joins the outer one.

    Raises Unavailable where the database cannot be written just now: a full disk, somebody else's lock, no connection.
    """
    handle = database.obj
    handle.connect(reuse_if_open=True)
    _kept.set(None)  # what is read from here on is read for writing
    if handle.in_transaction():
        yield
    elif isinstance(handle, SqliteDatabase):
        with _full_or_locked_is_unavailable(), _next_writer(), handle.atomic("IMMEDIATE"):
            yield
    else:
        with _broken_is_unavailable(), handle.atomic():  # BEGIN and COMMIT go past the pool's own handling
            handle.execute_sql(_ONE_WRITER)
            yield


@contextmanager
def _full_or_locked_is_unavailable() -> Iterator[None]:
    try:
        yield
    except OperationalError as problem:
        if not _will_be_well_again(problem):
            raise
        log.warning("SQLite: %s", problem)
        raise Unavailable from problem


def _will_be_well_again(problem: BaseException) -> bool:
    """Whether SQLite said so: of a full disk it rolls back by itself, and the mapper's own ROLLBACK then hides why."""
    seen: BaseException | None = problem
    while seen is not None:
        if getattr(seen, "sqlite_errorcode", 0) & 0xFF in _NOT_NOW:
            return True
        seen = seen.__context__
    return False


@contextmanager
def _next_writer() -> Iterator[None]:
    """This process's turn to write to SQLite. Raises Unavailable where it does not come in time."""
    if not _WRITER.acquire(timeout=_WAIT_SECONDS):
        raise Unavailable
    try:
        yield
    finally:
        _WRITER.release()


def insert_rows(record: type[Record], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows of plain values in few statements, without the mapper's work for each value.

    The names of the columns are the program's own; called inside a transaction.
    """
    handle = database.obj
    names = ", ".join(f'"{column}"' for column in columns)
    place = f"({', '.join([handle.param] * len(columns))})"
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[first : first + _ROWS_AT_ONCE]
        places = ", ".join([place] * len(some))
        sql = f'INSERT INTO "{record._meta.table_name}" ({names}) VALUES {places}'
        handle.execute_sql(sql, [value for row in some for value in row])


def update_rows(
    record: type[Record], columns: Sequence[str], keys: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Write plain values into many rows: each is the values of the columns, then those of the keys that find its row.

    The names of the columns are the program's own; called inside a transaction.
    """
    handle = database.obj
    written = ", ".join(f'"{column}" = {handle.param}' for column in columns)
    found = " AND ".join(f'"{key}" = {handle.param}' for key in keys)
    sql = f'UPDATE "{record._meta.table_name}" SET {written} WHERE {found}'
    for row in rows:
        handle.execute_sql(sql, list(row))
