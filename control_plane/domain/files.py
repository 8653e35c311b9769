"""Which files may leave a machine, and how they may be called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from control_plane.domain.documents import well_formed
from control_plane.domain.errors import FieldInvalid, FileTypeRefused, PathRefused

CHUNK = 8 * 1024 * 1024  # bytes; each chunk but a file's last has exactly this size
_LONGEST_PATH = 200  # characters
_LONGEST_PART = 255  # bytes; what file systems take
_TYPES = frozenset({".safetensors", ".json", ".jsonl", ".txt", ".md", ".jinja", ".model", ".gguf", ".tiktoken", ".spm"})
_BARE = frozenset({"LICENSE", "NOTICE"})  # files without a suffix that belong to a model
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class File:
    """A file as a machine announces it: relative path, bytes, sha256 of the whole and of each chunk."""

    path: str
    size: int
    sha256: str
    chunks: tuple[str, ...]


def check(files: Iterable[File]) -> None:
    """Refuse what may not arrive. Raises PathRefused, FileTypeRefused, FieldInvalid."""
    seen: set[str] = set()
    for file in files:
        _check_path(file.path)
        _check_sizes(file)
        # the same name to a file system that ignores case or composes letters
        folded = unicodedata.normalize("NFKC", file.path).casefold()
        if folded in seen:
            raise PathRefused(path=file.path)
        seen.add(folded)
    for name in seen:
        if any(str(parent) in seen for parent in PurePosixPath(name).parents):
            raise PathRefused(path=name)


def _check_path(path: str) -> None:
    parts = path.split("/")
    odd = any(unicodedata.category(letter)[0] == "C" for letter in path) or "\\" in path or ":" in path
    if odd or len(path) > _LONGEST_PATH or any(map(_is_odd, parts)):
        raise PathRefused(path=well_formed(path[:_LONGEST_PATH]))
    if PurePosixPath(path).suffix.lower() not in _TYPES and parts[-1] not in _BARE:
        raise FileTypeRefused(path=path)


def _is_odd(part: str) -> bool:
    # encoded last: what is left has no lone surrogates
    return part in ("", ".", "..") or part.endswith(" ") or len(part.encode("utf-8")) > _LONGEST_PART


def _check_sizes(file: File) -> None:
    if file.size < 0 or len(file.chunks) != -(-file.size // CHUNK):
        raise FieldInvalid(field=file.path, problem=f"{len(file.chunks)} × {CHUNK} ≠ {file.size}")
    for sha256 in (file.sha256, *file.chunks):
        if not _SHA256.fullmatch(sha256):
            raise FieldInvalid(field=file.path, problem="sha256")
