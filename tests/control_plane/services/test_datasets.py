"""Uploading: checked, split, versioned; nothing is kept of a faulty file."""

import io
import json
import tracemalloc
from dataclasses import replace

import pytest

from control_plane.blobs import Blobs
from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    DatasetEmpty,
    Denied,
    DiskFull,
    FieldInvalid,
    FileTooLarge,
    HeldOutLeak,
    NameInvalid,
    NotFound,
    RowFieldMissing,
    RowsInvalid,
    RowTooLong,
)
from control_plane.domain.permissions import EXPERT, SYSTEM, VIEWER, Actor
from control_plane.services.access import projects
from control_plane.services.datasets import json_lines, rows, versions
from control_plane.store.datasets import DatasetRecord


def jsonl(count: int, start: int = 0) -> io.BytesIO:
    rows = ({"prompt": f"p{number}", "completion": f"c{number}"} for number in range(start, start + count))
    return io.BytesIO("".join(json.dumps(row) + "\n" for row in rows).encode())


@pytest.fixture
def expert(cp: ControlPlane) -> Actor:
    project = projects.create(SYSTEM, cp, "pumps", "")
    return Actor(kind="user", id="1", name="erin", roles={project.id: EXPERT})


def kept(cp: ControlPlane) -> list[str]:
    """The files under the blobs folder."""
    return [path.name for path in (cp.settings.data / "blobs").rglob("*") if path.is_file()]


def test_upload_with_held_out_rows_and_read_back(cp: ControlPlane, expert: Actor) -> None:
    version, reused = json_lines.upload(expert, cp, "pumps", "faults", jsonl(10), jsonl(4, 100))
    assert (reused, version.number, version.format, version.split_seed) == (False, 1, "prompt_completion", None)
    assert (version.train_rows, version.test_rows) == (10, 4)
    assert rows.page(expert, cp, version.id, "test", 1, 2)[0] == {"prompt": "p101", "completion": "c101"}
    assert len(rows.page(expert, cp, version.id, limit=50)) == 10
    assert kept(cp).count("train") == 0


def test_upload_divides_by_seed(cp: ControlPlane, expert: Actor) -> None:
    version, _ = json_lines.upload(expert, cp, "pumps", "faults", jsonl(50), None, test_share=0.2, split_seed=7)
    assert (version.train_rows, version.test_rows, version.split_seed) == (40, 10, 7)
    again, reused = json_lines.upload(expert, cp, "pumps", "faults", jsonl(50), None, test_share=0.2, split_seed=7)
    assert reused and again.id == version.id
    other, reused = json_lines.upload(expert, cp, "pumps", "faults", jsonl(50), None, test_share=0.2, split_seed=8)
    assert not reused and (other.number, other.hash != version.hash) == (2, True)
    dataset, found = versions.get_dataset(expert, cp, "pumps", "faults")
    assert [item.number for item in found] == [2, 1]
    assert versions.list_datasets(expert, cp, "pumps") == [(dataset, found[0], 2)]


def test_a_faulty_row_is_named_and_nothing_is_kept(cp: ControlPlane, expert: Actor) -> None:
    bad = jsonl(3).getvalue() + b'{"prompt": "p"}\n{"prompt": "q"}\n'
    with pytest.raises(RowFieldMissing) as caught:
        json_lines.upload(expert, cp, "pumps", "faults", io.BytesIO(bad), None)
    assert (caught.value.params["line"], caught.value.params["count"]) == (4, 2)
    with pytest.raises(RowFieldMissing) as caught:
        json_lines.upload(expert, cp, "pumps", "faults", jsonl(3), io.BytesIO(b'{"prompt": "p"}\n'))
    assert caught.value.params["file"] == "test.jsonl"
    assert kept(cp) == [] and DatasetRecord.select().count() == 0


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_empty_files(cp: ControlPlane, expert: Actor, content: bytes) -> None:
    with pytest.raises(DatasetEmpty):
        json_lines.upload(expert, cp, "pumps", "faults", io.BytesIO(content), None)


class Endless(io.RawIOBase):
    """One line of `size` bytes that no buffer ever holds."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        count = min(len(buffer), self.left)
        buffer[:count] = b"x" * count
        self.left -= count
        return count


def test_a_line_of_100_megabytes_takes_bounded_memory(cp: ControlPlane, expert: Actor) -> None:
    cp = replace(cp, settings=replace(cp.settings, max_row_bytes=1 << 20))
    tracemalloc.start()
    with pytest.raises(RowTooLong) as caught:
        json_lines.upload(expert, cp, "pumps", "faults", io.BufferedReader(Endless(100_000_000)), None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.params["line"] == 1
    assert peak < 16 << 20


def test_a_file_over_the_limit_is_refused_while_it_comes(cp: ControlPlane, expert: Actor) -> None:
    cp = replace(cp, settings=replace(cp.settings, max_upload_bytes=1000))
    stream = jsonl(1000)
    with pytest.raises(FileTooLarge):
        json_lines.upload(expert, cp, "pumps", "faults", stream, None)
    assert stream.tell() < 2000 and kept(cp) == []


def test_held_out_rows_must_not_be_trained_on(cp: ControlPlane, expert: Actor) -> None:
    with pytest.raises(HeldOutLeak) as caught:
        json_lines.upload(expert, cp, "pumps", "faults", jsonl(10), jsonl(5, 8))
    assert (caught.value.params["count"], caught.value.params["line"]) == (2, 1)


def test_a_full_disk_refuses_and_keeps_nothing(cp: ControlPlane, expert: Actor) -> None:
    cp = replace(cp, blobs=Blobs(cp.settings.data / "blobs", 1 << 30, lambda _: (1 << 30) + 10))
    with pytest.raises(DiskFull):
        json_lines.upload(expert, cp, "pumps", "faults", jsonl(1000), None)
    assert kept(cp) == []


def test_rights_and_names(cp: ControlPlane, expert: Actor) -> None:
    project = next(iter(expert.roles))
    viewer = Actor(kind="user", id="2", name="vic", roles={project: VIEWER})
    stranger = Actor(kind="user", id="3", name="sam")
    version, _ = json_lines.upload(expert, cp, "pumps", "faults", jsonl(10), None)
    assert versions.get_version(viewer, cp, version.id).id == version.id
    with pytest.raises(Denied):
        json_lines.upload(viewer, cp, "pumps", "faults", jsonl(10), None)
    for look in (
        lambda: versions.get_version(stranger, cp, version.id),
        lambda: rows.page(stranger, cp, version.id),
        lambda: versions.list_datasets(stranger, cp, "pumps"),
        lambda: rows.page(viewer, cp, version.id, "validation"),
        lambda: versions.get_dataset(viewer, cp, "pumps", "nothing"),
    ):
        with pytest.raises(NotFound):
            look()
    with pytest.raises(NameInvalid):
        json_lines.upload(expert, cp, "pumps", "Faults 1", jsonl(10), None)
    with pytest.raises(FieldInvalid):
        json_lines.upload(expert, cp, "pumps", "faults", jsonl(10), None, test_share=0.9)


def test_faulty_rows_are_left_out_on_request_and_kept_to_be_mended(cp: ControlPlane, expert: Actor) -> None:
    faulty = jsonl(10).getvalue() + b'{"prompt": "only"}\nno json\n'
    with pytest.raises(RowsInvalid):
        json_lines.upload(expert, cp, "pumps", "faults", io.BytesIO(faulty), None)
    version, _ = json_lines.upload(expert, cp, "pumps", "faults", io.BytesIO(faulty), None, faulty="leave_out")
    assert (version.train_rows + version.test_rows, version.left_out_rows) == (10, 2)
    assert rows.page(expert, cp, version.id, "left_out") == [
        {"file": "train.jsonl", "line": 11, "row": '{"prompt": "only"}'},
        {"file": "train.jsonl", "line": 12, "row": "no json"},
    ]
    assert list(rows.left_out(expert, cp, version.id)) == ['{"prompt": "only"}\n', "no json\n"]
    assert version.left_out_sha256 in kept(cp)
    with pytest.raises(RowsInvalid):  # nothing would be left
        json_lines.upload(
            expert, cp, "pumps", "faults", io.BytesIO(b'{"prompt": "", "completion": "c"}\n'), None, faulty="leave_out"
        )
