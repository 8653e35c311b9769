"""Rows of a version that hold some text, or that a check has found: looked for row by row, no index is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor
from control_plane.domain.rows import FORMATS, ROLES
from control_plane.services.datasets import rows, versions
from control_plane.store.datasets import DatasetVersionRecord

_KEPT = 256  # versions of which it is remembered which checks have marked rows: each page of rows asks

# what stands in rows beside their texts; a quotation mark of a text is never written like one of these
_SHAPE = json.dumps([*FORMATS.values(), *ROLES, "role", "content"]) + json.dumps({"": {"": [True, False, None]}})

Numbered = tuple[int, dict[str, Any]]  # a row with its number, from 1


def find(
    actor: Actor,
    cp: ControlPlane,
    version_id: int,
    split: str,
    text: str = "",
    check: str = "",
    offset: int = 0,
    limit: int = 20,
) -> tuple[list[Numbered], int]:
    """At most `limit` of the rows with this text, in any case, that this check has marked; with it how many there are.

    Raises NotFound.
    """
    version = versions.get_version(actor, cp, version_id)
    parts = {"train": (version.train_sha256, version.train_rows), "test": (version.test_sha256, version.test_rows)}
    if split not in parts:
        raise NotFound
    sha256, count = parts[split]
    if not sha256:
        return [], 0
    if not text and not check:
        some = rows.page(actor, cp, version_id, split, offset, limit)
        return list(enumerate(some, offset + 1)), count
    wanted = marked(cp, version, split, check) if check else None
    found: list[Numbered] = []
    total = 0
    for number, line in _lines(cp, sha256, text.casefold()):
        if wanted is not None and number not in wanted:
            continue
        if offset <= total < offset + limit:
            found.append((number, json.loads(line)))
        total += 1
    return found, total


def marked(cp: ControlPlane, version: DatasetVersionRecord, split: str, check: str) -> set[int]:
    """The numbers, from 1, of the kept rows that a check has found."""
    if not version.marks_sha256:
        return set()
    marks = _marks(cp.blobs.path(version.marks_sha256))
    return {mark["row"] + 1 for mark in marks if mark["split"] == split and check in mark["checks"]}


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


def _lines(cp: ControlPlane, sha256: str, sought: str) -> Iterator[tuple[int, str]]:
    """The lines with the sought text (casefolded), each with its number from 1."""
    needle = json.dumps(sought, ensure_ascii=False)[1:-1]  # as it is written inside of JSON
    is_of_shape = needle in _SHAPE
    with cp.blobs.open(sha256) as file:
        for number, line in enumerate(file, 1):
            text = line.decode()
            if needle and "\\u" in text:  # one sign can be written in two ways
                text = json.dumps(json.loads(text), ensure_ascii=False)
            if not needle:
                yield number, text
            elif needle in text.casefold():
                may_be_none = is_of_shape or "\\" in text  # a field's name, or the letter of an escape
                if not may_be_none or _holds(json.loads(text), sought):
                    yield number, text


def _holds(value: Any, sought: str) -> bool:
    if isinstance(value, dict):
        return any(_holds(part, sought) for name, part in value.items() if name != "role")
    if isinstance(value, list):
        return any(_holds(part, sought) for part in value)
    return sought in (value if isinstance(value, str) else json.dumps(value)).casefold()
