"""Any table comes out of each kind of file as it went in; and any bytes at all give records or an error of ours."""

import csv
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from control_plane.domain.errors import TunesmithError
from control_plane.domain.preparation import Limits, Source, told
from control_plane.preparation import reading
from control_plane.preparation.reading import Raw, values

LIMITS = Limits(row_bytes=100_000, file_bytes=10_000_000)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = st.from_regex(r"[A-Za-zÄöß问][\w ]{0,10}[A-Za-z]", fullmatch=True)
NAMES = st.lists(NAME, min_size=2, max_size=4, unique=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
EIGHTHS = st.integers(-(10**6), 10**6).map(lambda number: number / 8)  # Excel keeps 15 digits
# every file of one test is written over the one before
quickly = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])

Brought = Callable[[str, bytes], Source]


def tables(cell: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Records of the same columns; the first cell of each is never blank, as a blank row is none."""
    return NAMES.flatmap(
        lambda names: st.lists(
            st.tuples(st.just("a"), *[cell for _ in names[1:]]).map(lambda row: dict(zip(names, row, strict=True))),
            min_size=1,
            max_size=5,
        )
    )


def fields(source: Source) -> list[dict[str, Any] | None]:
    return [raw.fields for raw in reading.records(source, LIMITS)]


@quickly
@given(tables(TEXT), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-16", "gb18030"]), st.booleans())
def test_any_table_through_csv(
    brought: Brought, table: list[dict[str, str]], delimiter: str, encoding: str, all_quoted: bool
) -> None:
    written = io.StringIO()
    quoting = csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    rows = csv.writer(written, delimiter=delimiter, quoting=quoting)
    rows.writerows([list(table[0]), *(list(record.values()) for record in table)])
    source = brought("a.csv", written.getvalue().encode(encoding))
    told = Source(source.name, source.path, "csv", encoding=encoding, delimiter=delimiter)
    assert fields(told) == table


@quickly
@given(tables(TEXT | st.none() | st.booleans() | st.integers(-(2**53), 2**53) | EIGHTHS | st.dates()))
def test_any_table_through_a_workbook(brought: Brought, table: list[dict[str, Any]]) -> None:
    texts = [value for record in table for value in record.values() if isinstance(value, str)]
    assume(not any(ILLEGAL_CHARACTERS_RE.search(text) or text.startswith("=") for text in texts))
    assume(not any("\r" in text or "_x" in text or text.startswith("#") for text in texts))
    dates = [value for record in table for value in record.values() if isinstance(value, date)]
    assume(all(value.year >= 1901 for value in dates))  # Excel has no earlier ones
    book = openpyxl.Workbook()
    for row in [list(table[0]), *(list(record.values()) for record in table)]:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    read = fields(brought("a.xlsx", written.getvalue()))
    assert read == [{name: _kept(value) for name, value in record.items()} for record in table]


def _kept(value: Any) -> Any:
    """A cell as it is read: blank ones are empty, dates are their ISO text."""
    if isinstance(value, str):
        return value if value.strip() else None
    return value.isoformat() if isinstance(value, date) else value


JSON = st.recursive(
    TEXT | st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | FINITE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@quickly
@given(st.lists(st.dictionaries(TEXT, JSON, min_size=1, max_size=4), min_size=1, max_size=5), st.booleans())
def test_any_records_through_json(brought: Brought, records: list[dict[str, Any]], ascii_only: bool) -> None:
    lines = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
    assert fields(brought("a.jsonl", lines.encode())) == records
    assert fields(brought("a.json", json.dumps(records, ensure_ascii=ascii_only, indent=1).encode())) == records


@quickly
@given(tables(TEXT | st.none()), st.lists(st.integers(-(2**63), 2**63 - 1), min_size=5, max_size=5))
def test_any_table_through_parquet(brought: Brought, table: list[dict[str, Any]], numbers: list[int]) -> None:
    rows = [record | {"n": number, "list": [number]} for record, number in zip(table, numbers, strict=False)]
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), written, row_group_size=2)
    assert fields(brought("a.parquet", written.getvalue())) == rows


@quickly
@given(st.lists(st.from_regex(r"[^\W\d][\w ,.\t]{0,30}(\n[\w,.]{1,10})?", fullmatch=True), min_size=2, max_size=5))
def test_any_paragraphs_through_plain_text(brought: Brought, paragraphs: list[str]) -> None:
    assert fields(brought("a.md", "\n\n".join(paragraphs).encode())) == [{"text": one} for one in paragraphs]


def _files() -> dict[str, bytes]:
    """A sound small file of each kind."""
    record = {"question": "Wie heiß?", "answer": "80 °C"}
    lines = (json.dumps(record) + "\n").encode() * 5
    book, parquet, archive = openpyxl.Workbook(), io.BytesIO(), io.BytesIO()
    for row in (list(record), *[list(record.values())] * 5):
        book.active.append(row)
    sheet = io.BytesIO()
    book.save(sheet)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([record] * 5), parquet)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.jsonl", lines)
    table = "question;answer\n" + "Wie heiß?;80 °C\n" * 5
    return {
        "a.jsonl": lines,
        "a.json": json.dumps([record] * 5).encode(),
        "a.csv": table.encode("windows-1252"),
        "b.csv": table.encode("utf-16"),
        "a.txt": b"Hello.\n\nBye.\n",
        "a.xlsx": sheet.getvalue(),
        "a.parquet": parquet.getvalue(),
        "a.zip": archive.getvalue(),
        "a.jsonl.gz": gzip.compress(lines),
        "a.xlsx.gz": gzip.compress(sheet.getvalue()),
    }


FILES = _files()


def outcome(source: Source, limits: Limits = LIMITS) -> list[Raw] | str:
    """The records, or the code of the error. Anything else that is raised fails the test."""
    try:
        json.dumps(told(reading.look(source, limits)), ensure_ascii=False, allow_nan=False).encode()
        return list(reading.records(source, limits))
    except TunesmithError as problem:
        assert problem.params["file"] == source.name
        return problem.code


@quickly
@given(st.binary(max_size=300), st.sampled_from(sorted(FILES)))
def test_any_bytes_give_records_or_an_error_of_ours(brought: Brought, content: bytes, name: str) -> None:
    limits = Limits(row_bytes=100, file_bytes=10_000)
    found = outcome(brought(name, content), limits)
    assert isinstance(found, str) or all(raw.fault or values.size(raw.fields) <= 1_000 for raw in found)


@pytest.mark.parametrize("name", sorted(FILES))
@settings(quickly, max_examples=10)
@given(st.integers(0, 2**32), st.integers(1, 6), st.floats(0, 1))
def test_a_damaged_file_gives_records_or_an_error_of_ours(
    brought: Brought, name: str, seed: int, changes: int, kept: float
) -> None:
    content, chance = bytearray(FILES[name]), random.Random(seed)
    for _ in range(changes):
        content[chance.randrange(len(content))] = chance.randrange(256)
    outcome(brought(name, bytes(content)))
    outcome(brought(name, bytes(content[: int(kept * len(content))])))


@pytest.mark.parametrize("name", sorted(FILES))
def test_without_damage_each_of_them_is_read(brought: Brought, name: str) -> None:
    assert len(outcome(brought(name, FILES[name]))) > 1
