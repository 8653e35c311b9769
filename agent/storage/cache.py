"""The cache of blobs by sha256: read-only files that workspaces link to, the least recently used go first."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import threading
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Cache:
    """`<folder>/<first two digits>/<sha256>`; `<folder>/partial/` holds downloads that are under way."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        (folder / "partial").mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the blob is or would be. Raises ValueError for what is no sha256."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a sha256: {sha256[:80]!r}")
        return self._folder / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether the blob is here; asking marks it as used."""
        try:
            os.utime(self.path(sha256))
        except FileNotFoundError:
            return False
        return True

    def lock(self, sha256: str) -> threading.Lock:
        """Held while a blob is downloaded, so that two attempts fetch it once."""
        with self._guard:
            return self._locks.setdefault(sha256, threading.Lock())

    def partial(self, sha256: str) -> Path:
        """The file of a download under way."""
        return self._folder / "partial" / self.path(sha256).name

    def adopt(self, path: Path, sha256: str) -> None:
        """Take a file that is known to have this hash into the cache by a hard link; it becomes read-only."""
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True)
        path.chmod(0o444)
        with contextlib.suppress(FileExistsError):
            os.link(path, target)
        self.shrink()

    def give(self, sha256: str, target: Path) -> None:
        """Link the blob to `target`. Raises FileNotFoundError when it has gone."""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        os.link(self.path(sha256), target)
        os.utime(target)

    def shrink(self) -> None:
        """Delete the blobs used longest ago until the cache is within its limit; those in use stay."""
        with self._guard:
            found = [(path, path.stat()) for path in self._folder.glob("[0-9a-f][0-9a-f]/*")]
            size = sum(facts.st_size for _, facts in found)
            for path, facts in sorted(found, key=lambda item: item[1].st_mtime):
                if size <= self._limit:
                    break
                if facts.st_nlink == 1:
                    path.unlink()
                    size -= facts.st_size


def digest(path: Path) -> str:
    """sha256 of a file, lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
