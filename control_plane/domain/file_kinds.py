"""What a file is that is no JSON Lines, by how it begins: one sentence says it, in place of a fault in each line."""

from __future__ import annotations

import json
import re

from control_plane.domain.errors import EncodingUnsupported, FileIsDocument, FileIsTable, FileKindUnsupported

_ENCODINGS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_OFFICE = ((b"xl/", "Excel"), (b"word/", "Word"), (b"ppt/", "PowerPoint"))
_KINDS = (
    (b"\xd0\xcf\x11\xe0", "Excel 97"),
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"),
    (b"%PDF", "PDF"),
    (b"SQLite format 3", "SQLite"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
)
_ARCHIVES = ("zip", "gzip", "Zstandard", "bzip2", "xz", "7-Zip", "RAR", "tar")
_TAR = (257, b"ustar")
_HEADING = re.compile(r"[\w .#/()-]{1,40}")  # a cell of a table's first row, without its quotation marks
_LONGEST_HEADING = 4096  # bytes
_DELIMITERS = "\t;,"


def refuse(file: str, line: bytes) -> None:
    """Raise what says that a file with this first line is no JSON Lines; an odd line of JSON Lines passes.

    Raises EncodingUnsupported, FileKindUnsupported, FileIsDocument, FileIsTable.
    """
    for magic, encoding in _ENCODINGS:
        if line.startswith(magic):
            raise EncodingUnsupported(file=file, encoding=encoding)
    if kind := binary_kind(line):
        raise FileKindUnsupported(file=file, kind=kind)
    if b"\x00" in line[:4]:  # UTF-16 without a mark: each other byte of `{"` is zero
        raise EncodingUnsupported(file=file, encoding="UTF-16")
    text = line[:_LONGEST_HEADING].strip()
    if text == b"{" or text.startswith(b"["):
        raise FileIsDocument(file=file)
    if len(line) < _LONGEST_HEADING and _is_heading(text):
        raise FileIsTable(file=file)


def binary_kind(head: bytes) -> str:
    """The kind of a file that is not text, by its first bytes; empty if they tell none."""
    if head.startswith(b"PK\x03\x04"):
        return next((kind for part, kind in _OFFICE if part in head), _zip(head))
    if head[_TAR[0] :].startswith(_TAR[1]):
        return "tar"
    return next((kind for begin, kind in _KINDS if head.startswith(begin)), "")


def is_archive(head: bytes) -> bool:
    """Whether these first bytes are an archive's; an office file is none."""
    return binary_kind(head) in _ARCHIVES


def _zip(line: bytes) -> str:
    """Office files begin with their table of contents, whose name alone does not say which of them it is."""
    return "Excel" if b"[Content_Types].xml" in line[:100] or b"_rels/" in line[:100] else "zip"


def _is_heading(text: bytes) -> bool:
    """Whether a line looks like the names of a table's columns."""
    if text.startswith(b"{") or _is_json(text):
        return False
    words = text.decode("utf-8", "replace")
    mark = next((mark for mark in _DELIMITERS if mark in words), "")
    cells = [cell.strip().strip('"') for cell in words.split(mark)] if mark else []
    return len(cells) > 1 and all(_HEADING.fullmatch(cell) for cell in cells)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
