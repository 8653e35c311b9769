"""Rows of a version that hold some text, or that a check has found: looked for row by row, no index is kept.

A search takes no longer than a page may: it ends after so many bytes, says how far it got, and goes on from there.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor
from control_plane.domain.rows import FORMATS, ROLES
from control_plane.services.datasets import row_index, rows, versions
from control_plane.store.datasets import DatasetVersionRecord

_KEPT = 256  # versions of which it is remembered which checks have marked rows: each page of rows asks
_KEPT_MARKS = 8  # checks of a version of which it is remembered which rows they have marked: each page of them asks
_MOST_BYTES = 32 << 20  # of rows that are looked through at once

# what stands in rows beside their texts; a quotation mark of a text is never written like one of these
_OF_CALLS = ("tool_calls", "type", "function", "name", "arguments", "id")
_SHAPE = json.dumps([*FORMATS.values(), *ROLES, "role", "content", *_OF_CALLS]) + json.dumps(
    {"": {"": [True, False, None]}}
)

Numbered = tuple[int, dict[str, Any]]  # a row with its number, from 1


@dataclass(frozen=True)
class Found:
    """Rows that are as sought."""

    rows: list[Numbered]
    total: int  # how many there are among those that were looked through
    after: int = 0  # the number of the last one that was, where others follow


def find(
    actor: Actor,
    cp: ControlPlane,
    version_id: int,
    split: str,
    text: str = "",
    check: str = "",
    offset: int = 0,
    limit: int = 20,
    after: int = 0,
) -> Found:
    """At most `limit` of the rows behind row `after` with this text, in any case, that this check has marked.

    Raises NotFound.
    """
    version = versions.get_version(actor, cp, version_id)
    parts = {"train": (version.train_sha256, version.train_rows), "test": (version.test_sha256, version.test_rows)}
    if split not in parts:
        raise NotFound
    sha256, count = parts[split]
    if not sha256:
        return Found([], 0)
    if not text and not check:
        some = rows.page(actor, cp, version_id, split, offset, limit)
        return Found(list(enumerate(some, offset + 1)), count)
    wanted = marked(cp, version, split, check) if check else None
    if wanted is not None and not text:
        page = wanted[max(0, offset) :][: max(0, limit)]
        return Found([(number, _row(cp, sha256, number)) for number in page], len(wanted))
    among = None if wanted is None else frozenset(wanted)
    return _with_text(cp, sha256, text.casefold(), among, slice(offset, offset + limit), after)


def marked(cp: ControlPlane, version: DatasetVersionRecord, split: str, check: str) -> array[int]:
    """The numbers, from 1 and in order, of the kept rows that a check has found."""
    if not version.marks_sha256:
        return array("I")
    return _marked(cp.blobs.path(version.marks_sha256), split, check)


@lru_cache(_KEPT_MARKS)
def _marked(marks: Path, split: str, check: str) -> array[int]:
    """The file is named by its hash, so it never changes."""
    return array("I", (one["row"] + 1 for one in _marks(marks) if one["split"] == split and check in one["checks"]))


def checks(cp: ControlPlane, version: DatasetVersionRecord) -> list[str]:
    """The checks that have found rows which were kept."""
    return list(_checks(cp.blobs.path(version.marks_sha256))) if version.marks_sha256 else []


@lru_cache(_KEPT)
def _checks(marks: Path) -> tuple[str, ...]:
    """The file is named by its hash, so it never changes."""
    return tuple(dict.fromkeys(check for mark in _marks(marks) for check in mark["checks"]))


def _marks(marks: Path) -> Iterator[dict[str, Any]]:
    with marks.open("rb") as file:
        yield from map(json.loads, file)


def _row(cp: ControlPlane, sha256: str, number: int) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(next(row_index.lines(cp, sha256, number - 1, 1)))
    return row


def _with_text(
    cp: ControlPlane, sha256: str, sought: str, among: frozenset[int] | None, page: slice, after: int
) -> Found:
    """The rows behind row `after` with the sought text (casefolded), as many as can be looked through at once."""
    found: list[Numbered] = []
    total, taken = 0, 0
    holds = _Holding(sought)
    for number, line in enumerate(row_index.lines(cp, sha256, after), max(0, after) + 1):
        if taken > _MOST_BYTES:
            return Found(found, total, number - 1)
        taken += len(line)
        if (among is None or number in among) and holds(line):
            if page.start <= total < page.stop:
                found.append((number, json.loads(line)))
            total += 1
    return Found(found, total)


class _Holding:
    """Says of a line whether its row holds the sought text (casefolded)."""

    def __init__(self, sought: str) -> None:
        self._sought = sought
        self._needle = json.dumps(sought, ensure_ascii=False)[1:-1]  # as it is written inside of JSON
        self._is_of_shape = self._needle in _SHAPE

    def __call__(self, line: bytes) -> bool:
        text = line.decode()
        if "\\u" in text:  # one sign can be written in two ways
            text = json.dumps(json.loads(text), ensure_ascii=False)
        if self._needle not in text.casefold():
            return False
        may_be_none = self._is_of_shape or "\\" in text  # a field's name, or the letter of an escape
        return not may_be_none or _holds(json.loads(text), self._sought)


def _holds(value: Any, sought: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(part, sought) for name, part in value.items() if name != "role")
    if isinstance(value, list):
        return any(_holds(part, sought) for part in value)
    return sought in (value if isinstance(value, str) else json.dumps(value)).casefold()
