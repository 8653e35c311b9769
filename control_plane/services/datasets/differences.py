"""What differs between two versions of a dataset: rows that were added, removed or changed.

A row that is gone and one that is new are one that was changed where they stand at the same place of the same part, or
where they have the same question.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from control_plane.context import ControlPlane
from control_plane.domain.datasets import digest
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor
from control_plane.domain.rows import FORMATS
from control_plane.services.datasets import versions
from control_plane.store.datasets import DatasetVersionRecord

Kind = Literal["added", "removed", "changed"]
Place = tuple[str, int]  # the part, and the row's number in it from 1

Files = tuple[tuple[str, Path], ...]  # the parts of a version that have rows
Found = tuple[Kind, Place | None, Place | None]  # where a row was, and where it is

MOST_ROWS = 200_000  # of a version that are compared

_KEPT = 1  # comparison that is remembered: each page of it asks again, and of large versions it takes megabytes
_ONE_AT_A_TIME = threading.Lock()  # of large versions one takes seconds, and half a kilobyte a row


@dataclass(frozen=True)
class Difference:
    """A row of either version, or of both."""

    kind: Kind
    place: Place  # in the newer version, unless the row was removed
    old: dict[str, Any] | None
    new: dict[str, Any] | None


@dataclass(frozen=True)
class Comparison:
    """How many rows differ, and some of them."""

    counts: dict[Kind, int]
    rows: list[Difference]
    is_cut: bool  # a version has more rows than are compared

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class _Side:
    """What is known of one version's rows: 16 bytes of each, and of its question."""

    contents: dict[Place, bytes]
    questions: dict[Place, bytes]


def compare(actor: Actor, cp: ControlPlane, old_id: int, new_id: int, offset: int = 0, limit: int = 20) -> Comparison:
    """Compare two versions; of the rows that differ, at most `limit` from `offset` on. Raises NotFound."""
    old, new = (versions.get_version(actor, cp, number) for number in (old_id, new_id))
    if old.dataset_id != new.dataset_id:
        raise NotFound
    before, after = _files(cp, old), _files(cp, new)
    with _ONE_AT_A_TIME:
        found = _found(old.format, before, new.format, after)
    counts = Counter(kind for kind, _old, _new in found)
    shown = found[offset : offset + limit]
    old_rows = _rows(before, [place for _kind, place, _ in shown if place])
    new_rows = _rows(after, [place for _kind, _, place in shown if place])
    rows = [
        Difference(kind, now or was or ("", 0), old_rows.get(was) if was else None, new_rows.get(now) if now else None)
        for kind, was, now in shown
    ]
    kinds: tuple[Kind, ...] = ("added", "removed", "changed")
    is_cut = any(one.train_rows + one.test_rows > MOST_ROWS for one in (old, new))
    return Comparison({kind: counts[kind] for kind in kinds}, rows, is_cut)


def _files(cp: ControlPlane, version: DatasetVersionRecord) -> Files:
    """Raises NotFound where the rows were deleted for good."""
    parts = ("train", version.train_sha256), ("test", version.test_sha256)
    return tuple((part, cp.blobs.path(sha256)) for part, sha256 in parts if sha256)


@lru_cache(_KEPT)
def _found(old_format: str, old: Files, new_format: str, new: Files) -> tuple[Found, ...]:
    """The rows that differ. Files are named by their hashes, so it never changes."""
    before, after = _side(old_format, old), _side(new_format, new)
    gone, come = _without(before, after), _without(after, before)
    pairs = _pairs(before, gone, after, come)
    paired = set(pairs.values())
    found: list[Found] = [("changed" if place in pairs else "added", pairs.get(place), place) for place in come]
    return (*found, *(("removed", place, None) for place in gone if place not in paired))


def _side(format: str, files: Files) -> _Side:
    side, fields = _Side({}, {}), FORMATS[format]
    for place, line in islice(_lines(files), MOST_ROWS):
        row = json.loads(line)
        side.contents[place] = digest({name: row.get(name) for name in fields})
        side.questions[place] = digest(_question(row.get(fields[0])))
    return side


def _question(value: Any) -> Any:
    """What stands before the answer: of messages, all but the last."""
    return value[:-1] if isinstance(value, list) else value


def _without(one: _Side, other: _Side) -> list[Place]:
    """The rows of a version that the other one does not have, or not so often."""
    there = Counter(other.contents.values())
    found = []
    for place, content in one.contents.items():
        if there[content]:
            there[content] -= 1
        else:
            found.append(place)
    return found


def _pairs(before: _Side, gone: list[Place], after: _Side, come: list[Place]) -> dict[Place, Place]:
    """New rows and the old ones that they were: by place, then by question."""
    left = dict.fromkeys(gone)
    pairs = {place: place for place in come if place in left}
    for place in pairs:
        left.pop(place)
    by_question: dict[bytes, list[Place]] = {}
    for place in reversed(left):
        by_question.setdefault(before.questions[place], []).append(place)
    for place in come:
        if place not in pairs and (known := by_question.get(after.questions[place])):
            pairs[place] = known.pop()
    return pairs


def _lines(files: Files) -> Iterator[tuple[Place, bytes]]:
    for part, path in files:
        with path.open("rb") as file:
            yield from (((part, number), line) for number, line in enumerate(file, 1))


def _rows(files: Files, places: list[Place]) -> dict[Place, dict[str, Any]]:
    wanted = set(places)
    found: dict[Place, dict[str, Any]] = {}
    for place, line in _lines(files):
        if place in wanted:
            found[place] = json.loads(line)
        if len(found) == len(wanted):
            break
    return found
