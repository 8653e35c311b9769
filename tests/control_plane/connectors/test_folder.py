"""Files of opened folders: what lies there, and no way out."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from control_plane.connectors.folder import CONNECTOR
from control_plane.connectors.opened import files_below, opened_file
from control_plane.domain.connectors import Bounds, Opened
from control_plane.domain.errors import (
    SourceFault,
    SourceFolderClosed,
    SourceFoldersNone,
    SourceGone,
    SourcePathRefused,
    SourceTooLarge,
)
from source_support import BOUNDS, fetch, wanted


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder with a file, one below, and much that leads elsewhere; a secret lies beside it."""
    shared, outside = tmp_path / "shared", tmp_path / "outside"
    (shared / "2026").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.csv").write_text("a,b\n")
    (shared / "notes.csv").write_text("q,a\n1,2\n")
    (shared / "2026" / "june.csv").write_text("q,a\n3,4\n")
    (shared / ".hidden").write_text("x")
    (shared / "link.csv").symlink_to(outside / "secret.csv")
    (shared / "own.csv").symlink_to(shared / "notes.csv")
    (shared / "way").symlink_to(outside)
    os.mkfifo(shared / "pipe")
    return shared


def asked(shared: Path, file: str = "", mark: str = "", bounds: Bounds = BOUNDS, folder: str = "") -> object:
    given = {"file": file} if file else {}
    return wanted(
        CONNECTOR, {"folder": folder or str(shared), **given}, opened=Opened([str(shared)]), bounds=bounds, mark=mark
    )


def test_what_lies_there(shared: Path) -> None:
    found = CONNECTOR.describe(asked(shared))
    assert [(one.name, one.size) for one in found.items] == [("notes.csv", 8), ("2026/june.csv", 8)]
    assert found.items[1].parameters == {"file": "2026/june.csv"} and not found.is_cut


def test_a_long_list_is_cut(shared: Path) -> None:
    for number in range(250):
        (shared / f"{number:03}.csv").write_text("x")
    found = CONNECTOR.describe(asked(shared))
    assert (len(found.items), found.is_cut) == (200, True)


def test_a_file_that_goes_meanwhile_is_left_out(shared: Path) -> None:
    shutil.copy(shared / "notes.csv", shared / "older.csv")
    shutil.copy(shared / "notes.csv", shared / "oldest.csv")
    listed = files_below(str(shared))
    assert next(listed)[0] == "notes.csv"
    (shared / "older.csv").unlink()
    assert [name for name, _ in listed] == ["oldest.csv", "2026/june.csv"]


def lowest_free() -> int:
    """The descriptor that is given out next."""
    given = os.open(os.devnull, os.O_RDONLY)
    os.close(given)
    return given


@pytest.mark.parametrize("file", ["gone.csv", "2026/gone.csv", "link.csv", "way/secret.csv", "pipe", "notes.csv"])
def test_what_is_refused_leaves_nothing_open(shared: Path, file: str) -> None:
    free = lowest_free()
    with contextlib.suppress(SourceFault):
        os.close(opened_file(str(shared), file))
    assert lowest_free() == free


def test_a_file_and_the_same_again(shared: Path, tmp_path: Path) -> None:
    first, content = fetch(CONNECTOR, asked(shared, "2026/june.csv"), tmp_path)
    assert (first.name, content) == ("june.csv", b"q,a\n3,4\n")
    again, content = fetch(CONNECTOR, asked(shared, "2026/june.csv", first.mark), tmp_path)
    assert again.unchanged and content == b""
    (shared / "2026" / "june.csv").write_text("q,a\n3,5\n")  # of the same size
    changed, content = fetch(CONNECTOR, asked(shared, "2026/june.csv", first.mark), tmp_path)
    assert not changed.unchanged and content == b"q,a\n3,5\n"


@pytest.mark.parametrize(
    ("file", "fault"),
    [
        ("../outside/secret.csv", SourcePathRefused),
        ("2026/../../outside/secret.csv", SourcePathRefused),
        ("/etc/passwd", SourcePathRefused),
        ("link.csv", SourcePathRefused),
        ("own.csv", SourcePathRefused),
        ("way/secret.csv", SourcePathRefused),
        ("pipe", SourcePathRefused),
        ("2026", SourcePathRefused),
        ("notes.csv/x", SourcePathRefused),
        ("a\0b", SourcePathRefused),
        (".", SourcePathRefused),
        ("gone.csv", SourceGone),
        ("x" * 300, SourceGone),
    ],
)
def test_there_is_no_way_out(shared: Path, tmp_path: Path, file: str, fault: type[SourceFault]) -> None:
    with pytest.raises(fault):
        fetch(CONNECTOR, asked(shared, file), tmp_path)


def test_a_folder_that_becomes_a_link_leads_nowhere(shared: Path, tmp_path: Path) -> None:
    shutil.rmtree(shared / "2026")
    (shared / "2026").symlink_to(tmp_path / "outside")
    with pytest.raises(SourcePathRefused):
        fetch(CONNECTOR, asked(shared, "2026/secret.csv"), tmp_path)


def test_what_nobody_opened_is_closed(shared: Path, tmp_path: Path) -> None:
    for folder in (str(tmp_path), "/", f"{shared}/2026", f"{shared}/../outside", f"{shared}/"):
        with pytest.raises(SourceFolderClosed):
            CONNECTOR.describe(asked(shared, folder=folder))
    with pytest.raises(SourceFoldersNone):
        CONNECTOR.describe(wanted(CONNECTOR, {"folder": str(shared)}, opened=Opened()))


def test_a_file_that_is_too_large_is_not_read(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceTooLarge):
        fetch(CONNECTOR, asked(shared, "notes.csv", bounds=Bounds(7, 60)), tmp_path)
    assert (tmp_path / "content").read_bytes() == b""
