"""Files that are whole or not there, locks that die with their holder, and paths that stay inside their folder."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO


class PathUnsafe(ValueError):
    """A relative path would lead out of its folder."""


def inside(folder: Path, relative: str) -> Path:
    """`folder / relative`. Raises PathUnsafe for absolute paths, `..`, backslashes and control characters."""
    parts = PurePosixPath(relative).parts
    bad = not parts or relative.startswith("/") or "\\" in relative or ".." in parts or len(relative) > 1000
    if bad or any(ord(character) < 32 for character in relative):
        raise PathUnsafe(relative[:200])
    return folder.joinpath(*parts)


def open_plain(path: Path) -> BinaryIO:
    """Open a file that a trainer may have put there, for reading. Raises OSError for a link, a pipe or a folder."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no plain file")
    return os.fdopen(descriptor, "rb")


def link_plain(folder: Path, relative: str, target: Path) -> None:
    """Hard link the plain file at `relative` in a folder that a trainer may change meanwhile.

    Raises OSError where the file or a folder on the way to it is a link, or is no plain file.
    """
    *parents, name = PurePosixPath(relative).parts
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for part in parents:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inner
        os.link(name, target, src_dir_fd=here, follow_symlinks=False)
    finally:
        os.close(here)
    if not is_plain(target):
        target.unlink()
        raise OSError(f"{relative} is no plain file")


def is_plain(path: Path) -> bool:
    """Whether `path` itself is a regular file; a link to one is not."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def write_private(path: Path, content: bytes) -> None:
    """Write `path` whole, synced and readable by its owner alone, or leave it as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    partial.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def try_lock(path: Path) -> int | None:
    """Take the lock file for this process: a descriptor to keep open, or None while another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock file. Unlike a pid it cannot be somebody else's."""
    if not path.exists():
        return False
    descriptor = try_lock(path)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


@contextmanager
def unlocking(descriptor: int) -> Iterator[None]:
    """Give a lock of `try_lock` back at the end of the block."""
    try:
        yield
    finally:
        os.close(descriptor)
