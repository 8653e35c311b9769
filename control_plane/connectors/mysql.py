"""The rows of a query on MySQL or MariaDB.

The driver sends one statement, in a transaction that reads. That stops no SET, KILL, CALL or INTO OUTFILE; so the
server has to take the query as the inner one of another first, where nothing but what gives rows is allowed.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from control_plane.connectors.guard import allowed_addresses
from control_plane.connectors.sql import MOST_TABLES, PASSWORD, batches, complaint, server, write_rows
from control_plane.domain.connectors import Described, Fetched, Item, Manifest, Sink, Wanted
from control_plane.domain.errors import SourceAccessDenied, SourceColumnTwice, SourceQueryFailed, SourceUnreachable
from control_plane.outward.guard import connected

_MANIFEST = Manifest(
    display={"en": "MySQL or MariaDB", "de": "MySQL oder MariaDB", "zh": "MySQL 或 MariaDB"},
    description={
        "en": "The rows of a query on a MySQL or MariaDB database.",
        "de": "Die Zeilen einer Abfrage an eine MySQL- oder MariaDB-Datenbank.",
        "zh": "对 MySQL 或 MariaDB 数据库的查询结果。",
    },
    parameters=server(3306, ("prefer", "require", "verify")),
    label="database",
    secrets=PASSWORD,
    secrets_for=("host", "port", "user", "encryption", "database"),
)
_COLUMN_TWICE = 1060
_NO_ACCESS = (1044, 1045, 1049, 1698)  # the server's numbers for who may not come in


class Mysql:
    """The connector."""

    manifest = _MANIFEST

    def describe(self, wanted: Wanted) -> Described:
        """The tables, each with the query that gives all of it."""
        with _connected(wanted) as cursor:
            cursor.execute("SHOW TABLES")
            names = [str(row[0]) for row in cursor.fetchmany(MOST_TABLES + 1)]
        quoted = {name: "`" + name.replace("`", "``") + "`" for name in names[:MOST_TABLES]}
        items = [Item(name, {"query": f"SELECT * FROM {said}"}) for name, said in quoted.items()]
        return Described(items, len(names) > MOST_TABLES)

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """The rows of the query."""
        with _connected(wanted) as cursor:
            query = wanted.parameters["query"].rstrip("; \n\r\t")
            _refuse_all_but_rows(cursor, query)
            cursor.execute(query)
            columns = [str(column[0]) for column in cursor.description or ()]
            write_rows(wanted, columns, batches(cursor), into)
        return Fetched(f"{wanted.parameters['database']}.jsonl")


def _refuse_all_but_rows(cursor: Any, query: str) -> None:
    """Raises the server's complaint where the text is not one query that gives rows to whoever asks, and only that.

    It is read, not carried out: in the order that an inner query asks for its rows would not come.
    """
    from pymysql.err import OperationalError

    cursor.execute("SET @tunesmith_query = %s", (f"SELECT * FROM (\n{query}\n) AS rows_of_source",))
    try:
        cursor.execute("PREPARE tunesmith_query FROM @tunesmith_query")
    except OperationalError as problem:
        if problem.args[0] != _COLUMN_TWICE:
            raise
        raise SourceColumnTwice(column=str(problem.args[-1]).rpartition(" ")[2].strip("'")) from problem


@contextmanager
def _connected(wanted: Wanted) -> Iterator[Any]:
    """A cursor that holds no more than a row, in a transaction that only reads. Raises what goes wrong."""
    import pymysql
    from pymysql.cursors import SSCursor

    given, silence = wanted.parameters, wanted.bounds.silence_seconds
    place = f"{given['host']}:{given['port']}"
    addresses = allowed_addresses(wanted, given["host"], given["port"])
    try:
        connection = pymysql.connect(
            host=given["host"],
            port=given["port"],
            user=given["user"],
            password=wanted.secrets.get("password", "").encode(),  # as a text it could have letters of Latin-1 alone
            database=given["database"],
            charset="utf8mb4",
            cursorclass=SSCursor,
            connect_timeout=max(1, int(silence)),
            read_timeout=silence,
            write_timeout=silence,
            local_infile=False,
            ssl=_tls(given["encryption"]),
            defer_connect=True,
        )
        connection.connect(connected(addresses, given["port"], silence))
        with connection.cursor() as cursor:
            for statement in ("SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"):
                cursor.execute(statement)
    except pymysql.err.OperationalError as problem:
        raised = SourceAccessDenied if problem.args[0] in _NO_ACCESS else SourceUnreachable
        raise raised(place=place, problem=complaint(problem.args[-1])) from problem
    except OSError as problem:
        raise SourceUnreachable(place=place, problem=complaint(problem)) from problem
    with closing(connection):
        try:
            with connection.cursor() as cursor:
                yield cursor
        except (pymysql.err.Error, OSError) as problem:
            raise SourceQueryFailed(problem=complaint(problem.args[-1] if problem.args else problem)) from problem


def _tls(encryption: str) -> ssl.SSLContext | None:
    """What the connection is wrapped in; None: in what the server can, if it can."""
    if encryption == "prefer":
        return None
    context = ssl.create_default_context()
    if encryption == "require":
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


CONNECTOR = Mysql()
