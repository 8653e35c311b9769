"""What kind of file it is, told by what stands in it; its name decides only where that leaves a choice."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

from control_plane.domain import file_kinds
from control_plane.domain.errors import DatasetEmpty, FileKindUnreadable
from control_plane.domain.preparation import Limits, Source
from control_plane.preparation.reading import delimited, encodings, plain
from control_plane.preparation.reading.unpacking import HEAD, packing_of, unpacked

JSONL, JSON, CSV, PARQUET, XLSX, TEXT = "jsonl", "json", "csv", "parquet", "xlsx", "text"

_BINARY = {"Parquet": PARQUET, "Excel": XLSX}
_JSONL_NAMES = (".jsonl", ".ndjson")
_TABLE_NAMES = (".csv", ".tsv", ".tab")
_CONTROLS = 0.02  # of the characters of a text, at most
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def known(source: Source, limits: Limits, notes: Counter[str]) -> Source:
    """The source with all that is to be found out; what is told already stays. Raises FileUnfit, DatasetEmpty."""
    with Path(source.path).open("rb") as file:
        head = file.read(HEAD)
    source = replace(source, packing=source.packing or packing_of(Path(source.path), head))
    with unpacked(source, limits) as stream:
        head = stream.read(HEAD)
    if not head.strip():
        raise DatasetEmpty(file=source.name)
    if kind := source.kind or _binary(source.name, head):
        source = replace(source, kind=kind)
    return source if source.kind in _BINARY.values() else _of_text(source, limits, notes)


def _binary(file: str, head: bytes) -> str:
    """The kind of a file that is not text; empty if it is text."""
    kind = file_kinds.binary_kind(head)
    if kind and kind not in _BINARY:
        raise FileKindUnreadable(file=file, kind=kind)
    return _BINARY.get(kind, "")


def _of_text(source: Source, limits: Limits, notes: Counter[str]) -> Source:
    with unpacked(source, limits) as stream:
        encoding = encodings.of_text(source.name, stream, source.encoding)
    with unpacked(source, limits) as stream:
        notes["byte_order_mark"] += stream.peek(3).startswith(_BOMS)  # type: ignore[attr-defined]
        begin = encodings.begin(stream, encoding).lstrip("\ufeff")
    if not source.kind:
        _refuse_binary(source.name, begin)
    notes["crlf"] += "\r\n" in begin
    name = source.name.lower()
    kind = source.kind or _json(name, begin) or _table_or_text(name, begin)
    return replace(source, kind=kind, encoding=encoding, delimiter=source.delimiter or _delimiter(kind, begin))


def _refuse_binary(file: str, begin: str) -> None:
    """Refuse what has more control characters than a text may have by mishap."""
    controls = sum(begin.count(chr(code)) for code in range(32) if chr(code) not in "\t\n\r\f\x1b")
    if controls > max(8, len(begin) * _CONTROLS):
        raise FileKindUnreadable(file=file, kind="binary")


def _json(name: str, begin: str) -> str:
    """`jsonl`, `json` or nothing."""
    text = begin.lstrip()
    if not text.startswith(("{", "[")):
        return JSONL if name.endswith(_JSONL_NAMES) else ""
    if text.startswith("{") and (name.endswith(_JSONL_NAMES) or _is_lines(text)):
        return JSONL
    return JSON if text.startswith("{") or name.endswith(".json") or _is_list(text) else ""


def _is_lines(text: str) -> bool:
    """Whether an object ends in the line in which it begins; or the next line begins another, if this one is faulty."""
    lines = [line for line in text.split("\n", 20) if line.strip()]
    if len(lines) > 1 and lines[1].startswith("{"):
        return True
    try:
        return isinstance(json.loads(lines[0]), dict) and len(lines) > 1
    except (ValueError, RecursionError):
        return False


def _is_list(text: str) -> bool:
    """Whether what follows a bracket is a value of JSON, not a word."""
    return text[1:].lstrip()[:1] in tuple('{["]-0123456789tfn')


def _table_or_text(name: str, begin: str) -> str:
    if name.endswith(_TABLE_NAMES):
        return CSV
    mark = "" if name.endswith(".md") else delimited.delimiter_of(begin)
    return CSV if mark and delimited.agree(begin, mark) else TEXT


def _delimiter(kind: str, begin: str) -> str:
    if kind == CSV:
        return delimited.delimiter_of(begin) or ","
    return plain.delimiter_of(begin) if kind == TEXT else ""
