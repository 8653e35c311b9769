"""A line of JSON as `domain/datasets.py::read_row` reads it, several times as fast where nothing is odd about it.

orjson reads it, which is as strict as Python's parser is made there, but for three things: it takes the last of two
fields of one name, reads whole numbers beyond 64 bits as others, and goes deeper. So each text that is written must be
in the row, the names of fields included. A row that may have one of the three, or that orjson refuses, is read once
more by `read_row`, which knows what is wrong.
"""

from __future__ import annotations

from typing import Any

import orjson

from control_plane.domain.datasets import DEEPEST, read_row

_LARGE = 1e18  # numbers from here on may have been whole ones that are rounded now
_NEVER = 1 << 40  # texts that no row has
_TEXTS = {str}


def row_of(text: bytes) -> dict[str, Any]:
    """One line as an object. Raises a RowsInvalid that lacks `file` and `line`."""
    try:
        row = orjson.loads(text)
    except ValueError:
        return read_row(text)
    if type(row) is dict:
        marks = text.count(b'"') if b"\\" not in text else _quotation_marks(text)
        if set(map(type, row.values())) == _TEXTS:  # as in most rows
            is_as_written = marks == 4 * len(row)
        else:
            is_as_written = text.count(b"{") + text.count(b"[") <= DEEPEST and marks == 2 * _texts(row)
        if is_as_written:
            return row
    return read_row(text)


def _texts(value: Any) -> int:
    """How many texts are in a value, the names of fields included."""
    kind = type(value)
    if kind is str:
        return 1
    if kind is dict:
        return len(value) + sum(map(_texts, value.values()))
    if kind is list:
        return sum(map(_texts, value))
    return _NEVER if kind is float and not -_LARGE < value < _LARGE else 0


def _quotation_marks(text: bytes) -> int:
    """How many begin or end a text of this sound JSON: those without a backslash that is not itself behind one."""
    if b"\\\\" in text:
        text = text.replace(b"\\\\", b"")
    return text.count(b'"') - text.count(b'\\"')
