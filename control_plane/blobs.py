"""Content-addressed storage in a folder: `<sha256[:2]>/<sha256>`. Written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from control_plane.domain.errors import ChunkCorrupt, DiskFull, NotFound

_SLICE = 1 << 20  # bytes read at once


class Blobs:
    """Blobs under `folder`. `min_free` bytes of its disk are never used up: writes raise DiskFull before."""

    def __init__(self, folder: Path, min_free: int = 0, free: Callable[[Path], int] | None = None) -> None:
        self._folder = folder
        self._min_free = min_free
        self._free = free or (lambda path: shutil.disk_usage(path).free)
        (folder / "staging").mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where a blob lies. Raises NotFound."""
        path = self._place(sha256)
        if not path.is_file():
            raise NotFound
        return path

    def has(self, sha256: str) -> bool:
        return self._place(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Bytes of a blob. Raises NotFound."""
        return self.path(sha256).stat().st_size

    def open(self, sha256: str) -> BinaryIO:
        """A blob, for reading. Raises NotFound."""
        return self.path(sha256).open("rb")

    def put(self, stream: BinaryIO) -> tuple[str, int]:
        """Store what `stream` still holds; its sha256 and its bytes. Raises DiskFull."""
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=self._folder / "staging")
        try:
            with os.fdopen(handle, "wb") as target:
                while data := stream.read(_SLICE):
                    self.require_space(len(data))
                    digest.update(data)
                    size += len(data)
                    target.write(data)
                _sync(target)
            self._move_in(Path(name), digest.hexdigest())
        finally:
            Path(name).unlink(missing_ok=True)
        return digest.hexdigest(), size

    def put_bytes(self, data: bytes) -> str:
        """Store `data`; its sha256. Raises DiskFull."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.has(sha256):
            self.require_space(len(data))
            handle, name = tempfile.mkstemp(dir=self._folder / "staging")
            with os.fdopen(handle, "wb") as target:
                target.write(data)
                _sync(target)
            self._move_in(Path(name), sha256)
        return sha256

    def staging(self, name: str) -> Path:
        """A folder of its own on the same file system, made if absent; the caller removes it."""
        path = self._folder / "staging" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def adopt(self, path: Path, sha256: str) -> None:
        """Take over the file at `path`, which must be on this file system. Raises ChunkCorrupt if its hash differs."""
        with path.open("rb") as source:
            if hashlib.file_digest(source, "sha256").hexdigest() != sha256:
                raise ChunkCorrupt
            os.fsync(source.fileno())
        self._move_in(path, sha256)

    def remove(self, sha256: str) -> None:
        """Delete a blob that nothing names any more; one that is gone already is fine."""
        self._place(sha256).unlink(missing_ok=True)

    def require_space(self, size: int) -> None:
        """Raise DiskFull unless `size` more bytes leave the reserve untouched."""
        free = self._free(self._folder)
        if free - size < self._min_free:
            raise DiskFull(needed=size, free=max(0, free - self._min_free))

    def _place(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise NotFound
        return self._folder / sha256[:2] / sha256

    def _move_in(self, path: Path, sha256: str) -> None:
        place = self._place(sha256)
        place.parent.mkdir(exist_ok=True)
        path.chmod(0o640)
        path.replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sync(target: BinaryIO) -> None:
    target.flush()
    os.fsync(target.fileno())
