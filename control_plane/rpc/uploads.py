"""An uploaded dataset, or a method's archive, on its way to the disk."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import IO

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, FileTooLarge, MethodTooLarge
from control_plane.domain.method_files import LARGEST
from control_plane.rpc.calls import Calls
from tunesmith.v1 import automation_pb2 as pb

_PIECE = 8 << 20  # bytes written, and made sure of, at once


async def take(
    cp: ControlPlane, calls: Calls, stream: AsyncIterator[pb.UploadDatasetRequest], files: ExitStack
) -> dict[str, IO[bytes]]:
    """The parts `train` and perhaps `test`, as files without a name, which vanish with the process.

    Raises FieldInvalid, FileTooLarge, DiskFull.
    """
    parts = {"train": _file(cp, files)}
    async for message in stream:
        part = message.WhichOneof("what")
        if part not in ("train", "test"):
            raise FieldInvalid(field="what", problem="header, train …, test …")
        if part not in parts:
            parts[part] = _file(cp, files)
        await calls.run(_append, cp, f"{part}.jsonl", parts[part], message.train or message.test)
    for file in parts.values():
        file.seek(0)
    return parts


async def pieces(stream: AsyncIterator[pb.AppendUploadRequest]) -> AsyncIterator[bytes]:
    """What a stream brings, gathered to pieces that are worth a write each. Raises FieldInvalid."""
    gathered = bytearray()
    async for message in stream:
        if message.WhichOneof("what") != "data":
            raise FieldInvalid(field="what", problem="place, data …")
        gathered += message.data
        if len(gathered) >= _PIECE:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


async def take_archive(
    cp: ControlPlane, calls: Calls, stream: AsyncIterator[pb.UploadMethodRequest], files: ExitStack
) -> IO[bytes]:
    """A method's archive as a file without a name. Raises FieldInvalid, MethodTooLarge, DiskFull."""
    archive = _file(cp, files)
    async for message in stream:
        if message.WhichOneof("what") != "archive":
            raise FieldInvalid(field="what", problem="header, archive …")
        if archive.tell() + len(message.archive) > LARGEST:
            raise MethodTooLarge(limit=LARGEST)
        await calls.run(_append, cp, "archive.zip", archive, message.archive)
    archive.seek(0)
    return archive


def _file(cp: ControlPlane, files: ExitStack) -> IO[bytes]:
    return files.enter_context(tempfile.TemporaryFile(dir=cp.blobs.staging("incoming")))


def _append(cp: ControlPlane, name: str, file: IO[bytes], data: bytes) -> None:
    if file.tell() + len(data) > cp.settings.max_upload_bytes:
        raise FileTooLarge(file=name, limit=cp.settings.max_upload_bytes)
    cp.blobs.require_space(len(data))
    file.write(data)
