"""Which rows one version would ask that another one has taught."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.datasets import digest
from control_plane.domain.rows import FORMATS
from control_plane.store.datasets import DatasetVersionRecord

_KEPT = 64  # pairs that are remembered: whoever fills in a form asks more than once


def shared(cp: ControlPlane, learnt: DatasetVersionRecord, asked: DatasetVersionRecord) -> tuple[int, ...]:
    """The numbers (from 1) of the held-out rows of `asked` that are among the training rows of `learnt`.

    None of what was deleted for good: nobody can tell any more. Raises NotFound where what is asked was.
    """
    if learnt.format != asked.format or not asked.test_sha256 or not cp.blobs.has(learnt.train_sha256):
        return ()
    return _shared(learnt.format, cp.blobs.path(learnt.train_sha256), cp.blobs.path(asked.test_sha256))


@lru_cache(_KEPT)
def _shared(format: str, learnt: Path, asked: Path) -> tuple[int, ...]:
    """What the two files have in common; they are named by their hashes, so it never changes."""
    wanted = list(_digests(format, asked))
    there = set(wanted)
    met = {digest for digest in _digests(format, learnt) if digest in there}
    return tuple(number for number, digest in enumerate(wanted, 1) if digest in met)


def _digests(format: str, path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for line in file:
            row: dict[str, Any] = json.loads(line)
            yield digest([row.get(name) for name in FORMATS[format]])
