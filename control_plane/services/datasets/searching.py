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
from control_plane.services.datasets import rows, versions
from control_plane.store.datasets import DatasetVersionRecord

_KEPT = 256  # versions of which it is remembered which checks have marked rows: each page of rows asks

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
    for number, line in _lines(cp, sha256, _as_written(text)):
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


def _lines(cp: ControlPlane, sha256: str, needle: str) -> Iterator[tuple[int, str]]:
    """The lines with the needle, each with its number from 1."""
    with cp.blobs.open(sha256) as file:
        for number, line in enumerate(file, 1):
            text = line.decode()
            if needle and "\\u" in text:  # one sign can be written in two ways
                text = json.dumps(json.loads(text), ensure_ascii=False)
            if not needle or needle in text.casefold():
                yield number, text


def _as_written(text: str) -> str:
    """What a text is inside of JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1].casefold()
