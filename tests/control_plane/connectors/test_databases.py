"""Rows of queries, from a real PostgreSQL, a real MariaDB and SQLite files; and what a query may not do."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from certificate_support import Known, certificates

import mysql_server
import postgresql_server
from control_plane import apart
from control_plane.connectors import mysql, postgresql, sqlite
from control_plane.connectors.sql import MOST_TABLES
from control_plane.domain.connectors import Bounds, Connector, Doing, Errand, Opened
from control_plane.domain.errors import (
    SourceAccessDenied,
    SourceAddressPrivate,
    SourceColumnTwice,
    SourceEmpty,
    SourceFault,
    SourceFileOpen,
    SourcePathRefused,
    SourceQueryFailed,
    SourceRowsTooMany,
    SourceTooLarge,
    SourceTooSlow,
    SourceUnreachable,
)
from control_plane.domain.preparation import told
from control_plane.outward import guard
from control_plane.services.datasets import process
from mysql_server import MysqlServer
from postgresql_server import PostgresqlServer
from source_support import BOUNDS, HERE, fetch, wanted
from support import missing

PASSWORD = "s3cret & “quoted”"
TABLE = "CREATE TABLE faults (id integer PRIMARY KEY, note varchar(200), price decimal(10,2), seen timestamp NULL)"
ROWS = (
    "INSERT INTO faults VALUES (1, 'Pumpe heiß 泵', 12.50, '2026-01-02 03:04:05')",
    "INSERT INTO faults VALUES (2, NULL, NULL, NULL)",
)
FIRST = {"id": 1, "note": "Pumpe heiß 泵", "price": 12.5, "seen": "2026-01-02T03:04:05"}
SECOND = {"id": 2, "note": None, "price": None, "seen": None}
QUERY = "SELECT * FROM faults ORDER BY id"
NOBODY = 65_534  # a user that may do nothing
_RESOLVE = socket.getaddrinfo


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return certificates(tmp_path_factory.mktemp("authority"))


def meaning(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have the name `several.test` mean these addresses, in this order: no server of names can be asked from here."""

    def found(host: str, *more: Any, **named: Any) -> Any:
        meant = addresses if host == "several.test" else [host]
        return [one for each in meant for one in _RESOLVE(each, *more, **named)]

    monkeypatch.setattr(guard.socket, "getaddrinfo", found)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Asked:
    """A database as a source."""

    def __init__(self, connector: Connector, given: dict[str, Any], secrets: dict[str, str], opened: Opened) -> None:
        self.connector, self.given, self.secrets, self.opened = connector, given, secrets, opened

    def __call__(self, query: str = QUERY, bounds: Bounds = BOUNDS, **given: Any) -> Any:
        opened = given.pop("opened", self.opened)
        secrets = given.pop("secrets", self.secrets)
        return wanted(self.connector, {**self.given, "query": query, **given}, secrets, opened=opened, bounds=bounds)

    def rows(self, folder: Path, query: str = QUERY, **more: Any) -> list[dict[str, Any]]:
        content = fetch(self.connector, self(query, **more), folder)[1]
        return [json.loads(line) for line in content.splitlines()]


@pytest.fixture(scope="module")
def postgres(known: Known) -> Iterator[Asked]:
    if reason := postgresql_server.lacking():
        missing(reason)
    port = free_port()
    server = PostgresqlServer(port=port)
    server.encrypt(known.certificate, known.key)
    quoted = PASSWORD.replace("'", "''")
    for statement in (TABLE, *ROWS, f"CREATE ROLE reader SUPERUSER LOGIN PASSWORD '{quoted}'"):
        server.execute(statement)
    given = {"host": "127.0.0.1", "port": port, "database": "postgres", "user": "reader"}
    yield Asked(postgresql.CONNECTOR, given, {"password": PASSWORD}, Opened(networks=HERE))
    assert server.execute("SELECT count(*) FROM faults") == [(2,)]  # whatever was tried
    server.remove()


@pytest.fixture(scope="module")
def mariadb(known: Known) -> Iterator[Asked]:
    if reason := mysql_server.lacking():
        missing(reason)
    port = free_port()
    server = MysqlServer(port, known.certificate, known.key)
    server.execute("CREATE DATABASE lab CHARACTER SET utf8mb4")
    server.execute(TABLE, *ROWS, database="lab")
    quoted = PASSWORD.replace("'", "''")
    server.execute(f"CREATE USER reader@'%' IDENTIFIED BY '{quoted}'", "GRANT ALL ON *.* TO reader@'%'")
    server.execute("CREATE PROCEDURE lab.counted() SELECT 7 AS seven")
    given = {"host": "127.0.0.1", "port": port, "database": "lab", "user": "reader"}
    yield Asked(mysql.CONNECTOR, given, {"password": PASSWORD}, Opened(networks=HERE))
    assert server.execute("SELECT count(*) FROM faults", database="lab") == [(2,)]
    server.remove()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Asked]:
    folder = tmp_path / "shared"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "lab #1.db")) as connection:
        for statement in (TABLE, *ROWS):
            connection.execute(statement)
        connection.commit()
    (folder / "no.db").write_text("nothing")
    yield Asked(sqlite.CONNECTOR, {"folder": str(folder), "file": "lab #1.db"}, {}, Opened([str(folder)]))
    with closing(sqlite3.connect(folder / "lab #1.db")) as connection:
        assert connection.execute("SELECT count(*) FROM faults").fetchall() == [(2,)]


@pytest.fixture(params=["postgres", "mariadb", "file"])
def asked(request: pytest.FixtureRequest) -> Asked:
    found: Asked = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> Asked:
    found: Asked = request.getfixturevalue(request.param)
    return found


def test_the_rows_of_a_query(asked: Asked, tmp_path: Path) -> None:
    seen = FIRST["seen"] if asked.connector is not sqlite.CONNECTOR else "2026-01-02 03:04:05"  # it has texts alone
    assert asked.rows(tmp_path) == [FIRST | {"seen": seen}, SECOND]
    assert asked.rows(tmp_path, "SELECT note AS question FROM faults WHERE id = 1") == [{"question": FIRST["note"]}]
    assert asked.rows(tmp_path, "  -- which\nSELECT id FROM faults ORDER BY id  ") == [{"id": 1}, {"id": 2}]


def test_what_is_there(asked: Asked, tmp_path: Path) -> None:
    found = asked.connector.describe(asked("SELECT 1"))
    (item,) = [one for one in found.items if one.name.endswith("faults")]
    assert len(asked.rows(tmp_path, str(item.parameters["query"]))) == 2


def test_many_rows_come_in_batches(asked: Asked, tmp_path: Path) -> None:
    counted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900) SELECT i FROM n"
    assert len(asked.rows(tmp_path, counted)) == 900
    twice = f"SELECT a.i FROM ({counted}) a CROSS JOIN ({counted}) b"
    assert len(asked.rows(tmp_path, f"{twice} LIMIT 20000")) == 20_000
    with pytest.raises(SourceRowsTooMany):
        asked.rows(tmp_path, counted, rows=899)
    with pytest.raises(SourceTooLarge):
        asked.rows(tmp_path, twice)


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM faults", "DROP TABLE faults", "INSERT INTO faults (id) VALUES (9)", "CREATE TABLE other (id int)",
        "SELECT 1; DELETE FROM faults", "SELECT 1; COMMIT; DELETE FROM faults; COMMIT", "COMMIT", "SELECT", "nonsense",
        "", "UPDATE faults SET id = 3 RETURNING id", "SELECT * FROM nowhere", ";", "'", "/*",
    ],
)  # fmt: skip
def test_a_query_only_reads(asked: Asked, tmp_path: Path, query: str) -> None:
    with pytest.raises((SourceQueryFailed, SourceEmpty)):
        given = asked()
        fetch(asked.connector, type(given)({**given.parameters, "query": query}, *_rest(given)), tmp_path)


def _rest(given: Any) -> tuple[Any, ...]:
    return given.secrets, given.opened, given.bounds, given.mark


@pytest.mark.parametrize(
    "query",
    [
        "SELECT set_config('transaction_read_only', 'off', false)",
        "WITH gone AS (DELETE FROM faults RETURNING id) SELECT * FROM gone",
        "SELECT 1) x; COMMIT; DELETE FROM faults; --",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "COPY faults TO PROGRAM 'true'",
        "DO $$ BEGIN DELETE FROM faults; END $$",
        "SELECT nextval('none')",
    ],
)
def test_postgresql_stays_read_only(postgres: Asked, tmp_path: Path, query: str) -> None:
    with pytest.raises(SourceQueryFailed):
        postgres.rows(tmp_path, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT note FROM faults INTO OUTFILE 'OUT'",
        "SELECT note INTO OUTFILE 'OUT' FROM faults",
        "SELECT 1) AS q INTO OUTFILE 'OUT' -- ",
        "SELECT 1 /*!99999 , */ INTO DUMPFILE 'OUT'",
        "SET GLOBAL max_connections = 90",
        "KILL 999999",
        "CALL lab.counted()",
        "SHOW GRANTS",
        "SELECT id FROM faults INTO @kept",
        "PREPARE other FROM 'SELECT 1'",
        "SELECT 1 FROM (SELECT 2",
    ],
)
def test_mysql_gives_rows_and_does_nothing_else(mariadb: Asked, tmp_path: Path, query: str) -> None:
    """The account may do all of this: a transaction that reads stops none of it."""
    out = tmp_path / "out"
    with pytest.raises(SourceQueryFailed):
        mariadb.rows(tmp_path, query.replace("OUT'", f"{out}'"))
    assert not out.exists()
    assert mariadb.rows(tmp_path, "SELECT @@GLOBAL.max_connections AS most") != [{"most": 90}]


def test_mysql_keeps_the_order_and_takes_a_semicolon(mariadb: Asked, tmp_path: Path) -> None:
    for query in ("SELECT id FROM faults ORDER BY id DESC; ", "SELECT id FROM faults ORDER BY id DESC -- newest first"):
        assert mariadb.rows(tmp_path, query) == [{"id": 2}, {"id": 1}]
    long = "SELECT " + " + ".join(f"length('{n}')" for n in range(40)) + ", 1 + 1"  # columns without a name
    assert list(mariadb.rows(tmp_path, long)[0].values()) == [70, 2]
    odd = "SELECT '100 % ?; '' \\\\ 泵;' AS said"
    assert mariadb.rows(tmp_path, odd) == [{"said": "100 % ?; ' \\ 泵;"}]


@pytest.mark.parametrize(
    "query",
    ["ATTACH '/tmp/other.db' AS other", "PRAGMA writable_schema = 1", "PRAGMA query_only = OFF", "VACUUM INTO '/tmp/x'",
     "SELECT load_extension('x')", "SELECT fts3_tokenizer('x')", "SELECT zeroblob(100000000)"],
)  # fmt: skip
def test_sqlite_stays_in_its_file(file: Asked, tmp_path: Path, query: str) -> None:
    with pytest.raises(SourceQueryFailed):
        file.rows(tmp_path, query)


def test_sqlite_files_are_those_of_the_folder(file: Asked, tmp_path: Path) -> None:
    found = sqlite.CONNECTOR.describe(wanted(sqlite.CONNECTOR, {"folder": file.given["folder"]}, opened=file.opened))
    assert [one.parameters for one in found.items] == [{"file": "lab #1.db"}]
    for name in ("../other.db", "/etc/passwd", "lab #1.db?mode=rwc&x=/../.."):
        with pytest.raises(SourceFault):
            file.rows(tmp_path, file=name)
    (Path(file.given["folder"]) / "link.db").symlink_to(tmp_path / "other.db")
    with pytest.raises(SourcePathRefused):
        file.rows(tmp_path, file="link.db")
    with pytest.raises(SourceQueryFailed):
        file.rows(tmp_path, file="no.db")


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


class Kept:
    """A sink that keeps what it is given, and does something on the first piece."""

    def __init__(self, first: Callable[[], object] = lambda: None) -> None:
        self.pieces, self._first = list[bytes](), first

    def expect(self, size: int) -> None: ...

    def write(self, piece: bytes) -> None:
        if not self.pieces:
            self._first()
        self.pieces.append(piece)


def in_wal_mode(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode = WAL").fetchall() == [("wal",)]


@contextmanager
def reading_alone(folder: Path) -> Iterator[None]:
    """In a folder that may only be read, as one that an administrator mounted; whatever this process's umask is."""
    for file in folder.iterdir():
        if file.stat().st_mode & 0o400:
            file.chmod(0o444)
    folder.chmod(0o555)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)


def test_sqlite_reads_a_wal_database_in_a_folder_that_it_may_only_read(file: Asked) -> None:
    with TemporaryDirectory(dir="/tmp") as place:
        folder = Path(place)
        shutil.copy(Path(file.given["folder"]) / "lab #1.db", folder / "lab.db")
        in_wal_mode(folder / "lab.db")
        kept = Kept()
        with reading_alone(folder):
            sqlite.CONNECTOR.fetch(file(folder=place, file="lab.db", opened=Opened([place])), kept)
        assert len(kept.pieces) == 2 and list(contents(folder)) == ["lab.db"]


def test_sqlite_leaves_nothing_beside_a_wal_database(file: Asked, tmp_path: Path) -> None:
    folder = Path(file.given["folder"])
    in_wal_mode(folder / "lab #1.db")
    before, meanwhile = contents(folder), list[dict[str, bytes]]()
    kept = Kept(lambda: meanwhile.append(contents(folder)))
    sqlite.CONNECTOR.fetch(file(), kept)
    assert len(kept.pieces) == 2 and meanwhile == [before] and contents(folder) == before


def test_sqlite_reads_what_is_being_written(file: Asked, tmp_path: Path) -> None:
    folder = Path(file.given["folder"])
    with closing(sqlite3.connect(folder / "lab #1.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO faults VALUES (3, NULL, NULL, NULL)")
        connection.commit()
        assert (folder / "lab #1.db-wal").stat().st_size
        assert [one["id"] for one in file.rows(tmp_path)] == [1, 2, 3]
        copied = {name: content for name, content in contents(folder).items() if not name.endswith("-shm")}
        connection.execute("DELETE FROM faults WHERE id = 3")
        connection.commit()
    for name, content in copied.items():  # as a copy without the index has it, or a machine that lost its power
        (folder / name.replace("lab #1", "copied")).write_bytes(content)
    before = contents(folder)
    with pytest.raises(SourceFileOpen):
        file.rows(tmp_path, file="copied.db")
    assert contents(folder) == before


def test_sqlite_notices_who_begins_to_write(file: Asked) -> None:
    """What is read as unchanging and changes meanwhile might be half of each: it is not taken."""
    path = Path(file.given["folder"]) / "lab #1.db"
    in_wal_mode(path)

    def write() -> None:
        with closing(sqlite3.connect(path)) as writer:
            writer.execute("UPDATE faults SET note = 'another'")
            writer.commit()

    with pytest.raises(SourceFileOpen):
        sqlite.CONNECTOR.fetch(file(), Kept(write))


def test_a_file_that_cannot_be_read_hides_no_database(file: Asked) -> None:
    with TemporaryDirectory(dir="/tmp") as place:
        folder = Path(place)
        for name in ("closed.db", "lab.db"):
            shutil.copy(Path(file.given["folder"]) / "lab #1.db", folder / name)
        (folder / "closed.db").chmod(0)
        asked = wanted(sqlite.CONNECTOR, {"folder": place}, opened=Opened([place]))
        with reading_alone(folder):
            with pytest.raises(PermissionError):
                (folder / "closed.db").read_bytes()
            found = sqlite.CONNECTOR.describe(asked)
        assert [one.name for one in found.items] == ["lab.db"]


def test_many_databases_are_cut(file: Asked) -> None:
    folder = Path(file.given["folder"])
    for number in range(MOST_TABLES):
        shutil.copy(folder / "lab #1.db", folder / f"{number:03}.db")
    found = sqlite.CONNECTOR.describe(wanted(sqlite.CONNECTOR, {"folder": str(folder)}, opened=file.opened))
    assert (len(found.items), found.is_cut) == (MOST_TABLES, True)


def test_a_query_that_never_ends(postgres: Asked, file: Asked, tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(SourceTooSlow):
        file.rows(tmp_path, endless, bounds=Bounds(1 << 20, 1))
    with pytest.raises(SourceQueryFailed, match="statement timeout"):
        postgres.rows(tmp_path, "SELECT pg_sleep(600)", bounds=Bounds(1 << 20, 1))


def test_a_name_that_comes_twice(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(SourceColumnTwice):
        asked.rows(tmp_path, "SELECT id, id FROM faults")


def test_nothing_comes_of_it(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(SourceEmpty):
        asked.rows(tmp_path, "SELECT id FROM faults WHERE id = 99")


def test_whoever_may_not_come_in(server: Asked, tmp_path: Path) -> None:
    for more in ({"secrets": {"password": "wr0ng one"}}, {"user": "nobody"}):
        with pytest.raises(SourceAccessDenied) as refused:
            server.rows(tmp_path, **more)
        assert "wr0ng one" not in str(refused.value.params)
    with pytest.raises((SourceAccessDenied, SourceUnreachable)):
        server.rows(tmp_path, database="nowhere")


def test_where_nobody_is(server: Asked, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable):
        server.rows(tmp_path, port=free_port())
    with pytest.raises(SourceAddressPrivate):
        server.rows(tmp_path, opened=Opened())
    for host in ("/tmp", "no host", "127.0.0.1,10.0.0.1"):
        with pytest.raises(SourceFault):
            server.rows(tmp_path, host=host)


def test_a_certificate_that_nobody_vouches_for(
    server: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Known
) -> None:
    with pytest.raises(SourceUnreachable):
        server.rows(tmp_path, host="localhost", encryption="verify")
    assert server.rows(tmp_path, encryption="require") == [FIRST, SECOND]
    monkeypatch.setenv("SSL_CERT_FILE", str(known.authority))
    with pytest.raises(SourceUnreachable):  # it is vouched for, by another name
        server.rows(tmp_path, encryption="verify")


def test_a_certificate_that_an_authority_vouches_for(
    server: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Known
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(known.authority))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    assert server.rows(tmp_path, host="localhost", encryption="verify") == [FIRST, SECOND]


def test_the_process_believes_whom_the_control_plane_believes(
    server: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: Known
) -> None:
    name = "postgresql" if server.connector is postgresql.CONNECTOR else "mysql"
    given = server(host="localhost", encryption="verify")
    errand = Errand(Doing.FETCH, name, given.parameters, given.bounds, given.opened)
    for authority, status in ((str(known.authority), 0), (str(tmp_path / "none"), apart.FAILED)):
        monkeypatch.setenv("SSL_CERT_FILE", authority)
        room = tmp_path / str(status)
        room.mkdir()
        (room / "order.json").write_text(json.dumps(told(errand)))
        command = [sys.executable, "-P", *process.CONNECTORS_PROGRAM, str(room)]
        secrets = json.dumps(given.secrets).encode()
        done = subprocess.run(command, cwd=room, env=apart.environment(room), input=secrets, capture_output=True)
        assert done.returncode == status, done.stderr
    assert len((tmp_path / "0" / "content").read_bytes().splitlines()) == 2


def test_a_server_listens_at_the_second_address_of_its_name(
    server: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meaning(monkeypatch, "127.0.0.2", "127.0.0.1")
    assert server.rows(tmp_path, host="several.test") == [FIRST, SECOND]
    meaning(monkeypatch, "127.0.0.2", "127.0.0.3")
    with pytest.raises(SourceUnreachable):
        server.rows(tmp_path, host="several.test")
    meaning(monkeypatch, "127.0.0.2", "127.0.0.1")
    with pytest.raises(SourceUnreachable):  # what may not be asked is not
        server.rows(tmp_path, host="several.test", opened=Opened(networks="127.0.0.2"))


def test_values_that_json_has_no_form_for(postgres: Asked, tmp_path: Path) -> None:
    query = """SELECT 'NaN'::float8 AS nan, 1.5::float8 AS half, 12345678901234567890.5::numeric AS long,
        7::numeric AS whole, '\\x00ff'::bytea AS bytes, '2026-01-02'::date AS day, '03:04'::time AS time, 
        '1 day'::interval AS span, ARRAY[1, NULL] AS list, '{"a": [1]}'::jsonb AS document, true AS yes,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS id"""
    assert postgres.rows(tmp_path, query) == [
        {
            "nan": None, "half": 1.5, "long": "12345678901234567890.5", "whole": 7, "bytes": "00ff",
            "day": "2026-01-02", "time": "03:04:00", "span": "1 day, 0:00:00", "list": [1, None],
            "document": {"a": [1]}, "yes": True,
            "id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        }
    ]  # fmt: skip
