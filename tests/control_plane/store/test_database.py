import importlib
import pkgutil
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from peewee import IntegrityError, OperationalError, ProgrammingError, SqliteDatabase
from playhouse.migrations import Runner

import control_plane.store
from control_plane.domain.errors import Unavailable
from control_plane.store.database import Record, database, open_database, reading, release, transaction
from control_plane.store.machines import MachineRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord, ProjectRecord
from control_plane.store.statements import Prepared
from control_plane.store.things import Thing
from support import START, close_database

MACHINE = {"machine_class": "server", "serial": "1", "last_seen": START}
MIGRATIONS = str(Path(control_plane.store.__file__).parent / "migrations")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store(request, tmp_path):
    address = request.getfixturevalue("postgresql") if request.param == "postgresql" else ""
    yield open_database(tmp_path, address)
    close_database()


def test_a_transaction_is_all_or_nothing(store):
    def two_users_of_one_name():
        with transaction():
            UserRecord.create(name="ada", created_at=START)
            UserRecord.create(name="ada", created_at=START)

    with pytest.raises(IntegrityError):
        two_users_of_one_name()
    assert UserRecord.select().count() == 0


@pytest.mark.parametrize("problem", ["full", "locked"])
def test_sqlite_without_room_or_in_other_hands_is_unavailable_and_loses_nothing(tmp_path, problem):
    open_database(tmp_path, "")
    other = sqlite3.connect(tmp_path / "tunesmith.db", isolation_level=None)
    UserRecord.create(name="ada", created_at=START)
    if problem == "full":
        database.obj.execute_sql("PRAGMA max_page_count = 1")  # as many as there are
    else:
        database.obj.execute_sql("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable), transaction():
        UserRecord.create(name="grace", title="x" * 1_000_000, created_at=START)
    assert [user.name for user in UserRecord.select()] == ["ada"]
    database.obj.execute_sql("PRAGMA max_page_count = 1000000")
    other.close()
    with transaction():
        UserRecord.create(name="grace", created_at=START)
    assert UserRecord.select().count() == 2
    close_database()


def test_what_is_wrong_with_a_statement_stays_an_error_of_ours(store):
    with pytest.raises((OperationalError, ProgrammingError)), transaction():
        database.obj.execute_sql("SELECT 1 FROM nothing")


def test_a_lookup_by_values_reads_the_row_that_the_mapper_reads(store):
    """Text and row are our own there: each kind of column has to come out as the mapper's own query gives it."""
    with transaction():
        for name in ("m1", "m2"):
            inventory, drained = {"devices": [{"uuid": "cpu:0"}]}, name == "m2"
            MachineRecord.create(
                id=name, name=name, key_hash="k", inventory=inventory, drained=drained, enrolled_at=START, **MACHINE
            )
        user = UserRecord.create(name="ada", created_at=START)
        project = ProjectRecord.create(name="p", title="P", created_at=START)
        member = MemberRecord.create(project=project, user=user, role="Owner")
    for record, key in ((MachineRecord, "m2"), (UserRecord, user.id), (MemberRecord, member.id)):
        found = record.get_by_id(key)
        assert found.__data__ == record.select().where(record.id == key).first().__data__
        assert not found.is_dirty()
    assert MachineRecord.get((MachineRecord.name == "m2") & (MachineRecord.drained == True)).id == "m2"  # noqa: E712
    assert MachineRecord.get_or_none(MachineRecord.name == "m1", MachineRecord.drained == True) is None  # noqa: E712
    assert MemberRecord.get(MemberRecord.user == user, MemberRecord.project == project.id).id == member.id
    with pytest.raises(MachineRecord.DoesNotExist):
        MachineRecord.get_by_id("m3")


def test_what_was_read_once_is_not_read_again_by_its_id(store, monkeypatch):
    with transaction():
        number = ProjectRecord.create(name="p", title="P", created_at=START).id
    execute, asked = database.obj.execute_sql, []
    monkeypatch.setattr(database.obj, "execute_sql", lambda sql, *given: asked.append(sql) or execute(sql, *given))
    with reading():
        found = ProjectRecord.get(ProjectRecord.name == "p", ProjectRecord.deleted_at == 0.0)
        assert ProjectRecord.get_by_id(number) is found and len(asked) == 1
    assert ProjectRecord.get_by_id(number) is not found and len(asked) == 2


def test_a_prepared_query_takes_its_values_each_time(store):
    with transaction():
        for name in ("ada", "bob", "eve"):
            UserRecord.create(name=name, created_at=START)
    wanted = Prepared(
        lambda name, one: UserRecord.select(UserRecord.name).where((UserRecord.name == name) | (UserRecord.id == one))
    )
    for name, one, expected in (("ada", 3, ["ada", "eve"]), ("bob", 2, ["bob"]), ("x", 0, [])):
        assert sorted(row[0] for row in wanted.execute(store, name=name, one=one)) == expected


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
        if record is not Thing:  # whose columns others have
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
                    user = UserRecord.get(name="counter")
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


def test_a_writer_waits_for_its_turn_before_it_asks_sqlite(tmp_path, monkeypatch):
    """SQLite would have it sleep and look again, each time for longer."""
    handle = open_database(tmp_path, "")
    asked, begin = threading.Event(), handle.begin
    monkeypatch.setattr(handle, "begin", lambda *given: asked.set() or begin(*given))
    second = threading.Thread(target=in_a_transaction)
    with transaction():
        asked.clear()
        second.start()
        assert not asked.wait(0.3)
    second.join()
    assert asked.is_set()
    close_database()


def in_a_transaction():
    with transaction():
        pass
    close_database()


def in_threads(count, function):
    """Run it in so many threads at once; what they raised."""
    together, problems = threading.Barrier(count), []

    def run():
        together.wait()
        try:
            function()
        except Exception as problem:  # noqa: BLE001 — a test's thread: whatever ends it is looked at
            problems.append(problem)
        finally:
            release()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


@pytest.mark.postgresql
def test_more_threads_than_connections_wait(tmp_path, postgresql, postgresql_server):
    open_database(tmp_path, postgresql, connections=40)
    most = []

    def work():
        for _ in range(5):
            with transaction():
                most.append(postgresql_server.connections(postgresql))
            UserRecord.select().count()
            release()

    assert in_threads(60, work) == []
    assert 0 < max(most) <= 40
    close_database()


@pytest.mark.postgresql
def test_whoever_waits_too_long_for_a_connection_is_told_so(tmp_path, postgresql, monkeypatch):
    store = open_database(tmp_path, postgresql, connections=1)
    monkeypatch.setattr(store, "_wait_timeout", 0.1)
    UserRecord.select().count()  # this thread holds the only one
    (problem,) = in_threads(1, lambda: UserRecord.select().count())
    assert isinstance(problem, Unavailable)
    close_database()


@pytest.mark.postgresql
def test_connections_that_the_server_dropped_are_replaced(tmp_path, postgresql, postgresql_server):
    open_database(tmp_path, postgresql, connections=4)
    restarted = threading.Barrier(5)

    def work():
        UserRecord.select().count()
        restarted.wait()  # each of them holds a connection
        restarted.wait()
        with pytest.raises(Unavailable):
            UserRecord.select().count()
        release()
        with transaction():
            UserRecord.select().count()

    def restart():
        restarted.wait()
        postgresql_server.stop()
        postgresql_server.start()
        restarted.wait()

    operator = threading.Thread(target=restart)
    operator.start()
    assert in_threads(4, work) == []
    operator.join()
    assert UserRecord.select().count() == 0
    close_database()


@pytest.mark.postgresql
def test_a_server_that_is_away_is_said_and_found_again(tmp_path, postgresql, postgresql_server):
    open_database(tmp_path, postgresql)
    postgresql_server.stop()
    with pytest.raises(Unavailable), transaction():
        pass
    with pytest.raises(Unavailable):
        UserRecord.select().count()
    postgresql_server.start()
    assert UserRecord.select().count() == 0
    close_database()


@pytest.mark.postgresql
def test_an_old_connection_is_made_anew(tmp_path, postgresql):
    store = open_database(tmp_path, postgresql, stale_seconds=1.0)

    def server_process():
        (found,) = store.execute_sql("SELECT pg_backend_pid()").fetchone()
        release()
        return found

    first = server_process()
    assert server_process() == first
    until = time.time() + 1.1
    while time.time() < until:
        time.sleep(0.05)
    assert server_process() != first
    close_database()
