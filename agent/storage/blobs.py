"""Downloads: slices of a blob into the cache, resumed where they stopped and verified before they are used."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent.link.calls import Link
from agent.storage.cache import Cache
from tunesmith.v1 import fleet_pb2 as pb

SLICE = 4 << 20
_AT_ONCE = 2  # slices under way; each is in memory several times over
SPARE = 256 << 20  # bytes of disk that stay free whatever is fetched


class DiskFull(Exception):
    """There is too little room for what is to be fetched."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(f"{needed} bytes are needed, {free} are free")
        self.params = {"needed": needed, "free": free}


def fetch(link: Link, cache: Cache, files: Iterable[pb.FileRef], tick: Callable[[], None]) -> None:
    """Have all files in the cache, each of them verified.

    `tick` is called between slices, from several threads, and may raise to interrupt.

    Raises DiskFull, link.Refused, link.Faulty and link.LinkClosed.
    """
    named = {file.sha256: file for file in files}
    for sha256 in named:
        with cache.lock(sha256):
            cache.verify(sha256, tick)
    wanted = {sha256: file for sha256, file in named.items() if not cache.has(sha256)}
    needed = sum(file.size for file in wanted.values())
    if wanted:
        require_space(cache.partial(next(iter(wanted))).parent, needed)
    for file in wanted.values():
        with cache.lock(file.sha256):
            while not cache.has(file.sha256):
                _download(link, cache, file, tick)


def require_space(folder: Path, needed: int) -> None:
    """Raises DiskFull unless `needed` bytes and some to spare are free where `folder` is."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE:
        raise DiskFull(needed, free)


def _download(link: Link, cache: Cache, file: pb.FileRef, tick: Callable[[], None]) -> None:
    """One blob, from where an earlier download stopped. A corrupt one is dropped, and the caller starts over."""
    partial = cache.partial(file.sha256)
    partial.touch()
    begin = partial.stat().st_size

    def read(offset: int) -> bytes:
        request = pb.GetBlobRequest(sha256=file.sha256, offset=offset, length=min(SLICE, file.size - offset))
        return bytes(link.ask(request, tick=tick).data)

    with partial.open("ab") as target, ThreadPoolExecutor(_AT_ONCE, "download") as pool:
        for start in range(begin, file.size, SLICE * _AT_ONCE):
            tick()
            for data in pool.map(read, range(start, min(start + SLICE * _AT_ONCE, file.size), SLICE)):
                target.write(data)
    cache.take(file.sha256, tick)
    tick()
