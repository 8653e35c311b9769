"""Uploads: files on their way in, a piece at a time. What is on the disk is what has arrived; no row counts it.

A piece is refused unless it begins where the file ends, so a connection may break at any byte, and the control plane
may end at any moment: who sends asks how much is here and goes on from there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from io import FileIO
from pathlib import Path, PurePath, PureWindowsPath
from typing import BinaryIO

from control_plane.context import ControlPlane
from control_plane.domain.documents import well_formed
from control_plane.domain.errors import (
    DatasetEmpty,
    DiskFull,
    FieldInvalid,
    FileTooLarge,
    NotFound,
    UploadGone,
    UploadIncomplete,
    UploadOffsetWrong,
    UploadsTooLarge,
    UploadsTooMany,
    UploadTooLong,
)
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import audit
from control_plane.services.access import projects
from control_plane.store.database import transaction
from control_plane.store.drafts import UploadRecord

_PIECE = 1 << 20  # bytes read and written at once
_LONGEST_NAME = 255
_LONGEST_FINGERPRINT = 100
_MOST_LISTED = 200


def begin(
    actor: Actor, cp: ControlPlane, project: str, file_name: str, size: int, fingerprint: str = ""
) -> UploadRecord:
    """Announce a file of `size` bytes; nothing of it is here yet. The fingerprint, at most 100 characters, is kept.

    Raises NotFound, Denied, FieldInvalid, DatasetEmpty, FileTooLarge, UploadsTooMany, UploadsTooLarge, DiskFull.
    """
    project_id = projects.get(actor, cp, project, "dataset.upload").id
    name = plain(file_name)
    if size <= 0:
        raise DatasetEmpty(file=name)
    if len(fingerprint) > _LONGEST_FINGERPRINT or not fingerprint.isprintable():
        raise FieldInvalid(field="fingerprint", problem=f"≤ {_LONGEST_FINGERPRINT}")
    if size > cp.settings.max_upload_bytes:
        raise FileTooLarge(file=name, limit=cp.settings.max_upload_bytes)
    cp.blobs.require_space(size)
    with transaction():
        _refuse_hoard(actor, cp, name, size)
        now = cp.clock()
        upload = UploadRecord.create(
            project=project_id,
            file_name=name,
            size=size,
            fingerprint=fingerprint,
            created_by=actor.id,
            created_at=now,
            touched_at=now,
        )
        audit.record(actor, cp, "upload.begin", f"upload:{upload.id}", project_id, name=name, size=size)
    return upload


def expect(actor: Actor, cp: ControlPlane, project_id: int, name: str, holder: str = "") -> UploadRecord:
    """A file that the control plane fetches itself, of a size that nobody knows yet; called inside a transaction.

    It counts among the actor's, unless `holder` is named instead. Raises UploadsTooMany.
    """
    if not holder:
        _refuse_hoard(actor, cp, name, 0)
    now = cp.clock()
    return UploadRecord.create(
        project=project_id,
        file_name=plain(name),
        size=0,
        fingerprint="",
        created_by=holder or actor.id,
        created_at=now,
        touched_at=now,
    )


def bytes_left(cp: ControlPlane, upload: UploadRecord) -> int:
    """How large a file may become beside the others of who holds it; what the system holds counts for each project."""
    others = [UploadRecord.created_by == upload.created_by, UploadRecord.over_at == 0.0, UploadRecord.id != upload.id]
    if upload.created_by == SYSTEM.id:
        others.append(UploadRecord.project == upload.project_id)
    held = sum(int(one.size) for one in UploadRecord.select(UploadRecord.size).where(*others))
    return max(0, cp.settings.upload_bytes_per_person - held)


def append(actor: Actor, cp: ControlPlane, upload_id: int, offset: int, stream: BinaryIO) -> UploadRecord:
    """Add what `stream` holds to the end of the file, which must be at `offset`; what was added stays if it breaks off.

    Raises NotFound, UploadOffsetWrong (with what is here), UploadTooLong, UploadGone, DiskFull.
    """
    upload = get(actor, cp, upload_id)
    if upload.over_at:
        raise UploadGone(file=upload.file_name)
    path = place(cp, upload)
    try:
        _append(cp, upload, path, offset, stream)
    except FileNotFoundError as problem:  # its folder went in this moment
        raise UploadGone(file=upload.file_name) from problem
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(needed=_PIECE, free=shutil.disk_usage(path.parent).free) from problem
    finally:
        with transaction():
            UploadRecord.update(touched_at=cp.clock()).where(UploadRecord.id == upload.id).execute()
    return _measured(cp, upload)


def get(actor: Actor, cp: ControlPlane, upload_id: int) -> UploadRecord:
    """An upload, with how much of it has arrived. Raises NotFound unless the actor began it, InTrash, Denied."""
    upload = UploadRecord.get_or_none(UploadRecord.id == upload_id, UploadRecord.created_by == actor.id)
    if upload is None:
        raise NotFound
    projects.of_id(actor, cp, upload.project_id, "dataset.upload")
    return _measured(cp, upload)


def list_uploads(actor: Actor, cp: ControlPlane, project: str) -> list[UploadRecord]:
    """The actor's files that are here or on their way, newest first. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "dataset.upload").id
    query = UploadRecord.select().where(UploadRecord.project == project_id, *_held_by(actor))
    return [_measured(cp, upload) for upload in query.order_by(UploadRecord.id.desc()).limit(_MOST_LISTED)]


def cancel(actor: Actor, cp: ControlPlane, upload_id: int) -> None:
    """Remove a file that is here or on its way. Raises NotFound."""
    upload = get(actor, cp, upload_id)
    with transaction():
        UploadRecord.update(over_at=cp.clock()).where(UploadRecord.id == upload.id).execute()
        audit.record(actor, cp, "upload.cancel", f"upload:{upload.id}", upload.project_id, name=upload.file_name)
    remove(cp, upload)


def whole(actor: Actor, cp: ControlPlane, upload_id: int) -> UploadRecord:
    """An upload of which every byte is here. Raises NotFound, UploadIncomplete, UploadGone."""
    upload = get(actor, cp, upload_id)
    if upload.over_at:
        raise UploadGone(file=upload.file_name)
    if upload.arrived < upload.size:
        raise UploadIncomplete(file=upload.file_name, arrived=upload.arrived, size=upload.size)
    return upload


def place(cp: ControlPlane, upload: UploadRecord) -> Path:
    """Where its bytes lie."""
    return cp.blobs.staging(f"upload-{upload.id}") / "file"


def remove(cp: ControlPlane, upload: UploadRecord) -> None:
    """Take its bytes off the disk."""
    shutil.rmtree(place(cp, upload).parent, ignore_errors=True)


def _held_by(actor: Actor) -> tuple[object, object]:
    return UploadRecord.created_by == actor.id, UploadRecord.over_at == 0.0


def _refuse_hoard(actor: Actor, cp: ControlPlane, name: str, size: int) -> None:
    held = [int(one.size) for one in UploadRecord.select(UploadRecord.size).where(*_held_by(actor))]
    if len(held) >= cp.settings.uploads_per_person:
        raise UploadsTooMany(count=len(held))
    if (needed := sum(held) + size) > cp.settings.upload_bytes_per_person:
        raise UploadsTooLarge(file=name, needed=needed, limit=cp.settings.upload_bytes_per_person)


def _append(cp: ControlPlane, upload: UploadRecord, path: Path, offset: int, stream: BinaryIO) -> None:
    """Piece by piece; each is refused unless the file still ends where this sender left it: there may be another."""
    with path.open("ab", buffering=0) as file:
        if not UploadRecord.select().where(UploadRecord.id == upload.id, UploadRecord.over_at == 0.0).exists():
            remove(cp, upload)  # it was cancelled before this opened the file, and perhaps made it anew
            raise UploadGone(file=upload.file_name)
        while piece := stream.read(_PIECE):
            cp.blobs.require_space(len(piece))
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                _refuse_removed(upload, file)
                _refuse_offset(upload, offset, os.fstat(file.fileno()).st_size)
                if offset + len(piece) > upload.size:
                    raise UploadTooLong(file=upload.file_name, size=upload.size)
                offset += file.write(piece)
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)
        _refuse_offset(upload, offset, os.fstat(file.fileno()).st_size)
        os.fsync(file.fileno())


def _refuse_removed(upload: UploadRecord, file: FileIO) -> None:
    """What nobody can reach any more is not written on."""
    if not os.fstat(file.fileno()).st_nlink:
        raise UploadGone(file=upload.file_name)


def _refuse_offset(upload: UploadRecord, offset: int, arrived: int) -> None:
    if offset != arrived:
        raise UploadOffsetWrong(file=upload.file_name, arrived=arrived)


def _measured(cp: ControlPlane, upload: UploadRecord) -> UploadRecord:
    upload.arrived = 0
    if not upload.over_at and (path := place(cp, upload)).is_file():
        upload.arrived = path.stat().st_size
    return upload


def plain(file_name: str) -> str:
    """The last part of a name, without what cannot be seen in it. Raises FieldInvalid for one that is empty then."""
    last = PurePath(PureWindowsPath(well_formed(file_name)).name).name
    shown = "".join(letter if letter.isprintable() else "_" for letter in last).strip()[:_LONGEST_NAME]
    if not shown:
        raise FieldInvalid(field="file_name", problem="…")
    return shown
