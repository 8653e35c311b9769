"""A query of the answer gives the same rows as the expected query, on a small database in memory.

What a model writes is run: SQLite alone, in memory, with an authorizer that lets it read and nothing else (no other
file, no PRAGMA, no change), and limits of time, length and rows.
"""

import re
import sqlite3
import time
from collections import Counter
from typing import Any

from kit import checking
from kit.checking import Case, Check, Found, found
from kit.events import fail

SECONDS, ROWS, LONGEST = 0.5, 2000, 100_000  # for each query; its rows; characters of a text or a value
RUNS, SIMILAR = 0.2, 0.6  # for a query that runs; and for rows that it shares with the expected ones
_READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_OUTSIDE = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA}
_FENCE = re.compile(r"```(?:sql)?(.*?)```", re.DOTALL | re.IGNORECASE)

Rows = list[tuple[Any, ...]]


class _Failed(Exception):
    """A query did not run to its end."""


def make(tables: str, ordered: bool = False) -> Check:
    """1 for the same rows, in the same order where `ordered`; `tables` makes the database. Refuses `tables_invalid`."""
    database = _database(tables)

    def check(answer: str, case: Case) -> Found:
        try:
            wanted = _run(database, case.expected)
        except _Failed as error:
            return found(0, "reference_query_fails", reason=str(error))
        try:
            given = _run(database, answer)
        except _Failed as error:
            return found(0, "query_fails", reason=str(error))
        if given == wanted if ordered else Counter(given) == Counter(wanted):
            return found(1, "rows_equal")
        common = (Counter(given) & Counter(wanted)).total()
        return found(RUNS + SIMILAR * checking.overlap(common, len(given), len(wanted)), "rows_differ", common=common)

    return check


def _database(tables: str) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action in _OUTSIDE else sqlite3.SQLITE_OK)
    _limit_time(database, 10 * SECONDS)
    try:
        database.executescript(tables)
        database.commit()
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:
        fail("tables_invalid", f"The tables for the SQL check cannot be made: {error}", reason=str(error))
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    database.setlimit(sqlite3.SQLITE_LIMIT_SQL_LENGTH, LONGEST)
    database.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY)
    return database


def _limit_time(database: sqlite3.Connection, seconds: float) -> None:
    end = time.monotonic() + seconds
    database.set_progress_handler(lambda: int(time.monotonic() > end), 1000)


def _run(database: sqlite3.Connection, text: str) -> Rows:
    """The rows of the query in a text, or in its first fenced block. Raises _Failed."""
    fenced = _FENCE.search(text[:LONGEST])
    _limit_time(database, SECONDS)
    try:
        cursor = database.execute(fenced.group(1) if fenced else text)
        if cursor.description is None:
            raise _Failed("no query")
        rows = cursor.fetchmany(ROWS + 1)
        cursor.close()
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError) as error:
        raise _Failed(str(error)[:200]) from error
    if len(rows) > ROWS:
        raise _Failed(f"more than {ROWS} rows")
    return rows
