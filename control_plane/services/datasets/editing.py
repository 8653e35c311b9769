"""Rows that somebody changes, adds or takes out: what comes of it is another version, with its author.

Where the version is small it is there at once. The rows of a large one are read by a process of their own
(`large_edits.py`): then there is a draft, which goes on to the version by itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.edits import Edits, edited
from control_plane.domain.errors import EditsEmpty, FieldInvalid, NotFound, RowsInvalid
from control_plane.domain.permissions import Actor, require
from control_plane.domain.rows import check_row, from_messages, with_texts
from control_plane.services.datasets import drafts, json_lines, large_edits, row_index, versions
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord

MOST = 1_000  # edits at once

Row = dict[str, Any]


@dataclass(frozen=True)
class Begun:
    """What comes of edits: the version, or the draft that becomes it."""

    version: DatasetVersionRecord | None = None
    is_reused: bool = False  # the same content was there already
    draft: DatasetDraftRecord | None = None


def begin(
    actor: Actor,
    cp: ControlPlane,
    version_id: int,
    split: str,
    changed: Mapping[int, Row],
    removed: Collection[int] = (),
    added: Sequence[Row] = (),
) -> Begun:
    """Edit rows as `edit` does; those of a large version in a while. Raises as `edit` does, and DraftsTooMany.

    What only all rows together show (HeldOutLeak, DatasetEmpty) is then told by the draft.
    """
    version, edits = _allowed(actor, cp, version_id, split, changed, removed, added)
    if large_edits.is_large(version):
        return Begun(draft=drafts.begin_edit(actor, cp, version, edits))
    made, is_reused = _at_once(actor, cp, version, edits)
    return Begun(made, is_reused)


def edit(
    actor: Actor,
    cp: ControlPlane,
    version_id: int,
    split: str,
    changed: Mapping[int, Row],
    removed: Collection[int] = (),
    added: Sequence[Row] = (),
) -> tuple[DatasetVersionRecord, bool]:
    """A version in which rows of a part (by their numbers from 1) are others, gone, or new at its end.

    With it whether the same content was there already. It is all of the edits or none.
    Raises NotFound, Denied, InTrash, EditsEmpty, FieldInvalid, RowsInvalid (with the row's number as `line`),
    DatasetEmpty, HeldOutLeak, DiskFull.
    """
    return _at_once(actor, cp, *_allowed(actor, cp, version_id, split, changed, removed, added))


def _allowed(
    actor: Actor,
    cp: ControlPlane,
    version_id: int,
    split: str,
    changed: Mapping[int, Row],
    removed: Collection[int],
    added: Sequence[Row],
) -> tuple[DatasetVersionRecord, Edits]:
    """The version, and what is to be done to its rows. Raises as `edit` does of each row by itself."""
    version = versions.get_version(actor, cp, version_id)
    require(actor, "dataset.upload", versions.of_version(actor, cp, version_id)[0].project_id)
    counts = {"train": version.train_rows, "test": version.test_rows}
    if split not in counts:
        raise NotFound
    _limit([*changed, *removed], len(added), counts[split])
    file = f"{split}.jsonl"
    instead = {str(number): _written(version, row, file, number) for number, row in changed.items()}
    new = [_written(version, row, file, number) for number, row in enumerate(added, counts[split] + 1)]
    return version, Edits(split, instead, sorted(removed), new)


def _at_once(
    actor: Actor, cp: ControlPlane, version: DatasetVersionRecord, edits: Edits
) -> tuple[DatasetVersionRecord, bool]:
    parts = {"train": _lines(cp, version.train_sha256), "test": _lines(cp, version.test_sha256)}
    parts[edits.split] = edited(parts[edits.split], edits)
    return json_lines.rewrite(actor, cp, version, parts["train"], parts["test"], large_edits.made_of(version))


def _limit(numbers: Sequence[int], added: int, count: int) -> None:
    """Raises EditsEmpty, FieldInvalid."""
    if not numbers and not added:
        raise EditsEmpty
    if len(numbers) + added > MOST:
        raise FieldInvalid(field="rows", problem=f"≤ {MOST}")
    if twice := [number for number, times in Counter(numbers).items() if times > 1]:
        raise FieldInvalid(field="number", problem=f"2 × {twice[0]}")
    if any(not 1 <= number <= count for number in numbers):
        raise FieldInvalid(field="number", problem=f"1 … {count}")


def _written(version: DatasetVersionRecord, row: Row, file: str, number: int) -> str:
    """A row as it is to be stored. Raises RowsInvalid."""
    try:
        kept = with_texts(from_messages(version.format, row))
        check_row(version.format, kept)
    except RowsInvalid as problem:
        problem.params = {"file": file, "line": number, **problem.params}
        raise
    return json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace").decode()


def _lines(cp: ControlPlane, sha256: str) -> Iterator[bytes]:
    return row_index.lines(cp, sha256) if sha256 else iter(())
