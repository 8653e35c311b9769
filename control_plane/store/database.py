"""The database: one handle, one kind of transaction, one base for the records.

SQLite runs in WAL mode and every writer begins IMMEDIATE: a deferred transaction that reads first and writes then fails
at once under contention, however long the busy timeout is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import Database, DatabaseProxy, DoubleField, Model, PostgresqlDatabase, SqliteDatabase, TextField
from playhouse.db_url import parse
from playhouse.migrations import Runner

database = DatabaseProxy()

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 30_000,
    "cache_size": -1024,  # KiB, per thread
}


class Record(Model):
    """A row. "Model" always means a trained model, so rows are records."""

    class Meta:
        database = database
        legacy_table_names = False


class JSONField(TextField):
    """A JSON value as text: the same on SQLite and PostgreSQL; never queried into."""

    def db_value(self, value: Any) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def python_value(self, value: str | None) -> Any:
        return None if value is None else json.loads(value)


class TimeField(DoubleField):
    """Seconds since the epoch."""


def open_database(data: Path, address: str) -> Database:
    """Connect the records to SQLite in `data`, or to the PostgreSQL at `address`, and migrate to the newest schema."""
    if address:
        # each thread keeps its connection; timestamps are numbers, so no time zone is involved
        options = parse(address)
        handle: Database = PostgresqlDatabase(options.pop("database"), **options)
    else:
        data.mkdir(parents=True, exist_ok=True)
        handle = SqliteDatabase(str(data / "tunesmith.db"), pragmas=_PRAGMAS)
    database.initialize(handle)
    Runner(handle, directory=str(Path(__file__).parent / "migrations")).up()
    return handle


@contextmanager
def transaction() -> Iterator[None]:
    """One write transaction. Opened by services only; nesting joins the outer one."""
    handle = database.obj
    handle.connect(reuse_if_open=True)
    if handle.in_transaction():
        yield
        return
    immediate = ("IMMEDIATE",) if isinstance(handle, SqliteDatabase) else ()
    with handle.atomic(*immediate):
        yield
