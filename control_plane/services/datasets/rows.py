"""The rows of a version: a page of them, and those that it was saved without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor
from control_plane.services.datasets import row_index, versions

LEFT_OUT = "left_out"

_MOST = 200  # rows of one page


def page(
    actor: Actor, cp: ControlPlane, version_id: int, split: str = "train", offset: int = 0, limit: int = 20
) -> list[dict[str, Any]]:
    """At most 200 rows of a part of a version, from row `offset` (0 is the first). Raises NotFound.

    The parts are `train`, `test`, and `left_out`: faulty rows as {"file", "line", "row"}, each row's text as it was.
    """
    version = versions.get_version(actor, cp, version_id)
    parts = {
        "train": (version.train_sha256, version.train_rows),
        "test": (version.test_sha256, version.test_rows),
        LEFT_OUT: (version.left_out_sha256, version.left_out_rows),
    }
    if split not in parts:
        raise NotFound
    sha256, count = parts[split]
    if not sha256:
        return []
    first = max(0, min(offset, count))
    return [json.loads(line) for line in row_index.lines(cp, sha256, first, max(0, min(limit, _MOST)))]


def left_out(actor: Actor, cp: ControlPlane, version_id: int) -> Iterator[str]:
    """The text of each faulty row that a version was saved without, with its newline. Raises NotFound."""
    version = versions.get_version(actor, cp, version_id)
    return _texts(cp, version.left_out_sha256) if version.left_out_sha256 else iter(())


def _texts(cp: ControlPlane, sha256: str) -> Iterator[str]:
    with cp.blobs.open(sha256) as file:
        yield from (json.loads(line)["row"] + "\n" for line in file)
