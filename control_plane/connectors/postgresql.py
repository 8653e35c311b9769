"""The rows of a query on PostgreSQL.

The query is opened as a cursor from within the server's own language: there it has to be one statement that gives rows,
whatever its text holds, and the transaction around it reads only and cannot be told otherwise any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import Any

from control_plane.connectors.guard import allowed_addresses
from control_plane.connectors.sql import BATCH, MOST_TABLES, PASSWORD, complaint, server, write_rows
from control_plane.domain.connectors import Described, Fetched, Item, Manifest, Sink, Wanted
from control_plane.domain.errors import (
    SourceAccessDenied,
    SourceDriverMissing,
    SourceQueryFailed,
    SourceUnreachable,
)

_MANIFEST = Manifest(
    display={"en": "PostgreSQL", "de": "PostgreSQL", "zh": "PostgreSQL"},
    description={
        "en": "The rows of a query on a PostgreSQL database.",
        "de": "Die Zeilen einer Abfrage an eine PostgreSQL-Datenbank.",
        "zh": "对 PostgreSQL 数据库的查询结果。",
    },
    parameters=server(5432, ("prefer", "require", "verify")),
    label="database",
    secrets=PASSWORD,
    secrets_for=("host", "port", "user", "encryption", "database"),
)
_TLS = {
    "prefer": {"sslmode": "prefer"},
    "require": {"sslmode": "require"},
    "verify": {"sslmode": "verify-full", "sslrootcert": "system"},  # else it asks for a file of the user's
}
_TABLES = """
SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 LIMIT %s
"""
_OPEN = """
DO $tunesmith$ DECLARE rows_of_source refcursor := 'rows_of_source';
BEGIN OPEN rows_of_source FOR EXECUTE current_setting('tunesmith.query'); END $tunesmith$
"""


class Postgresql:
    """The connector."""

    manifest = _MANIFEST

    def describe(self, wanted: Wanted) -> Described:
        """The tables, each with the query that gives all of it."""
        with _connected(wanted) as cursor:
            cursor.execute(_TABLES, [MOST_TABLES + 1])
            names = [str(row[0]) for row in cursor.fetchall()]
        items = [Item(name, {"query": f"SELECT * FROM {name}"}) for name in names[:MOST_TABLES]]
        return Described(items, len(names) > MOST_TABLES)

    def fetch(self, wanted: Wanted, into: Sink) -> Fetched:
        """The rows of the query."""
        with _connected(wanted) as cursor:
            cursor.execute("SELECT set_config('tunesmith.query', %s, true)", [wanted.parameters["query"].strip()])
            cursor.execute(_OPEN)
            batches = _batches(cursor)
            first = next(batches)
            columns = [str(column.name) for column in cursor.description]
            write_rows(wanted, columns, (batch for some in ((first,), batches) for batch in some), into)
        return Fetched(f"{wanted.parameters['database']}.jsonl")


def _batches(cursor: Any) -> Iterator[list[tuple[Any, ...]]]:
    while True:
        cursor.execute(f"FETCH {BATCH} FROM rows_of_source")
        batch = cursor.fetchall()
        yield batch
        if len(batch) < BATCH:
            return


@contextmanager
def _connected(wanted: Wanted) -> Iterator[Any]:
    """A cursor in a transaction that only reads. Raises SourceDriverMissing and what goes wrong with a source."""
    if find_spec("psycopg2") is None:
        raise SourceDriverMissing(package="psycopg2-binary")
    import psycopg2

    given = wanted.parameters
    place = f"{given['host']}:{given['port']}"
    addresses = allowed_addresses(wanted, given["host"], given["port"])
    try:
        connection = psycopg2.connect(
            host=",".join([given["host"]] * len(addresses)),
            hostaddr=",".join(addresses),
            port=given["port"],
            dbname=given["database"],
            user=given["user"],
            password=wanted.secrets.get("password", ""),
            connect_timeout=max(2, int(wanted.bounds.silence_seconds / len(addresses))),  # for each of them
            **_TLS[given["encryption"]],
            options=f"-c statement_timeout={wanted.bounds.seconds * 1000} -c default_transaction_read_only=on",
            application_name="tunesmith",
            keepalives_idle=30,
        )
    except psycopg2.OperationalError as problem:
        said = complaint(problem)
        refused = "authentication" in said or "password" in said or "pg_hba" in said
        raise (SourceAccessDenied if refused else SourceUnreachable)(place=place, problem=said) from problem
    with closing(connection):
        connection.set_session(readonly=True, isolation_level="REPEATABLE READ")
        try:
            with connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as problem:
            raise SourceQueryFailed(problem=complaint(problem)) from problem


CONNECTOR = Postgresql()
