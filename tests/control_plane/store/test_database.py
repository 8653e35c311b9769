import importlib
import pkgutil
import sqlite3
import threading
from pathlib import Path

import pytest
from peewee import IntegrityError, PostgresqlDatabase, SqliteDatabase
from playhouse.migrations import Runner

import control_plane.store
from control_plane.store.database import Record, open_database, transaction
from control_plane.store.people import UserRecord
from support import START, close_database

MIGRATIONS = str(Path(control_plane.store.__file__).parent / "migrations")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request, tmp_path):
    address = request.getfixturevalue("postgresql") if request.param == "postgresql" else ""
    yield open_database(tmp_path, address)
    with transaction():
        UserRecord.delete().execute()
    close_database()


def test_a_transaction_is_all_or_nothing(store):
    def two_users_of_one_name():
        with transaction():
            UserRecord.create(name="ada", created_at=START)
            UserRecord.create(name="ada", created_at=START)

    with pytest.raises(IntegrityError):
        two_users_of_one_name()
    assert UserRecord.select().count() == 0


def test_the_schema_is_migrated_once(store):
    with transaction():
        UserRecord.create(name="ada", created_at=START)
    assert Runner(store, directory=MIGRATIONS).up() == []
    assert [user.name for user in UserRecord.select()] == ["ada"]


def test_the_migrations_make_the_tables_that_the_records_describe(tmp_path):
    """A record was changed: add a migration; never edit one that was released."""
    migrated = open_database(tmp_path, "")
    described = SqliteDatabase(":memory:")
    records = sorted(every_record(), key=lambda record: record._meta.table_name)
    with described.bind_ctx(records):
        described.create_tables(records)
    assert {name: migrated.get_columns(name) for name in table_names(records)} == {
        name: described.get_columns(name) for name in table_names(records)
    }
    assert {name: indexes(migrated, name) for name in table_names(records)} == {
        name: indexes(described, name) for name in table_names(records)
    }
    close_database()


def every_record(kind=Record):
    for module in pkgutil.iter_modules(control_plane.store.__path__, "control_plane.store."):
        importlib.import_module(module.name)
    for record in kind.__subclasses__():
        yield record
        yield from every_record(record)


def table_names(records):
    return [record._meta.table_name for record in records]


def indexes(database, table):
    return sorted((tuple(index.columns), index.unique) for index in database.get_indexes(table))


def test_writers_that_read_first_wait_for_each_other(store):
    """Deferred transactions that read and then write would fail at once with SQLITE_BUSY."""
    with transaction():
        UserRecord.create(name="counter", created_at=0.0)
    failures = []

    def add():
        try:
            for _ in range(20):
                with transaction():
                    query = UserRecord.select().where(UserRecord.name == "counter")
                    user = (query.for_update() if isinstance(store, PostgresqlDatabase) else query).get()
                    UserRecord.update(created_at=user.created_at + 1).where(UserRecord.id == user.id).execute()
        except (sqlite3.Error, IntegrityError) as problem:
            failures.append(problem)
        finally:
            close_database()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert UserRecord.get(name="counter").created_at == 80
