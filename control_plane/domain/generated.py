"""The mark of rows that a model has made. It stands in the row itself, so that it goes wherever the row goes.

`{"prompt": …, "generated": {"key", "version", "row", "by", "model"}}`: `key` tells the row that it was made from by its
content (`domain/datasets.py::Scan.keys`, hexadecimal), `version` and `row` where that stood (the id of the dataset
version, the number from 1 among its training rows), `by` and `model` who made it (the asked one's kind and name, the
hash of its model). Whoever brings rows of another program's making writes `"generated": true` (a table: a word).

Such rows are learnt from and never held out: an examination with questions that a model made up measures the model.
Nor is the row that one was made from, as its variation would give it away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from control_plane.domain.errors import RowFieldTypeWrong

FIELD = "generated"

Mark = dict[str, Any] | bool

_MADE = ("true", "1", "yes", "ja", "wahr", "是", "真")
_NOT_MADE = ("", "false", "0", "no", "nein", "falsch", "否", "假")

_WRITTEN = b'"generated"'  # no row without it has a mark; an escaped one is none of ours


def mark_of(row: Mapping[str, Any]) -> Mark | None:
    """What says that a model made the row; None where nothing does, or nothing that is understood."""
    try:
        return checked_mark_of(row)
    except RowFieldTypeWrong:
        return None


def checked_mark_of(row: Mapping[str, Any]) -> Mark | None:
    """What says that a model made the row, of a table by a word or by the mark's JSON text; None where nothing does.

    Raises RowFieldTypeWrong where something else stands there: what may be a model's examines nobody.
    """
    value = row.get(FIELD)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, dict) and isinstance(value.get("by"), str):
        return value
    if value in (None, {}, []):
        return None
    word = str(value).strip().lower().removesuffix(".0") if isinstance(value, str | bool | int | float) else None
    if word not in _MADE + _NOT_MADE:
        raise RowFieldTypeWrong(field=FIELD, expected="true / false")
    return True if word in _MADE else None


def marked(row: Mapping[str, Any], key: bytes, version: int, number: int, by: str, model: str) -> dict[str, Any]:
    """The row with its mark."""
    return {**row, FIELD: {"key": key.hex(), "version": version, "row": number, "by": by, "model": model}}


def source_of(mark: Mark) -> bytes:
    """The key of the row that it was made from; empty where the mark does not say."""
    written = mark.get("key") if isinstance(mark, dict) else None
    try:
        return bytes.fromhex(written) if isinstance(written, str) else b""
    except ValueError:
        return b""


def kept(old: bytes, new: bytes) -> bytes:
    """A line that takes another one's place, with the mark that the other one has."""
    mark = mark_of(json.loads(old)) if _WRITTEN in old else None
    if mark is None:
        return new
    return json.dumps(json.loads(new) | {FIELD: mark}, ensure_ascii=False).encode() + b"\n"


def never_held_out(keys: Sequence[bytes], groups: Sequence[bytes], marks: Mapping[int, Mark]) -> frozenset[bytes]:
    """The groups of rows that were made (`marks` by their places), and of those that they were made from."""
    sources = {source_of(mark) for mark in marks.values()}
    if not marks:
        return frozenset()
    return frozenset(
        group for place, (key, group) in enumerate(zip(keys, groups, strict=True)) if place in marks or key in sources
    )
