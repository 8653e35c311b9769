"""What may be among the files of a method that somebody hands in. Nothing of it is trusted."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as InflateError

from control_plane.domain.errors import (
    MethodArchiveUnreadable,
    MethodFileMissing,
    MethodFileRefused,
    MethodFilesTooMany,
    MethodTooLarge,
)

MOST_FILES = 1_000
LARGEST = 16 << 20  # bytes of all files; what is larger is data, and no method brings data
MANIFEST = "method.toml"

_CACHES = frozenset({"__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".DS_Store", "__MACOSX", ".git"})
_PACKED = (ZIP_STORED, ZIP_DEFLATED)  # of the others zipfile unpacks all at once, whatever it is asked for
_LONGEST_PATH = 200  # characters
_FORBIDDEN = frozenset('\\:*?"<>|')  # what some system that an agent runs on takes for something else


def is_cache(parts: Iterable[str]) -> bool:
    """Whether a path is of no method: what tools leave behind."""
    return any(part in _CACHES or part.endswith(".pyc") for part in parts)


def checked(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files by their paths below the method's folder, without caches, in order.

    Raises MethodFileRefused, MethodFilesTooMany, MethodTooLarge, MethodFileMissing (method.toml).
    """
    kept = {_path(path): data for path, data in sorted(files.items()) if not is_cache(PurePosixPath(path).parts)}
    if len(kept) > MOST_FILES:
        raise MethodFilesTooMany(most=MOST_FILES)
    if sum(len(data) for data in kept.values()) > LARGEST:
        raise MethodTooLarge(limit=LARGEST)
    if MANIFEST not in kept:
        raise MethodFileMissing(file=MANIFEST)
    return kept


def unpacked(archive: ZipFile) -> dict[str, bytes]:
    """The files of a ZIP archive, read with every limit held; the folder that holds method.toml is their root.

    Raises MethodArchiveUnreadable, and what `checked` raises.
    """
    entries = [
        one for one in archive.infolist() if not one.is_dir() and not is_cache(PurePosixPath(one.filename).parts)
    ]
    if len(entries) > MOST_FILES:
        raise MethodFilesTooMany(most=MOST_FILES)
    for entry in entries:
        _path(entry.filename)
        if entry.compress_type not in _PACKED:
            raise MethodArchiveUnreadable
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise MethodFileRefused(path=entry.filename)
    root = _root(entries)
    found, room = {}, LARGEST
    for entry in entries:
        if not entry.filename.startswith(root):
            raise MethodFileRefused(path=entry.filename)
        data = _read(archive, entry, room)
        room -= len(data)
        found[entry.filename.removeprefix(root)] = data
    return checked(found)


def _read(archive: ZipFile, entry: ZipInfo, room: int) -> bytes:
    """The bytes of an entry, which may be more than it says."""
    try:
        with archive.open(entry) as source:
            data = source.read(room + 1)
    except (BadZipFile, InflateError, NotImplementedError, RuntimeError, EOFError, OSError) as problem:
        raise MethodArchiveUnreadable from problem
    if len(data) > room:
        raise MethodTooLarge(limit=LARGEST)
    return data


def _root(entries: list[ZipInfo]) -> str:
    """The folder of the manifest that lies highest, with its slash; empty for the archive's own root."""
    found = [one.filename for one in entries if PurePosixPath(one.filename).name == MANIFEST]
    if not found:
        raise MethodFileMissing(file=MANIFEST)
    return min(found, key=lambda path: path.count("/")).removesuffix(MANIFEST)


def _path(path: str) -> str:
    """`path` itself, if it leads to a place below the folder. Raises MethodFileRefused."""
    parts = path.split("/")
    is_sound = path.isprintable() and len(path) <= _LONGEST_PATH and not _FORBIDDEN & set(path)
    if not is_sound or any(part in ("", ".", "..") or part != part.strip() for part in parts):
        raise MethodFileRefused(path=path[:_LONGEST_PATH])
    return path
