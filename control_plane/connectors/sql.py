"""What the connectors of databases have in common: a query's parameters, and its rows as JSON Lines.

Plain drivers do it: they stream rows within a read-only transaction. ConnectorX and DuckDB would read a result as a
whole or fetch extensions at run time, and neither can be told which address to connect to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from time import monotonic
from typing import Any

from control_plane.domain.connectors import Sink, Wanted
from control_plane.domain.errors import (
    SourceColumnTwice,
    SourceEmpty,
    SourceQueryFailed,
    SourceRowsTooMany,
    SourceTooSlow,
)

BATCH = 1_000  # rows
MOST_TABLES = 200
_LONGEST_COMPLAINT = 500  # characters

QUERY = {
    "type": "string",
    "title": {"en": "Query", "de": "Abfrage", "zh": "查询"},
    "description": {
        "en": "One SELECT. With ORDER BY equal rows come in the same order, and an unchanged result is known as one.",
        "de": "Ein SELECT. Mit ORDER BY kommen gleiche Zeilen in gleicher Reihenfolge, und ein unverändertes Ergebnis "
        "wird als solches erkannt.",
        "zh": "一条 SELECT 语句。使用 ORDER BY 可使相同的行顺序一致，从而识别未变化的结果。",
    },
    "minLength": 1,
    "maxLength": 100_000,
    "x-multiline": True,
}
ROWS = {
    "type": "integer",
    "title": {"en": "Rows at most", "de": "Höchstens so viele Zeilen", "zh": "最多行数"},
    "description": {
        "en": "Where the query gives more, nothing is fetched.",
        "de": "Ergibt die Abfrage mehr, wird nichts geholt.",
        "zh": "查询结果超过此数时不获取任何数据。",
    },
    "minimum": 1,
    "maximum": 50_000_000,
    "default": 1_000_000,
    "x-level": "standard",
}
PASSWORD = {
    "password": {
        "title": {"en": "Password", "de": "Passwort", "zh": "密码"},
        "description": {
            "en": "Of an account that may only read.",
            "de": "Eines Zugangs, der nur lesen darf.",
            "zh": "请使用只读账户。",
        },
    }
}
_TEXT = {"type": "string", "minLength": 1, "maxLength": 255}


def server(port: int, encryption: Sequence[str]) -> dict[str, Any]:
    """The parameters of a database that is a server; of `encryption` the first is the default."""
    return {
        "type": "object",
        "properties": {
            "host": {**_TEXT, "title": {"en": "Server", "de": "Server", "zh": "服务器"}},
            "database": {**_TEXT, "title": {"en": "Database", "de": "Datenbank", "zh": "数据库"}},
            "user": {**_TEXT, "title": {"en": "User name", "de": "Benutzername", "zh": "用户名"}},
            "query": QUERY,
            "port": {
                "type": "integer",
                "title": {"en": "Port", "de": "Port", "zh": "端口"},
                "minimum": 1,
                "maximum": 65_535,
                "default": port,
            },
            "encryption": {
                "type": "string",
                "title": {"en": "Encryption", "de": "Verschlüsselung", "zh": "加密"},
                "description": {
                    "en": "prefer: where the server can; require: always; verify: with a certificate that is checked.",
                    "de": "prefer: wenn der Server es kann; require: immer; verify: mit geprüftem Zertifikat.",
                    "zh": "prefer：服务器支持时加密；require：始终加密；verify：加密并校验证书。",
                },
                "enum": list(encryption),
                "default": encryption[0],
                "x-level": "standard",
            },
            "rows": ROWS,
        },
        "required": ["host", "database", "user", "query"],
        "additionalProperties": False,
    }


def batches(cursor: Any) -> Iterator[Sequence[Sequence[Any]]]:
    """What a cursor has, some rows at a time."""
    while batch := cursor.fetchmany(BATCH):
        yield batch


def write_rows(wanted: Wanted, columns: Sequence[str], rows: Iterable[Sequence[Sequence[Any]]], into: Sink) -> None:
    """A query's rows as JSON Lines.

    Raises SourceQueryFailed where it gives none, SourceColumnTwice, SourceRowsTooMany, SourceTooLarge, SourceTooSlow,
    SourceEmpty.
    """
    if not columns:
        raise SourceQueryFailed(problem="SELECT …")
    if twice := next((name for at, name in enumerate(columns) if name in columns[:at]), None):
        raise SourceColumnTwice(column=twice)
    limit, until, count = int(wanted.parameters["rows"]), monotonic() + wanted.bounds.seconds, 0
    for batch in rows:
        if monotonic() > until:
            raise SourceTooSlow(allowed=wanted.bounds.seconds)
        count += len(batch)
        if count > limit:
            raise SourceRowsTooMany(rows=limit)
        for row in batch:
            cells = {name: _plain(cell) for name, cell in zip(columns, row, strict=True)}
            into.write(json.dumps(cells, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n")
    if not count:
        raise SourceEmpty(place=str(wanted.parameters.get("database") or wanted.parameters.get("file", "")))


def complaint(problem: object) -> str:
    """What a driver said, on one line."""
    return " ".join(str(problem).split())[:_LONGEST_COMPLAINT]


def _plain(cell: Any) -> Any:
    """A cell as JSON has it: what JSON has no form for is its text, and what is not a number is nothing."""
    if isinstance(cell, str | int | None):
        return cell
    if isinstance(cell, list | tuple):
        return [_plain(one) for one in cell]
    if isinstance(cell, dict):
        return {str(key): _plain(one) for key, one in cell.items()}
    made = next((make for kind, make in _FORMS.items() if isinstance(cell, kind)), str)
    return made(cell)


def _number(cell: Decimal) -> Any:
    """A number where it is the same as one of JSON's, else its text."""
    if not cell.is_finite():
        return None
    if cell == cell.to_integral_value() and abs(cell) < 2**53:
        return int(cell)
    return float(cell) if Decimal(repr(float(cell))) == cell else str(cell)


_FORMS: Mapping[type, Callable[[Any], Any]] = {
    float: lambda cell: cell if math.isfinite(cell) else None,
    Decimal: _number,
    date: lambda cell: cell.isoformat(),  # which a time of day with a date is, too
    time: time.isoformat,
    bytes: bytes.hex,
    bytearray: bytearray.hex,
    memoryview: memoryview.hex,
}
