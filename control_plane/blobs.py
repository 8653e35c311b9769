"""Content-addressed storage in a folder: `<sha256[:2]>/<sha256>`. Written whole or not at all.

Between the moment a blob is stored and the commit of the row that names it, nothing names it. Whoever stores one for a
row therefore does both inside `holding`: what is held is never removed. A row's transaction sees to it that the blob is
there (`services/references.py::add`), so the order of storing, naming and removing does not matter. One process alone
uses the folder (its lock is taken at the start), so that holding is a count in memory.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        for part in ("staging", "beside"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._held: Counter[str] = Counter()
        self._doomed: set[str] = set()  # about to be removed, unless somebody holds them
        self._mine = threading.local()  # .held: the list of what this thread's `holding` holds

    @contextmanager
    def holding(self) -> Iterator[None]:
        """What this thread stores inside the block stays until its end, whether it is named by then or not."""
        outer: list[str] | None = getattr(self._mine, "held", None)
        if outer is not None:  # the outer block holds on
            yield
            return
        held = self._mine.held = []
        try:
            yield
        finally:
            self._mine.held = None
            with self._lock:
                self._held.subtract(held)
                self._held = +self._held

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

    def beside(self, sha256: str) -> Path:
        """Where what was worked out from a blob may lie: it goes when the blob goes, and may be worked out again."""
        return self._folder / "beside" / self._place(sha256).name

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
        self._hold(sha256)
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

    def take(self, path: Path, sha256: str) -> None:
        """Like `adopt`, for a file whose hash the caller has verified since its last byte was written."""
        with path.open("rb") as source:
            os.fsync(source.fileno())
        self._move_in(path, sha256)

    def remove(self, sha256: str, is_named: Callable[[str], bool], unused_since: float | None = None) -> int:
        """Delete a blob that is neither held nor named; the bytes that became free, 0 if it stays or is gone already.

        `unused_since`: one that was stored later (seconds since the epoch) stays too.
        """
        place = self._place(sha256)
        with self._lock:
            if self._held[sha256]:
                return 0
            self._doomed.add(sha256)
        is_wanted = is_named(sha256)  # not under the lock: it asks the database
        with self._lock:
            # whoever began to hold it meanwhile, and has perhaps named it since that look, has taken it off the list
            is_wanted = is_wanted or sha256 not in self._doomed
            self._doomed.discard(sha256)
            try:
                found = place.stat()
            except FileNotFoundError:
                return 0
            if is_wanted or (unused_since is not None and found.st_mtime > unused_since):
                return 0
            place.unlink()
            self.beside(sha256).unlink(missing_ok=True)
        return found.st_size

    def every(self, prefix: str) -> list[str]:
        """The sha256 of each blob that begins with the two hexadecimal digits `prefix`."""
        folder = self._folder / prefix
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def staged(self) -> list[Path]:
        """What lies in staging: folders of `staging` and files that are being written, or were when a process died."""
        return sorted((self._folder / "staging").iterdir())

    def require_space(self, size: int) -> None:
        """Raise DiskFull unless `size` more bytes leave the reserve untouched."""
        free = self._free(self._folder)
        if free - size < self._min_free:
            raise DiskFull(needed=size, free=max(0, free - self._min_free))

    def _hold(self, sha256: str) -> None:
        held: list[str] | None = getattr(self._mine, "held", None)
        if held is not None:
            held.append(sha256)
            with self._lock:
                self._held[sha256] += 1
                self._doomed.discard(sha256)

    def _place(self, sha256: str) -> Path:
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise NotFound
        return self._folder / sha256[:2] / sha256

    def _move_in(self, path: Path, sha256: str) -> None:
        place = self._place(sha256)
        self._hold(sha256)
        place.parent.mkdir(exist_ok=True)
        path.chmod(0o600)
        os.utime(path)  # the time since when it is a blob
        path.replace(place)
        folder = os.open(place.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sync(target: BinaryIO) -> None:
    target.flush()
    os.fsync(target.fileno())
