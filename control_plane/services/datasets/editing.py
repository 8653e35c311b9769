"""Rows that somebody changes, adds or takes out: what comes of it is another version, with its author."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import generated
from control_plane.domain.errors import EditsEmpty, FieldInvalid, NotFound, RowsInvalid
from control_plane.domain.permissions import Actor, require
from control_plane.domain.rows import check_row, from_messages, with_texts
from control_plane.services.datasets import json_lines, row_index, versions
from control_plane.store.datasets import DatasetVersionRecord

MOST = 1_000  # edits at once

Row = dict[str, Any]


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
    version = versions.get_version(actor, cp, version_id)
    require(actor, "dataset.upload", versions.of_version(actor, cp, version_id)[0].project_id)
    counts = {"train": version.train_rows, "test": version.test_rows}
    if split not in counts:
        raise NotFound
    _limit([*changed, *removed], len(added), counts[split])
    file = f"{split}.jsonl"
    instead = {number: _line(version, row, file, number) for number, row in changed.items()}
    new = [_line(version, row, file, number) for number, row in enumerate(added, counts[split] + 1)]
    parts = {"train": _lines(cp, version.train_sha256), "test": _lines(cp, version.test_sha256)}
    parts[split] = _edited(parts[split], instead, set(removed), new)
    how = json_lines.Rewritten("dataset.edit", {"edited_from": version.id})
    return json_lines.rewrite(actor, cp, version, parts["train"], parts["test"], how)


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


def _line(version: DatasetVersionRecord, row: Row, file: str, number: int) -> bytes:
    """A row as it is to be stored. Raises RowsInvalid."""
    try:
        kept = with_texts(from_messages(version.format, row))
        check_row(version.format, kept)
    except RowsInvalid as problem:
        problem.params = {"file": file, "line": number, **problem.params}
        raise
    return json.dumps(kept, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _lines(cp: ControlPlane, sha256: str) -> Iterator[bytes]:
    return row_index.lines(cp, sha256) if sha256 else iter(())


def _edited(
    lines: Iterator[bytes], instead: Mapping[int, bytes], removed: set[int], new: list[bytes]
) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        if number not in removed:
            yield generated.kept(line, instead[number]) if number in instead else line
    yield from new
