"""The archive of a case: the same case gives the same bytes, and what a stranger packs stays within its limits."""

from __future__ import annotations

import io
import json
import random
import struct
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest

from control_plane.domain import errors
from control_plane.domain.cases import archive

PLAN = {"display": {"en": "Pumps"}, "steps": []}
FILES = {"train.jsonl": b'{"prompt": "a", "completion": "b"}\n', "test.jsonl": b""}


def zipped(entries: dict[str, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with ZipFile(target, "w", compression) as opened:
        for name, data in entries.items():
            opened.writestr(name, data)
    return target.getvalue()


def test_what_is_packed_is_unpacked_and_the_same_every_time() -> None:
    packed = archive.packed(PLAN, FILES)
    assert packed == archive.packed(dict(reversed(PLAN.items())), dict(reversed(FILES.items())))
    assert archive.unpacked(packed) == (PLAN, FILES)
    assert archive.unpacked(archive.packed(PLAN, {})) == (PLAN, {})


@pytest.mark.parametrize(
    "path",
    [
        "../case.json",
        "/etc/passwd",
        "case.json/",
        "sub/train.jsonl",
        "generate.py",
        "CASE.JSON",
        "train.jsonl\x1b[31m",
        "x" * 300,
    ],
)
def test_no_other_file_is_looked_at(path: str) -> None:
    with pytest.raises(errors.CaseFileRefused) as refused:
        archive.unpacked(zipped({"case.json": b"{}", path: b"x"}))
    assert str(refused.value.params["path"]).isascii() and len(str(refused.value.params["path"])) <= 80


def test_a_file_that_occurs_twice_is_refused() -> None:
    target = io.BytesIO()
    with ZipFile(target, "w") as opened, pytest.warns(UserWarning, match="Duplicate"):
        opened.writestr("case.json", "{}")
        opened.writestr("case.json", '{"display": {}}')
    with pytest.raises(errors.CaseFileRefused):
        archive.unpacked(target.getvalue())


@pytest.mark.parametrize("name", ["case.json", "train.jsonl", "test.jsonl"])
def test_a_bomb_is_unpacked_no_further_than_the_limit(name: str) -> None:
    bomb = zipped({"case.json": b"{}"} | {name: b"0" * (archive.LARGEST_DATA + 1)})
    assert len(bomb) < 20_000
    with pytest.raises(errors.CaseTooLarge):
        archive.unpacked(bomb)


def test_two_parts_share_the_limit() -> None:
    half = b" " * (archive.LARGEST_DATA // 2 + 1)
    with pytest.raises(errors.CaseTooLarge):
        archive.unpacked(zipped({"case.json": b"{}", "train.jsonl": half, "test.jsonl": half}))


def test_a_size_that_lies_gets_nothing_more() -> None:
    """The header promises 5 bytes, the stream holds more than the limit."""
    bomb = bytearray(zipped({"case.json": b"{}", "train.jsonl": b"0" * (archive.LARGEST_DATA + 1)}))
    size = struct.pack("<I", archive.LARGEST_DATA + 1)
    while (place := bomb.find(size)) >= 0:
        bomb[place : place + 4] = struct.pack("<I", 5)
    with pytest.raises((errors.CaseTooLarge, errors.CaseArchiveUnreadable)):
        archive.unpacked(bytes(bomb))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"PK", b"\x00" * 100, b"PK\x03\x04" + b"\xff" * 200,
        zipped({}), zipped({"train.jsonl": b""}), zipped({"case.json": b"{"}), zipped({"case.json": b"\xff\xfe{}"}),
        zipped({"case.json": b"[]"}), zipped({"case.json": b'{"minutes": NaN}'}), zipped({"case.json": b"[" * 100_000}),
        zipped({"case.json": b'{"minutes": ' + b"9" * 5000 + b"}"}), zipped({"case.json": b"{}"}, ZIP_BZIP2),
        zipped({"case.json": json.dumps(PLAN).encode() * 3})[:-30],
    ],
)  # fmt: skip
def test_what_is_no_case_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(errors.CaseArchiveUnreadable):
        archive.unpacked(data)


def test_an_archive_has_a_size_that_one_message_takes() -> None:
    with pytest.raises(errors.CaseTooLarge):
        archive.unpacked(b"x" * (archive.LARGEST + 1))
    with pytest.raises(errors.CaseTooLarge):
        archive.packed(PLAN, {"train.jsonl": random.Random(1).randbytes(archive.LARGEST)})
