"""Each kind of file that people bring: what it is taken for, and its records."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from control_plane.domain.preparation import Limits, Look, Source
from control_plane.preparation import reading
from control_plane.preparation.reading import Raw

Brought = Callable[[str, bytes], Source]
LIMITS = Limits(row_bytes=100_000, file_bytes=10_000_000)
RECORDS = [{"Frage": "Wie heiß, bitte?", "Antwort": "Größer als 80"}, {"Frage": 'Was "ist" das;', "Antwort": "ein Ä"}]


def fields(raws: list[Raw]) -> list[dict[str, Any] | None]:
    return [raw.fields for raw in raws]


def read(source: Source) -> tuple[Look, list[Raw]]:
    """What a look found, and the records as they are read by what it found out."""
    look = reading.look(source, LIMITS)
    return look, list(reading.records(look.source, LIMITS))


def table(delimiter: str = ",") -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if set(cell) & set('",;\t|\n') else cell

    rows = [list(RECORDS[0]), *(list(record.values()) for record in RECORDS)]
    return "".join(delimiter.join(map(quoted, row)) + "\n" for row in rows)


def sheet(*rows: list[Any], title: str = "Notizen") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def parquet(columns: dict[str, list[Any]]) -> bytes:
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), written)
    return written.getvalue()


def zipped(**files: bytes) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return written.getvalue()


LINES = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_whatever_its_delimiter_and_encoding(brought: Brought, delimiter: str, encoding: str) -> None:
    look, raws = read(brought("notes.csv", table(delimiter).encode(encoding)))
    assert (look.source.kind, look.source.delimiter) == ("csv", delimiter)
    assert look.source.encoding == encoding.removesuffix("-sig")
    assert fields(raws) == RECORDS
    assert [raw.line for raw in raws] == [2, 3]


def test_a_chinese_table_in_gb18030_is_read_as_such(brought: Brought) -> None:
    text = "问题,答案\n什么是机器学习？,机器学习是人工智能的一个分支。\n今天天气如何？,晴，二十度。\n"
    look, raws = read(brought("数据.csv", text.encode("gb18030")))
    assert look.source.encoding == "gb18030"
    assert look.mapping.parts == {"prompt": ["问题"], "completion": ["答案"]}
    assert fields(raws)[1] == {"问题": "今天天气如何？", "答案": "晴，二十度。"}


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        *[("windows-1252", one) for one in ("für", "Größe", "20 °C", "„so“ – ja", "café", "Ærø", "niño", "½ µm", "ÖL")],
        *[("gb18030", one) for one in ("你好", "温度 20 摄氏度", "机器故障：水泵过热。", "名称\n甲")],
    ],
)
def test_few_letters_beyond_ascii_tell_the_encoding(brought: Brought, encoding: str, words: str) -> None:
    look = reading.look(brought("a.txt", words.encode(encoding)), LIMITS)
    assert (look.source.encoding, look.samples[0]) == (encoding, {"text": words.split("\n")[0]})


def test_a_first_letter_beyond_ascii_far_into_the_file_decides_its_encoding(brought: Brought) -> None:
    text = "question,answer\n" + ("plain," + "w" * 2000 + "\n") * 600 + "Größe,Maß\n"
    look, raws = read(brought("late.csv", text.encode("windows-1252")))
    assert look.source.encoding == "windows-1252"
    assert raws[-1].fields == {"question": "Größe", "answer": "Maß"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_lines_are_read_in_any_unicode(brought: Brought, encoding: str) -> None:
    look, raws = read(brought("rows.jsonl", ("\n" + LINES).encode(encoding)))
    assert (look.source.kind, fields(raws)) == ("jsonl", RECORDS)
    assert [raw.line for raw in raws] == [2, 3]


def test_utf_16_that_is_told_needs_no_mark(brought: Brought) -> None:
    for encoding in ("utf-16-be", "utf-16-le"):
        told = replace(brought("a.csv", table().encode(encoding)), encoding="utf-16")
        assert read(told)[0].source.encoding == encoding
    wrongly = replace(brought("a.csv", table().encode()), kind="text", encoding="utf-16")
    assert read(wrongly)[0].source.encoding == "utf-16-le"  # as it was told, and what comes of it is to be seen


@pytest.mark.parametrize(
    "document",
    [
        json.dumps(RECORDS),
        json.dumps({"version": "1.0", "licence": {"is": ["free"]}, "data": RECORDS}),
        json.dumps(RECORDS[0], indent=1) + "\n" + json.dumps(RECORDS[1], indent=1),
    ],
)
def test_a_json_document_gives_its_objects(brought: Brought, document: str) -> None:
    look, raws = read(brought("rows.json", document.encode()))
    assert (look.source.kind, fields(raws)) == ("json", RECORDS)
    assert [raw.line for raw in raws] == [1, 2]


def test_a_document_longer_than_a_chunk_is_read_whole(brought: Brought) -> None:
    many = [{"text": f"{number} " + "word " * (number % 500)} for number in range(2000)]
    _, raws = read(brought("rows.json", json.dumps(many).encode()))
    assert fields(raws) == many


def test_parquet_gives_its_rows_with_dates_as_texts(brought: Brought) -> None:
    columns = {
        "text": ["a", None],
        "at": [datetime.fromisoformat("2024-03-01T12:00"), None],
        "day": [date(2024, 3, 1), None],
    }
    look, raws = read(brought("rows.parquet", parquet({**columns, "n": [1.5, float("nan")]})))
    assert look.source.kind == "parquet"
    assert fields(raws) == [
        {"text": "a", "at": "2024-03-01T12:00:00", "day": "2024-03-01", "n": 1.5},
        {"text": None, "at": None, "day": None, "n": None},
    ]


def test_a_workbook_gives_the_rows_below_its_heading(brought: Brought) -> None:
    rows = [
        ["Laborbuch 2024"],
        [],
        ["Notiz", "Datum", "Wert"],
        ["Die Pumpe ist heiß.", datetime.fromisoformat("2024-03-01"), 20.5],
    ]
    look, raws = read(brought("labor.xlsx", sheet(*rows)))
    assert (look.source.kind, look.sheets) == ("xlsx", ["Notizen"])
    assert look.peculiarities["rows_above_heading"] == 1
    assert [(raw.line, raw.fields) for raw in raws] == [
        (4, {"Notiz": "Die Pumpe ist heiß.", "Datum": "2024-03-01", "Wert": 20.5})
    ]


def test_plain_text_gives_its_paragraphs_or_its_lines(brought: Brought) -> None:
    look, raws = read(brought("a.txt", b"One line,\nand another.\n\n\nA second, longer paragraph.\n"))
    assert (look.source.kind, [(raw.line, raw.fields) for raw in raws]) == (
        "text",
        [(1, {"text": "One line,\nand another."}), (5, {"text": "A second, longer paragraph."})],
    )
    _, raws = read(brought("a.txt", b"One line,\r\nand another.\r\n"))
    assert fields(raws) == [{"text": "One line,"}, {"text": "and another."}]


@pytest.mark.parametrize("packed", [gzip.compress, lambda content: zipped(**{"in/rows": content, "__MACOSX/x": b"x"})])
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("jsonl", LINES.encode()),
        ("csv", table(";").encode("windows-1252")),
        ("xlsx", sheet(list(RECORDS[0]), *(list(record.values()) for record in RECORDS))),
        ("parquet", parquet({name: [record[name] for record in RECORDS] for name in RECORDS[0]})),
    ],
)
def test_one_file_in_an_archive_is_read_as_if_it_lay_there(
    brought: Brought, kind: str, content: bytes, packed: Callable[[bytes], bytes]
) -> None:
    look, raws = read(brought("packed", packed(content)))
    assert (look.source.kind, fields(raws)) == (kind, RECORDS)


def test_a_table_without_a_heading_gets_names(brought: Brought) -> None:
    look, raws = read(brought("a.csv", b"1,hello\n2,bye\n"))
    assert look.peculiarities["no_heading"] == 1
    assert fields(raws) == [{"column 1": "1", "column 2": "hello"}, {"column 1": "2", "column 2": "bye"}]


def test_headings_that_are_missing_or_come_twice_are_told_apart(brought: Brought) -> None:
    _, raws = read(brought("a.csv", b"note,,note\na,b,c\n"))
    assert fields(raws) == [{"note": "a", "column 2": "b", "note (2)": "c"}]


def test_the_delimiter_that_excel_writes_into_a_file_is_taken(brought: Brought) -> None:
    _, raws = read(brought("a.csv", b"sep=|\r\nq,x|a\r\none,two|three\r\n"))
    assert [(raw.line, raw.fields) for raw in raws] == [(3, {"q,x": "one,two", "a": "three"})]


def test_quotation_marks_with_a_backslash_are_read_where_a_file_has_them(brought: Brought) -> None:
    _, raws = read(brought("a.csv", b'q,a\n"say \\"hi\\", please",x\n'))
    assert fields(raws) == [{"q": 'say "hi", please', "a": "x"}]


def test_progress_ends_with_the_whole_file(brought: Brought) -> None:
    source, told = brought("rows.jsonl", LINES.encode() * 1000), list[tuple[int, int]]()
    count = sum(1 for _ in reading.records(source, LIMITS, lambda done, of: told.append((done, of))))
    assert count == 2000
    assert told == sorted(told)
    assert told[-1] == (len(LINES.encode()) * 1000,) * 2
