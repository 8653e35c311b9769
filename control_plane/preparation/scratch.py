"""The rows as they were read, on the disk until all were: whole ones for a save, else as much as an excerpt shows."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson

from control_plane.preparation.blocks import Block, strings_of
from control_plane.preparation.findings import LOOKED_AT

_BUFFER = 1 << 20  # bytes


class Scratch:
    """A file with a line a row; `whole` rows are JSON, excerpts are text."""

    def __init__(self, folder: Path, whole: bool) -> None:
        self._whole = whole
        self._file = (folder / "scratch").open("w+b", buffering=_BUFFER)
        self._sizes = array("I")

    def add(self, block: Block) -> None:
        """The next rows."""
        lines = block.texts if self._whole else [begin_of(strings).encode() for strings in block.strings]
        self._file.write(b"\n".join([*lines, b""]))
        self._sizes.extend(map(len, lines))

    def lines(self) -> Iterator[list[bytes]]:
        """Each row that was added, with its line feed; about a megabyte of them at once."""
        self._file.seek(0)
        while some := self._file.readlines(_BUFFER):
            yield some

    def begins(self, rows: list[int]) -> list[str]:
        """The beginning of the texts of each of these rows."""
        sizes = np.frombuffer(self._sizes, np.uint32)
        ends = np.cumsum(sizes, dtype=np.int64) + np.arange(1, len(sizes) + 1)
        return [self._begin(int(ends[row] - sizes[row]) - 1, int(sizes[row])) for row in rows]

    def close(self) -> None:
        """Forget them."""
        self._file.close()
        Path(self._file.name).unlink()

    def _begin(self, at: int, size: int) -> str:
        self._file.seek(at)
        line = self._file.read(size)
        return begin_of(strings_of(orjson.loads(line))) if self._whole else line.decode()


def begin_of(strings: Sequence[str]) -> str:
    """The beginning of a row's texts, as much of it as is looked at for an excerpt."""
    found = strings[0][:LOOKED_AT] if strings else ""
    for text in strings[1:]:
        if len(found) >= LOOKED_AT:
            break
        found += f" · {text[:LOOKED_AT]}"
    return found[:LOOKED_AT].replace("\n", " ")
