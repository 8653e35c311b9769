"""Uploads: an output's files as a manifest of 8 MiB chunks; only what is missing travels, then one fenced commit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from agent.link.calls import Link
from tunesmith.v1 import fleet_pb2 as pb

CHUNK = 8 << 20
_AT_ONCE = 2  # chunks under way; each is in memory several times over


class OutputMissing(Exception):
    """The promised output is not there, or is an empty folder."""


class OutputUnreadable(Exception):
    """The output holds something that is no plain file."""


@dataclass(frozen=True)
class _Piece:
    path: Path
    offset: int


def upload(
    link: Link, offer: pb.Offer, name: str, folder: Path, relative: str, tick: Callable[[], None]
) -> list[tuple[Path, str]]:
    """Commit what lies at `relative` in `folder` as the attempt's artifact `name`; its files with their sha256.

    Interrupted uploads resume at the chunk. `tick` is called in between, from several threads, and may raise.
    Raises OutputMissing, OutputUnreadable, link.Refused, link.Faulty, link.LinkClosed.
    """
    files = list(plain_files(folder, relative))
    if not files:
        raise OutputMissing(name)
    pieces: dict[str, _Piece] = {}
    manifest = [_describe(inner, path, pieces, tick) for inner, path in files]
    request = pb.BeginArtifactRequest(attempt_id=offer.attempt_id, fence=offer.fence, name=name, files=manifest)
    artifact = link.ask(request, tick=tick).artifact_id
    asked = pb.MissingChunksRequest(artifact_id=artifact, fence=offer.fence)
    missing = list(link.ask(asked, tick=tick).chunks)

    def put(sha256: str) -> None:
        data = _read(pieces[sha256])
        link.ask(pb.PutChunkRequest(artifact_id=artifact, fence=offer.fence, sha256=sha256, data=data), tick=tick)

    with ThreadPoolExecutor(_AT_ONCE, "upload") as pool:
        for start in range(0, len(missing), _AT_ONCE):
            tick()
            list(pool.map(put, missing[start : start + _AT_ONCE]))
    link.ask(pb.CommitArtifactRequest(artifact_id=artifact, fence=offer.fence), deadline=60, tick=tick)
    return [(path, described.sha256) for (_, path), described in zip(files, manifest, strict=True)]


def plain_files(folder: Path, relative: str) -> Iterator[tuple[str, Path]]:
    """The files at `relative` with their paths inside it, in order; a single file goes by its name.

    Raises OutputUnreadable where a link or another thing that is no plain file lies in or on the way to it, or a name
    is no text.
    """
    place = folder / relative
    if place.resolve() != folder.resolve() / relative:
        raise OutputUnreadable(f"{relative} is reached through a link")
    if place.is_file():
        yield place.name, place
        return
    for path in sorted(place.rglob("*")):
        name = path.relative_to(place).as_posix()
        shown = name.encode(errors="backslashreplace").decode()
        if shown != name:
            raise OutputUnreadable(f"the name of {shown} is not UTF-8")
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise OutputUnreadable(f"{name} is not a plain file")
        if path.is_file():
            yield name, path


def _describe(name: str, path: Path, pieces: dict[str, _Piece], tick: Callable[[], None]) -> pb.ArtifactFile:
    """Size, hash and chunk hashes in one reading; `pieces` learns where each chunk is."""
    whole, chunks, size = hashlib.sha256(), [], 0
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            whole.update(data)
            chunks.append(hashlib.sha256(data).hexdigest())
            pieces[chunks[-1]] = _Piece(path, size)
            size += len(data)
            tick()
    return pb.ArtifactFile(path=name, size=size, sha256=whole.hexdigest(), chunks=chunks)


def _read(piece: _Piece) -> bytes:
    with piece.path.open("rb") as file:
        file.seek(piece.offset)
        return file.read(CHUNK)
