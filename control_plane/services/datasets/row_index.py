"""Where rows begin in a file of them: each sixteenth one's offset, kept beside the blob, so that a page costs a seek.

It is worked out when a version is made, and for an older one when somebody first looks at its rows.
"""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from control_plane.context import ControlPlane

_EVERY = 16  # rows from one known offset to the next
_OFFSET = 8  # bytes of one


def lines(cp: ControlPlane, sha256: str, first: int = 0, count: int | None = None) -> Iterator[bytes]:
    """At most `count` lines of a blob from line `first` on (0 is the first). Raises NotFound."""
    known, rest = divmod(max(0, first), _EVERY)
    with cp.blobs.open(sha256) as file:
        if known:
            file.seek(_offset(cp, sha256, known))
        yield from islice(file, rest, None if count is None else rest + count)


def ensure(cp: ControlPlane, sha256: str) -> Path:
    """The index of a blob, made if there is none. Raises NotFound, DiskFull."""
    place = cp.blobs.beside(sha256)
    if not place.is_file():
        cp.blobs.require_space(0)
        handle, name = tempfile.mkstemp(dir=place.parent)
        with os.fdopen(handle, "wb") as target:
            _offsets(cp, sha256).tofile(target)
        Path(name).replace(place)
    return place


def _offsets(cp: ControlPlane, sha256: str) -> array[int]:
    offsets, at = array("Q"), 0
    with cp.blobs.open(sha256) as file:
        for number, line in enumerate(file):
            if number % _EVERY == 0:
                offsets.append(at)
            at += len(line)
    return offsets


def _offset(cp: ControlPlane, sha256: str, known: int) -> int:
    """Where the `known`th of the indexed lines begins; the file's end where there are not so many."""
    with ensure(cp, sha256).open("rb") as index:
        index.seek(known * _OFFSET)
        found = index.read(_OFFSET)
    return array("Q", found)[0] if len(found) == _OFFSET else cp.blobs.size(sha256)
