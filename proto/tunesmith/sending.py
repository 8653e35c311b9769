"""Sending a file that may be large over a connection that may break."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.connection import CallFailed
from tunesmith.v1 import automation_pb2 as pb

if TYPE_CHECKING:
    from tunesmith.datasets import Datasets

_PIECE = 512 << 10  # bytes of one message
_AGAIN_SECONDS = 1.0  # after a break

Progress = Callable[[int, int], None]  # bytes that were sent, of how many


def sent(client: Datasets, project: str, path: Path, progress: Progress) -> pb.Upload:
    """The upload of a file, once all of it has arrived. Raises CallFailed."""
    size = path.stat().st_size
    upload = _begun(client, project, path) or client.begin_upload(project, path.name, size, _fingerprint(path))
    until = time.monotonic() + client.patience
    while upload.arrived < size:
        before = upload.arrived
        try:
            upload = client.append_upload(upload.id, upload.arrived, _pieces(path, upload.arrived, progress))
        except CallFailed as problem:
            if problem.status != "UNAVAILABLE" and problem.code != "upload_offset_wrong":
                raise
            upload = client.get_upload(upload.id)
            if upload.arrived > before:
                until = time.monotonic() + client.patience
            elif time.monotonic() > until:
                raise
            time.sleep(_AGAIN_SECONDS)
    progress(size, size)
    return upload


def _begun(client: Datasets, project: str, path: Path) -> pb.Upload | None:
    """What an earlier attempt has left of the same file, as it is now."""
    fingerprint = _fingerprint(path)
    return next((upload for upload in client.list_uploads(project) if upload.fingerprint == fingerprint), None)


def _fingerprint(path: Path) -> str:
    """What changes with each writing of a file."""
    found = path.stat()
    return f"{found.st_mtime_ns}-{found.st_size}-{found.st_ino}"


def _pieces(path: Path, offset: int, progress: Progress) -> Iterator[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(offset)
        while piece := file.read(_PIECE):
            yield piece
            offset += len(piece)
            progress(offset, size)
