"""The file that a connector writes: counted, bounded, and told of."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from control_plane.domain.errors import SourceTooLarge

_BUFFER = 1 << 20  # bytes


class File:
    """A `domain/connectors.py::Sink` on the disk."""

    def __init__(self, path: Path, limit: int, tell: Callable[[int, int], None]) -> None:
        self._limit, self._tell = limit, tell
        self._file: BinaryIO = path.open("wb", buffering=_BUFFER)
        self._of = self.size = 0

    def __enter__(self) -> File:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: object, trace: TracebackType | None) -> None:
        if kind is None:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()

    def expect(self, size: int) -> None:
        """Raises SourceTooLarge."""
        if size > self._limit:
            raise SourceTooLarge(limit=self._limit)
        self._of = max(0, size)

    def write(self, data: bytes) -> None:
        """Raises SourceTooLarge before more than the limit is written."""
        if self.size + len(data) > self._limit:
            raise SourceTooLarge(limit=self._limit)
        self._file.write(data)
        self.size += len(data)
        self._tell(self.size, max(self._of, self.size))
