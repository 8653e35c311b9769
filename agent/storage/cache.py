"""The cache of blobs by sha256: read-only files that workspaces link to, verified whenever they are given out.

A link shares its file with the cache, so whoever owns the file can alter it through a workspace. What was verified is
remembered with facts that each alteration changes (size, mtime, inode, ctime), and hashed again only where they differ.
Links that the cache itself makes and removes change the ctime as well: then it remembers the new one.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from agent.storage.files import is_plain, open_plain
from agent.storage.state import BlobRow, Store, Unwritable

log = logging.getLogger(__name__)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = 8 << 20  # bytes that are hashed between two ticks
_COARSEST_SECONDS = 2.0  # between two times that a file system tells apart
_READINGS = 3  # of a file that changes while it is read: a link to it came or went


class Cache:
    """`<folder>/<first two digits>/<sha256>`; `<folder>/partial/` holds downloads that are under way."""

    def __init__(self, folder: Path, limit: int, store: Store) -> None:
        self._folder = folder
        self._limit = limit
        self._store = store
        self._verified = {row.sha256: row for row in store.blobs()}
        self._unsaved: set[str] = set()
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        (folder / "partial").mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the blob is or would be. Raises ValueError for what is no sha256."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a sha256: {sha256[:80]!r}")
        return self._folder / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether the blob is here, and as it was when it was verified."""
        with self._guard:
            return self._believed(sha256) is not None

    def verify(self, sha256: str, tick: Callable[[], None]) -> None:
        """Hash the blob unless it is as it was when it was verified; a wrong one is dropped. Its lock is held.

        `tick` is called between pieces and may raise to interrupt.
        """
        path = self.path(sha256)
        if self.has(sha256) or not os.path.lexists(path):
            return
        if is_plain(path):
            path.chmod(0o444)
        row = self._sound(sha256, path, tick)
        with self._guard:
            if row is None:
                log.warning("a cached file is not what it was, and is dropped: %s", sha256)
                path.unlink(missing_ok=True)
            self._note(sha256, row)
            self._save()

    def lock(self, sha256: str) -> threading.Lock:
        """Held while a blob is verified or downloaded, so that two attempts do it once."""
        with self._guard:
            return self._locks.setdefault(sha256, threading.Lock())

    def partial(self, sha256: str) -> Path:
        """The file of a download under way."""
        return self._folder / "partial" / self.path(sha256).name

    def take(self, sha256: str, tick: Callable[[], None]) -> None:
        """Move a complete download into the cache if its hash is right; else it is dropped."""
        partial, target = self.partial(sha256), self.path(sha256)
        row = self._sound(sha256, partial, tick)
        if row is None:
            partial.unlink()
            return
        target.parent.mkdir(exist_ok=True)
        with self._guard:
            partial.replace(target)
            target.chmod(0o444)
            self._note(sha256, _renewed(row, target))
            self._save()
        self.shrink()

    def adopt(self, path: Path, sha256: str) -> None:
        """Link a file that should have this hash into the cache; it becomes read-only, and is verified when wanted."""
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True)
        path.chmod(0o444)
        with suppress(FileExistsError):
            os.link(path, target)
        self.shrink()

    def give(self, links: Mapping[Path, str]) -> None:
        """Link verified blobs to where they are wanted. Raises FileNotFoundError for one that is not, or no longer."""
        with self._guard:
            for target, sha256 in links.items():
                target.parent.mkdir(parents=True, exist_ok=True)
                self._unlink(target)
                row, source = self._believed(sha256), self.path(sha256)
                if row is None:
                    raise FileNotFoundError(errno.ENOENT, "not in the cache, or altered", str(source))
                os.link(source, target)
                self._note(sha256, _renewed(row._replace(used=time.time()), source))
            self._save()

    def clear(self, folder: Path) -> None:
        """Delete a workspace. That its links go is no alteration of the blobs."""
        with self._guard:
            for place, _, names in os.walk(folder):
                for name in names:
                    with suppress(OSError):
                        self._unlink(Path(place, name))
            self._save()
        shutil.rmtree(folder, ignore_errors=True)

    def shrink(self, unused_since: float = 0.0) -> int:
        """Delete blobs not used since then, and those used longest ago until the cache is within its limit.

        Those in use stay. The bytes that this freed.
        """
        with self._guard:
            found = [(path, path.lstat()) for path in self._folder.glob("[0-9a-f][0-9a-f]/*")]
            size = before = sum(facts.st_size for _, facts in found)
            for path, facts in sorted(found, key=lambda item: self._last_use(*item)):
                if size <= self._limit and self._last_use(path, facts) >= unused_since:
                    break
                if facts.st_nlink == 1:
                    path.unlink()
                    size -= facts.st_size
                    self._note(path.name, None)
            self._save()
        return before - size

    def _sound(self, sha256: str, path: Path, tick: Callable[[], None]) -> BlobRow | None:
        """The facts of a file that has this hash and did not change while it was read, else None."""
        for _ in range(_READINGS if is_plain(path) else 0):
            before = _facts(sha256, path)
            if digest(path, tick) != sha256:
                return None
            if (row := _facts(sha256, path)) == before:
                return row._replace(used=time.time())
        return None

    def _believed(self, sha256: str) -> BlobRow | None:
        """What was remembered, if the file is still like that. The guard is held, here and below."""
        row, path = self._verified.get(sha256), self.path(sha256)
        if row is not None:
            with suppress(FileNotFoundError):
                return row if _facts(sha256, path)._replace(used=row.used) == row else None
        return None

    def _unlink(self, path: Path) -> None:
        """Remove a link; the facts of a blob that was as remembered are remembered anew."""
        if not os.path.lexists(path):
            return
        facts = path.lstat()
        sharing = self._verified.values() if facts.st_nlink > 1 else ()
        found = next((row for row in sharing if row.inode == facts.st_ino), None)
        row = self._believed(found.sha256) if found else None
        path.unlink()
        if row is not None:
            self._note(row.sha256, _renewed(row, self.path(row.sha256)))

    def _last_use(self, path: Path, facts: os.stat_result) -> float:
        row = self._verified.get(path.name)
        return row.used if row is not None else facts.st_mtime

    def _note(self, sha256: str, row: BlobRow | None) -> None:
        if row is None:
            self._verified.pop(sha256, None)
        else:
            self._verified[sha256] = row
        self._unsaved.add(sha256)

    def _save(self) -> None:
        changed, self._unsaved = self._unsaved, set()
        rows = [self._verified[sha256] for sha256 in changed if sha256 in self._verified]
        self._outlast(max((row.ctime_ns for row in rows), default=0))
        with suppress(Unwritable):  # what is not written down is hashed once more by the next agent
            self._store.keep_blobs(rows, changed - self._verified.keys())

    def _outlast(self, ctime_ns: int) -> None:
        """Return when the next change of a file has a later ctime: some file systems count in milliseconds."""
        probe, until = self._folder / "partial" / "clock", time.monotonic() + _COARSEST_SECONDS
        while ctime_ns and time.monotonic() < until:  # a clock that was set back is not waited for
            probe.touch()
            if probe.stat().st_ctime_ns > ctime_ns:
                return
            time.sleep(0.001)


def digest(path: Path, tick: Callable[[], None]) -> str:
    """sha256 of a plain file, lower-case hexadecimal. `tick` is called between pieces and may raise to interrupt."""
    found = hashlib.sha256()
    with open_plain(path) as file:
        while piece := file.read(_PIECE):
            found.update(piece)
            tick()
    return found.hexdigest()


def _facts(sha256: str, path: Path) -> BlobRow:
    facts = path.lstat()
    return BlobRow(sha256, facts.st_size, facts.st_mtime_ns, facts.st_ino, facts.st_ctime_ns, 0.0)


def _renewed(row: BlobRow, path: Path) -> BlobRow | None:
    """The facts after a link or a name of the file changed; None if anything else did."""
    now = _facts(row.sha256, path)._replace(used=row.used)
    return now if now._replace(ctime_ns=row.ctime_ns) == row else None
