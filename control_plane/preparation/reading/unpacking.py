"""The bytes of a file, out of its gzip or zip where it has one; bounded, whatever the archive promises."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from control_plane.domain import file_kinds
from control_plane.domain.errors import (
    ArchiveEncrypted,
    ArchiveNested,
    ArchiveNotOneFile,
    ArchiveSwelling,
    FileBroken,
    FileTooLarge,
)
from control_plane.domain.preparation import Limits, Source

HEAD = 1 << 18  # bytes that say what kind of file it is
GZ, ZIP = "gz", "zip"

_BUFFER = 1 << 20  # bytes
_UNSUSPECTED = 64 << 20  # bytes that any archive may unpack to
_MOST_SWELLING = 250  # times its size; tables and texts reach some 20
_DAMAGED = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError)
_BYSTANDERS = ("__MACOSX/", ".DS_Store", "Thumbs.db")  # what archivers add of themselves


def packing_of(path: Path, head: bytes) -> str:
    """`gz`, `zip` or nothing, by how the file begins. A workbook is a zip, too, but one file to everybody."""
    kind = file_kinds.binary_kind(head)
    if kind == "gzip":
        return GZ
    return ZIP if kind == "zip" and not is_workbook(path) else ""


def is_workbook(path: Path | BinaryIO) -> bool:
    """Whether it is a zip with a workbook's parts."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (*_DAMAGED, ValueError, OSError):
        return False


@contextmanager
def unpacked(source: Source, limits: Limits, counted: Callable[[int], None] | None = None) -> Iterator[BinaryIO]:
    """The bytes of the one file, to be read from its beginning; `counted` is told how far the file on the disk is read.

    Raises FileTooLarge, ArchiveEncrypted, ArchiveNested, ArchiveNotOneFile, ArchiveSwelling, FileBroken; most of them
    while it is read.
    """
    with Path(source.path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        bounds = Bounds(source.name, limits.file_bytes, size if source.packing else 0)
        with _inner(source, cast(BinaryIO, file)) as inner:
            raw = _Bounded(inner, bounds, lambda: counted(file.tell()) if counted else None)
            stream = io.BufferedReader(raw, _BUFFER)
            if source.packing:
                _refuse_nested(source.name, stream.peek(HEAD))
            yield cast(BinaryIO, stream)


@contextmanager
def seekable(source: Source, limits: Limits) -> Iterator[BinaryIO]:
    """The same bytes as a file that can be read in any order; a packed one is unpacked beside the others."""
    if not source.packing:
        with Path(source.path).open("rb") as file:
            Bounds(source.name, limits.file_bytes, 0).check(os.fstat(file.fileno()).st_size)
            yield cast(BinaryIO, file)
        return
    with tempfile.TemporaryFile() as copy:
        with unpacked(source, limits) as stream:
            shutil.copyfileobj(stream, copy, _BUFFER)
        copy.seek(0)
        yield cast(BinaryIO, copy)


@dataclass(frozen=True)
class Bounds:
    """How many bytes a file may have once it is unpacked."""

    file: str
    most: int
    packed: int  # bytes of the archive; 0 where there is none

    def check(self, taken: int) -> None:
        """Raises FileTooLarge, ArchiveSwelling where it has so many already."""
        if taken > self.most:
            raise FileTooLarge(file=self.file, limit=self.most)
        if self.packed and taken > max(_UNSUSPECTED, self.packed * _MOST_SWELLING):
            raise ArchiveSwelling(file=self.file, times=_MOST_SWELLING)


class _Bounded(io.RawIOBase):
    """Reads another stream and says in our words what is wrong with it."""

    def __init__(self, inner: BinaryIO, bounds: Bounds, progress: Callable[[], None]) -> None:
        self._inner, self._bounds, self._progress = inner, bounds, progress
        self._taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._inner.read(len(buffer))
        except _DAMAGED as problem:
            raise FileBroken(file=self._bounds.file) from problem
        self._taken += len(data)
        self._bounds.check(self._taken)
        self._progress()
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def _inner(source: Source, file: BinaryIO) -> Iterator[BinaryIO]:
    if source.packing == GZ:
        with gzip.GzipFile(fileobj=file) as stream:
            yield cast(BinaryIO, stream)
    elif source.packing == ZIP:
        with _member(source.name, file) as stream:
            yield stream
    else:
        yield file


@contextmanager
def _member(name: str, file: BinaryIO) -> Iterator[BinaryIO]:
    """The one file that a zip holds."""
    try:
        archive = zipfile.ZipFile(file)
        stream = archive.open(_only_member(name, archive))
    except (*_DAMAGED, RuntimeError, ValueError, OSError) as problem:
        raise FileBroken(file=name) from problem
    with archive, stream:
        yield cast(BinaryIO, stream)


def _only_member(file: str, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [one for one in archive.infolist() if not one.is_dir() and not _is_bystander(one.filename)]
    if len(members) != 1:
        raise ArchiveNotOneFile(file=file, count=len(members))
    if members[0].flag_bits & 1:
        raise ArchiveEncrypted(file=file)
    return members[0]


def _is_bystander(name: str) -> bool:
    return name.startswith(_BYSTANDERS) or name.rsplit("/", 1)[-1] in _BYSTANDERS


def _refuse_nested(file: str, head: bytes) -> None:
    """A workbook may be packed, though it is a zip itself."""
    if file_kinds.is_archive(head):
        raise ArchiveNested(file=file)
