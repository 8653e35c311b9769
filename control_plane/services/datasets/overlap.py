"""Which rows one version would ask that another one has taught, in whichever formats the two are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.datasets import digest
from control_plane.domain.rows import FORMATS, PREFERENCE
from control_plane.store.datasets import DatasetVersionRecord

_KEPT = 64  # pairs that are remembered: whoever fills in a form asks more than once


def shared(cp: ControlPlane, learnt: DatasetVersionRecord, asked: DatasetVersionRecord) -> tuple[int, ...]:
    """The numbers (from 1) of the held-out rows of `asked` that are among the training rows of `learnt`.

    None of what was deleted for good: nobody can tell any more. Raises NotFound where what is asked was.
    """
    if not asked.test_sha256 or not cp.blobs.has(learnt.train_sha256):
        return ()
    taught, wanted = cp.blobs.path(learnt.train_sha256), cp.blobs.path(asked.test_sha256)
    return _shared(learnt.format, taught, asked.format, wanted)


@lru_cache(_KEPT)
def _shared(learnt_format: str, learnt: Path, asked_format: str, asked: Path) -> tuple[int, ...]:
    """What the two files have in common; they are named by their hashes, so it never changes."""
    wanted = list(_digests(asked_format, asked))
    there = set(wanted)
    met = {digest for digest in _digests(learnt_format, learnt) if digest in there}
    return tuple(number for number, digest in enumerate(wanted, 1) if digest in met)


def _digests(format: str, path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            row: dict[str, Any] = json.loads(line)
            yield digest(_content(format, row))


def _content(format: str, row: dict[str, Any]) -> list[Any]:
    """What a row says: of all formats with a question, that and the answer that is to be given."""
    if "messages" in FORMATS[format]:
        *before, last = row["messages"]
        return [_question(before), last.get("content")]
    names = ("prompt", "chosen") if format == PREFERENCE else FORMATS[format][:2]
    return [_question(row.get(names[0])), *(row.get(name) for name in names[1:])]


def _question(given: Any) -> Any:
    """A single question as its text, whether it came as a message or not."""
    is_one = isinstance(given, list) and len(given) == 1 and given[0].get("role") == "user"
    return given[0].get("content") if is_one else given
