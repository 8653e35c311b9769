"""Files on their way: each file of an artifact lies once in staging, and its chunks are written to their place in it.

Beside `<n>` stands `<n>.chunks`, one byte a chunk, 1 where it has arrived: the chunk's bytes are on disk before. A file
is complete when every chunk has arrived, and is moved, not copied, to the blobs.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import ChunkCorrupt
from control_plane.domain.files import CHUNK
from control_plane.store.artifacts import ArtifactRecord

_LAYOUTS_KEPT = 64
_SLICE = 4 << 20  # bytes hashed at once

_lock = threading.Lock()
_layouts: OrderedDict[tuple[Path, str], Layout] = OrderedDict()
_checks: dict[Path, Future[None]] = {}
_checkers = ThreadPoolExecutor(4, "verify")


@dataclass(frozen=True)
class Staged:
    """One file in staging: of all files of an artifact with the same content, the first."""

    name: str
    sha256: str
    size: int
    chunks: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Where the chunks of an artifact belong."""

    folder: Path
    files: tuple[Staged, ...]
    places: Mapping[str, Sequence[tuple[Staged, int]]]  # chunk → each file that has it, and its number there


def layout(cp: ControlPlane, artifact_id: int, content_hash: str) -> Layout:
    """An artifact's layout; read from its row once, and remembered while its chunks arrive."""
    folder = cp.blobs.staging(f"artifact-{artifact_id}")
    key = (folder, content_hash)
    with _lock:
        if key in _layouts:
            _layouts.move_to_end(key)
            return _layouts[key]
    made = _laid_out(folder, ArtifactRecord.get_by_id(artifact_id).files)
    with _lock:
        _layouts[key] = made
        while len(_layouts) > _LAYOUTS_KEPT:
            _layouts.popitem(last=False)
    return made


def _laid_out(folder: Path, files: Sequence[Mapping[str, Any]]) -> Layout:
    staged: dict[tuple[str, int, tuple[str, ...]], Staged] = {}
    for file in files:
        what = (file["sha256"], file["size"], tuple(file["chunks"]))
        staged.setdefault(what, Staged(str(len(staged)), *what))
    places: dict[str, list[tuple[Staged, int]]] = {}
    for one in staged.values():
        for number, chunk in enumerate(one.chunks):
            places.setdefault(chunk, []).append((one, number))
    return Layout(folder, tuple(staged.values()), places)


def missing(plan: Layout) -> list[str]:
    """The chunks that have not arrived, in order, each once."""
    lacking: dict[str, None] = {}
    for file in plan.files:
        marks = _marks(plan, file)
        lacking |= {chunk: None for number, chunk in enumerate(file.chunks) if marks[number : number + 1] != b"\1"}
    return list(lacking)


def write(plan: Layout, chunk: str, data: bytes) -> None:
    """Put an announced chunk, whose hash was verified, wherever it belongs. Raises ChunkCorrupt for a wrong length."""
    for file, number in plan.places[chunk]:
        offset = number * CHUNK
        if len(data) != min(CHUNK, file.size - offset):
            raise ChunkCorrupt
        if _marks(plan, file)[number : number + 1] != b"\1":
            _write_at(plan.folder / file.name, offset, data)
            _write_at(plan.folder / f"{file.name}.chunks", number, b"\1")


def verified(plan: Layout, seconds: float) -> bool:
    """Whether each file has been found to match its hash; False if that is still under way after `seconds`.

    One check at most runs for an artifact: who asks again meanwhile waits for the same one. Raises ChunkCorrupt.
    """
    with _lock:
        check = _checks.get(plan.folder)
        if check is None:
            check = _checks[plan.folder] = _checkers.submit(_verify, plan)
    try:
        check.result(seconds)
    except TimeoutError:
        return False
    except Exception:
        forget(plan.folder)  # the next one to ask has it checked anew
        raise
    return True


def forget(folder: Path) -> None:
    """Drop what is remembered about the check of a staging folder."""
    with _lock:
        _checks.pop(folder, None)


def adopt(cp: ControlPlane, plan: Layout) -> None:
    """Move the verified files to the blobs; those that an interrupted call moved before are there already."""
    for file in plan.files:
        if not _moved(plan, file):
            cp.blobs.take(plan.folder / file.name, file.sha256)


def _verify(plan: Layout) -> None:
    for file in plan.files:
        if _moved(plan, file):
            continue
        path = plan.folder / file.name
        if file.size == 0:
            path.touch()
        digest = hashlib.sha256()
        with path.open("rb") as source:
            while data := source.read(_SLICE):
                digest.update(data)
        if digest.hexdigest() != file.sha256 or path.stat().st_size != file.size:
            raise ChunkCorrupt


def _moved(plan: Layout, file: Staged) -> bool:
    """Whether every chunk arrived here and the file is gone: then this artifact's own commit has moved it.

    That somebody else has such a blob proves nothing: a machine must bring each byte that it wants to have.
    """
    return (
        bool(file.chunks) and _marks(plan, file) == b"\1" * len(file.chunks) and not (plan.folder / file.name).exists()
    )


def _marks(plan: Layout, file: Staged) -> bytes:
    path = plan.folder / f"{file.name}.chunks"
    return path.read_bytes() if path.exists() else b""


def _write_at(path: Path, offset: int, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(handle, view, offset)
            view, offset = view[written:], offset + written
        os.fsync(handle)
    finally:
        os.close(handle)
