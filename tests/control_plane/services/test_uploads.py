"""Files on their way in: cut at any byte and gone on with, measured on the disk, held in bounds."""

import io
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from data_support import bring, expert

from control_plane.blobs import Blobs
from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    DatasetEmpty,
    Denied,
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
from control_plane.domain.permissions import VIEWER, Actor
from control_plane.services.datasets import drafts, uploads
from control_plane.store.audit import AuditRecord
from control_plane.store.drafts import UploadRecord
from control_plane.store.projects import ProjectRecord
from support import FakeClock, close_database, make_control_plane

CONTENT = bytes(range(40))


class Broken(io.RawIOBase):
    """A connection that breaks off after some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        if piece := self._data.read(size):
            return piece
        raise ConnectionResetError


@pytest.fixture
def erin(cp: ControlPlane) -> Actor:
    return expert(cp)


def test_cut_at_any_byte_and_gone_on_with(cp: ControlPlane, erin: Actor) -> None:
    upload = uploads.begin(erin, cp, "pumps", "faults.bin", len(CONTENT))
    for cut in range(1, len(CONTENT)):
        at = uploads.get(erin, cp, upload.id).arrived
        with pytest.raises(ConnectionResetError):
            uploads.append(erin, cp, upload.id, at, Broken(CONTENT[at:cut]))
        assert uploads.get(erin, cp, upload.id).arrived == cut
    assert uploads.append(erin, cp, upload.id, 39, io.BytesIO(CONTENT[39:])).arrived == 40
    assert uploads.place(cp, upload).read_bytes() == CONTENT


def test_a_piece_that_begins_elsewhere_is_refused_with_the_right_place(cp: ControlPlane, erin: Actor) -> None:
    upload = uploads.begin(erin, cp, "pumps", "faults.bin", len(CONTENT))
    uploads.append(erin, cp, upload.id, 0, io.BytesIO(CONTENT[:7]))
    for offset in (0, 6, 8, 2**62):
        with pytest.raises(UploadOffsetWrong) as caught:
            uploads.append(erin, cp, upload.id, offset, io.BytesIO(CONTENT[7:]))
        assert caught.value.params == {"file": "faults.bin", "arrived": 7}
    with pytest.raises(UploadIncomplete):
        drafts.begin(erin, cp, "pumps", upload.id)
    with pytest.raises(UploadTooLong):
        uploads.append(erin, cp, upload.id, 7, io.BytesIO(CONTENT))
    assert uploads.place(cp, upload).read_bytes() == CONTENT[:7]


def test_what_may_be_held_at_once(cp: ControlPlane, erin: Actor) -> None:
    cp = replace(
        cp, settings=replace(cp.settings, uploads_per_person=2, upload_bytes_per_person=50, max_upload_bytes=45)
    )
    with pytest.raises(FileTooLarge):
        uploads.begin(erin, cp, "pumps", "a", 46)
    first = bring(erin, cp, CONTENT)
    with pytest.raises(UploadsTooLarge):
        uploads.begin(erin, cp, "pumps", "b", 11)
    uploads.begin(erin, cp, "pumps", "b", 10)
    with pytest.raises(UploadsTooMany):
        uploads.begin(erin, cp, "pumps", "c", 1)
    uploads.begin(expert(cp, "otto"), cp, "pumps", "c", 40)
    uploads.cancel(erin, cp, first)
    assert [one.file_name for one in uploads.list_uploads(erin, cp, "pumps")] == ["b"]
    assert not uploads.place(cp, uploads.get(erin, cp, first)).exists()
    with pytest.raises(UploadGone):
        uploads.append(erin, cp, first, 40, io.BytesIO(b""))
    assert [entry.action for entry in AuditRecord.select().where(AuditRecord.action.startswith("upload."))] == [
        "upload.begin", "upload.begin", "upload.begin", "upload.cancel",
    ]  # fmt: skip


def test_what_is_cancelled_while_it_arrives_leaves_nothing(
    cp: ControlPlane, erin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cancelled(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                uploads.cancel(erin, cp, upload.id)
            return super().read(3)

    upload = uploads.begin(erin, cp, "pumps", "faults.bin", len(CONTENT))
    with pytest.raises(UploadGone):
        uploads.append(erin, cp, upload.id, 0, Cancelled(CONTENT))

    append = uploads._append
    for meanwhile in ("nothing", "somebody else makes the folder anew"):
        upload = uploads.begin(erin, cp, "pumps", "faults.bin", len(CONTENT))

        def late(*given: Any, meanwhile: str = meanwhile, upload: UploadRecord = upload) -> None:
            uploads.cancel(erin, cp, upload.id)
            if meanwhile != "nothing":
                uploads.place(cp, upload)
            append(*given)

        monkeypatch.setattr(uploads, "_append", late)
        with pytest.raises(UploadGone):
            uploads.append(erin, cp, upload.id, 0, io.BytesIO(CONTENT))
    assert not [path for path in cp.blobs.staged() if path.name.startswith("upload-") and any(path.iterdir())]


def test_a_full_disk_says_so_and_keeps_what_is_there(cp: ControlPlane, erin: Actor) -> None:
    upload = uploads.begin(erin, cp, "pumps", "faults.bin", len(CONTENT))
    uploads.append(erin, cp, upload.id, 0, io.BytesIO(CONTENT[:7]))
    full = replace(cp, blobs=Blobs(cp.settings.data / "blobs", 1 << 30, lambda _: (1 << 30) + 10))
    with pytest.raises(DiskFull):
        uploads.append(erin, full, upload.id, 7, io.BytesIO(CONTENT[7:]))
    with pytest.raises(DiskFull):
        uploads.begin(erin, full, "pumps", "other.bin", 11)
    assert uploads.get(erin, cp, upload.id).arrived == 7


def test_whose_it_is(cp: ControlPlane, erin: Actor) -> None:
    number = bring(erin, cp)
    for other in (expert(cp, "otto"), expert(cp, "eve", "elsewhere")):
        for act in (
            lambda other=other: uploads.get(other, cp, number),
            lambda other=other: uploads.append(other, cp, number, 0, io.BytesIO(b"x")),
            lambda other=other: uploads.cancel(other, cp, number),
            lambda other=other: drafts.begin(other, cp, "pumps", number),
        ):
            with pytest.raises(NotFound):
                act()
    viewer = replace(erin, roles={ProjectRecord.get(ProjectRecord.name == "pumps").id: VIEWER})
    for forbidden in (lambda: uploads.begin(viewer, cp, "pumps", "a", 1), lambda: uploads.get(viewer, cp, number)):
        with pytest.raises(Denied):
            forbidden()


@pytest.mark.parametrize(
    ("given", "kept"),
    [("C:\\fakepath\\März.xlsx", "März.xlsx"), ("../../etc/passwd", "passwd"), ("a\u202etxt.exe", "a_txt.exe")],
)
def test_names_of_files(cp: ControlPlane, erin: Actor, given: str, kept: str) -> None:
    assert uploads.begin(erin, cp, "pumps", given, 1).file_name == kept


def test_what_is_no_file(cp: ControlPlane, erin: Actor) -> None:
    with pytest.raises(DatasetEmpty):
        uploads.begin(erin, cp, "pumps", "a", 0)
    with pytest.raises(FieldInvalid):
        uploads.begin(erin, cp, "pumps", "/", 1)


KILLED = """
import os, signal, sys
from pathlib import Path
from data_support import expert
from support import FakeClock, make_control_plane
from control_plane.services.access import identity
from control_plane.services.datasets import uploads
from control_plane.store.people import UserRecord

class Last:
    left = [b"abc", b"de"]
    def read(self, size):
        if self.left:
            return self.left.pop(0)
        os.kill(os.getpid(), signal.SIGKILL)

cp = make_control_plane(Path(sys.argv[1]), FakeClock())
erin = identity.actor_of(UserRecord.get(UserRecord.name == "erin"), "")
uploads.append(erin, cp, int(sys.argv[2]), 0, Last())
"""


def test_what_arrived_before_the_control_plane_was_killed_is_there(tmp_path: Path, clock: FakeClock) -> None:
    cp = make_control_plane(tmp_path / "data", clock)
    erin = expert(cp)
    upload = uploads.begin(erin, cp, "pumps", "faults.bin", 8)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(cp.settings.data), str(upload.id)], env=_environment())
    assert ended.returncode == -signal.SIGKILL
    assert uploads.get(erin, cp, upload.id).arrived == 5
    assert uploads.append(erin, cp, upload.id, 5, io.BytesIO(b"fgh")).arrived == 8
    assert uploads.place(cp, upload).read_bytes() == b"abcdefgh"
    close_database()


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(sys.path)}
