"""A file of a job, fetched slice by slice into a folder; it stands there only when it is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from tunesmith.connection import CallFailed
from tunesmith.v1 import automation_pb2 as pb


def fetch(file: pb.File, folder: Path, read: Callable[[int], bytes]) -> Path:
    """Write `file` under `folder`; `read` gives bytes of it from an offset on. The path written.

    Raises CallFailed, also where the bytes are not what the file's sha256 says.
    """
    named = PurePosixPath(file.path)
    if named.is_absolute() or ".." in named.parts:
        raise CallFailed(f"“{file.path}” leads out of the folder.", "", {}, "DATA_LOSS")
    target = folder / named
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.part")
    try:
        if _write(partial, file.size, read) != file.sha256:
            raise CallFailed(f"“{file.path}” did not arrive as it is listed.", "", {}, "DATA_LOSS")
        return partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _write(path: Path, size: int, read: Callable[[int], bytes]) -> str:
    """Write up to `size` bytes; the sha256 of what was written."""
    digest, offset = hashlib.sha256(), 0
    with path.open("wb") as target:
        while offset < size and (data := read(offset)):
            target.write(data)
            digest.update(data)
            offset += len(data)
    return digest.hexdigest()
