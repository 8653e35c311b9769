"""Files that somebody made to break what reads them: each gives its error or its rows, in bounded memory."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from control_plane.domain.errors import TunesmithError
from control_plane.domain.preparation import Limits, Order, Source, Step, told
from control_plane.preparation import reading
from control_plane.preparation.reading import unpacking, workbook

ROOT = Path(__file__).parents[2]
LIMITS = Limits(row_bytes=10_000, file_bytes=10_000_000)
LINE = b'{"prompt": "p", "completion": "c"}\n'
Brought = Callable[[str, bytes], Source]


@pytest.fixture
def brought(tmp_path: Path) -> Brought:
    def write(name: str, content: bytes) -> Source:
        (tmp_path / "brought").write_bytes(content)
        return Source(name, str(tmp_path / "brought"))

    return write


def zipped(files: dict[str, bytes], of: bytes = b"") -> bytes:
    """A zip of the files; with `of`, that archive with some of them in place of its own."""
    written, whole = io.BytesIO(), dict[str, bytes]()
    if of:
        with zipfile.ZipFile(io.BytesIO(of)) as archive:
            whole = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (whole | files).items():
            archive.writestr(name, content)
    return written.getvalue()


def book(markup: bytes = b"", begin: bytes = b"", dimension: bytes = b"A1:B2") -> bytes:
    """A workbook with a heading and a row, and `markup` behind it in its sheet."""
    made, written = openpyxl.Workbook(), io.BytesIO()
    made.active.append(["question", "answer"])
    made.active.append(["why?", "because"])
    made.save(written)
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(written) as archive:
        content = archive.read(sheet)
    assert b"</sheetData>" in content and b"A1:B2" in content
    content = begin + content.replace(b"</sheetData>", markup + b"</sheetData>").replace(b"A1:B2", dimension)
    return zipped({sheet: content}, written.getvalue())


def parquet(columns: dict[str, Any], compression: str = "snappy") -> bytes:
    written = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), written, compression=compression)
    return written.getvalue()


def outcome(source: Source, limits: Limits = LIMITS) -> list[Any]:
    """What becomes of each record, by line: its fields or its error's code; or the code of what was raised."""
    read = list[Any]()
    try:
        look = reading.look(source, limits)
        json.dumps(told(look), ensure_ascii=False, allow_nan=False).encode()
        for raw in reading.records(look.source, limits):
            read.append((raw.line, raw.fault.code if raw.fault else raw.fields))
            assert raw.fault is None or {"file": source.name, "line": raw.line}.items() <= raw.fault.params.items()
    except TunesmithError as problem:
        assert problem.params["file"] == source.name
        return [problem.code]
    return read


# ---- archives


def encrypted(archive: bytes) -> bytes:
    """The archive with the mark of a password at its file."""
    central = archive.rindex(b"PK\x01\x02")
    return archive[:6] + b"\x01" + archive[7 : central + 8] + b"\x01" + archive[central + 9 :]


ARCHIVES = {
    "zip in zip": (zipped({"a.zip": zipped({"a.jsonl": LINE})}), "archive_nested"),
    "gz in zip": (zipped({"a.jsonl.gz": gzip.compress(LINE)}), "archive_nested"),
    "zip in gz": (gzip.compress(zipped({"a.jsonl": LINE})), "archive_nested"),
    "tar in gz": (gzip.compress(bytes(257) + b"ustar" + bytes(600)), "archive_nested"),
    "two files": (zipped({"a.jsonl": LINE, "b.jsonl": LINE}), "archive_not_one_file"),
    "no file": (zipped({}), "file_kind_unreadable"),
    "only folders": (zipped({"a/": b""}), "archive_not_one_file"),
    "password": (encrypted(zipped({"a.jsonl": LINE})), "archive_encrypted"),
    "gz cut off": (gzip.compress(LINE * 1000)[:-20], "file_broken"),
    "zip cut off": (zipped({"a.jsonl": LINE * 1000})[:-30], "file_broken"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "file_kind_unreadable"),
    "more than a file may have": (gzip.compress(LINE * 300_000), "file_too_large"),
    "a thousand names": (zipped({f"{number}.jsonl": b"" for number in range(1000)}), "archive_not_one_file"),
}


@pytest.mark.parametrize("attack", ARCHIVES)
def test_an_archive_is_one_file_or_an_error(brought: Brought, attack: str) -> None:
    content, code = ARCHIVES[attack]
    assert outcome(brought(attack, content)) == [code]


def test_a_bomb_is_refused_long_before_it_has_unfolded(brought: Brought, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_UNSUSPECTED", 100_000)
    bomb = gzip.compress(b"0" * 9_000_000)
    assert outcome(brought("bomb.gz", bomb)) == ["archive_swelling"]
    assert outcome(brought("bomb.zip", zipped({"a.csv": b"0" * 9_000_000}))) == ["archive_swelling"]


# ---- workbooks

ROW = (2, {"question": "why?", "answer": "because"})
CELL = b'<row r="3"><c r="A3" t="inlineStr"><is><t>%s</t></is></c></row>'
BOOKS: dict[str, tuple[bytes, list[Any]]] = {
    "a formula has the value that was last computed": (
        book(b'<row r="3"><c r="A3"><f>HYPERLINK("http://10.0.0.1")</f><v>3</v></c><c r="B3"><f>1+1</f></c></row>'),
        [ROW, (3, {"question": 3, "answer": None})],
    ),
    "a thousand empty rows": (book(b"<row/>" * 1000), [ROW]),
    "a sheet that says it is huge": (book(dimension=b"A1:XFD1048576"), [ROW]),
    "a cell beside the table": (
        book(b"<row><c><v>1</v></c></row>" * 20 + b'<row r="40"><c r="A40"><v>1</v></c><c r="Z40"><v>2</v></c></row>'),
        [ROW, *[(number, {"question": 1, "answer": None}) for number in range(3, 23)], (40, "row_ragged")],
    ),
    "a cell that is too long": (book(CELL % (b"x" * 20_000)), [ROW, (3, "row_too_long")]),
    "a cell that is far too long": (book(CELL % (b"x" * 3_000_000)), ["cell_too_long"]),
    "an error in a cell": (
        book(b'<row r="3"><c r="A3" t="e"><v>#DIV/0!</v></c><c r="B3"><v>1</v></c></row>'),
        [ROW, (3, {"question": None, "answer": 1})],
    ),
    "half a character": (
        book((CELL % b"_xD800_") + (CELL % b"_x00C4_l").replace(b"3", b"4")),
        [ROW, (3, "row_not_text"), (4, {"question": "Äl", "answer": None})],
    ),
    "hidden characters": (
        book(CELL % "\u202eab\u200bc".encode()),
        [ROW, (3, {"question": "\u202eab\u200bc", "answer": None})],
    ),
    "entities that unfold": (
        book(begin=b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'),
        ["file_broken"],
    ),
    "an entity from a file": (
        book(CELL % b"&x;", begin=b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        ["file_broken"],
    ),
    "markup that ends early": (book(b"<row"), ["file_breaks_off"]),
    "styles that would fill the memory": (zipped({"xl/styles.xml": b" " * 9_999_000}, book()), ["file_too_large"]),
}


@pytest.mark.parametrize("attack", BOOKS)
def test_a_workbook_is_its_values_and_no_more(brought: Brought, attack: str) -> None:
    content, expected = BOOKS[attack]
    assert outcome(brought("a.xlsx", content)) == expected


def test_a_workbook_says_what_is_not_read(brought: Brought) -> None:
    link = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    formula = b'<row r="3"><c r="A3"><f>[1]Other!A1</f><v>3</v></c></row>'
    content = zipped({"xl/externalLinks/externalLink1.xml": link}, book(formula))
    look = reading.look(brought("a.xlsx", content), LIMITS)
    assert look.peculiarities == {"external_links": 1, "formulas": 1}


def test_more_rows_than_a_sheet_may_have_are_refused(brought: Brought, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 50)
    assert outcome(brought("a.xlsx", book(b"<row/>" * 48))) == [ROW]
    assert outcome(brought("a.xlsx", book(b"<row/>" * 49))) == ["sheet_too_large"]
    beyond = b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row>'
    assert outcome(brought("a.xlsx", book(beyond))) == ["sheet_too_large"]


def test_a_sheet_that_is_not_there_is_said(brought: Brought) -> None:
    assert outcome(replace(brought("a.xlsx", book()), sheet="Elsewhere")) == ["sheet_missing"]


# ---- Parquet


def test_a_footer_that_lies_is_found_out(brought: Brought) -> None:
    content = parquet({"question": ["a"] * 77, "answer": ["b"] * 77})
    footer = int.from_bytes(content[-8:-4], "little")
    begin = len(content) - 8 - footer
    many = bytes([77 * 2])  # as thrift writes a small whole number
    lies = [at for at in range(begin, len(content) - 8) if content[at : at + 1] == many]
    assert lies
    for at in lies:
        lied = outcome(brought("a.parquet", content[:at] + bytes([78 * 2]) + content[at + 1 :]))
        assert lied in (["file_broken"], ["file_breaks_off"]) or len(lied) == 77
    longer = content[:-8] + (footer * 100).to_bytes(4, "little") + b"PAR1"
    assert outcome(brought("a.parquet", longer)) == ["file_broken"]


def test_cells_of_parquet_that_are_no_text_are_faults_of_their_rows(brought: Brought) -> None:
    columns = {"q": pyarrow.array([b"ok", b"\xff\xfe", b"x" * 20_000], pyarrow.binary()), "a": ["1", "2", "3"]}
    found = outcome(brought("a.parquet", parquet(columns)))
    assert found == [(1, {"q": "ok", "a": "1"}), (2, "row_field_type_wrong"), (3, "row_too_long")]
    wrong = pyarrow.Array.from_buffers(pyarrow.string(), 2, pyarrow.array([b"ok", b"\xff"]).buffers())
    assert outcome(brought("a.parquet", parquet({"q": wrong}))) == [(1, {"q": "ok"}), (2, "row_encoding_wrong")]


def test_a_bomb_in_parquet_is_refused_before_it_unfolds(brought: Brought, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large rows, which are nothing once they are packed; and of nothing at all, millions of times."""
    monkeypatch.setattr(unpacking, "_UNSUSPECTED", 100_000)
    large = {"q": [str(number) for number in range(90)], "a": [f"{'a' * 100_000}{number}" for number in range(90)]}
    nothing = {"q": pyarrow.ListArray.from_arrays([0, 5_000_000], pyarrow.nulls(5_000_000))}
    for bomb in (large, nothing):
        assert outcome(brought("a.parquet", parquet(bomb, "zstd"))) == ["archive_swelling"]
    assert outcome(brought("a.parquet", parquet(large | {"a": large["q"]}, "zstd")))[0] == (1, {"q": "0", "a": "0"})


def test_large_rows_of_parquet_are_read_in_bounded_memory(tmp_path: Path) -> None:
    """A megabyte a row, in one page of all of them, and one text of that size that comes up again and again."""
    chance = np.random.default_rng(1)
    texts = [chance.bytes(500_000).hex() for _ in range(60)]
    columns = {"q": [str(number) for number in range(60)], "a": texts, "same": [texts[0]] * 60}
    (tmp_path / "a.parquet").write_bytes(parquet(columns))
    limits = Limits(row_bytes=1 << 24, file_bytes=1 << 30, memory_bytes=900 << 20)
    assert prepared(tmp_path, Source("a.parquet", str(tmp_path / "a.parquet")), limits) == {"looked_at": 5}


# ---- tables and lines

TABLES: dict[str, tuple[bytes, list[Any]]] = {
    "ragged": (
        b"q,a\n1x,2\n3\n4,5,6\n7,8,,\n",
        [(2, {"q": "1x", "a": "2"}), (3, "row_ragged"), (4, "row_ragged"), (5, {"q": "7", "a": "8"})],
    ),
    "NUL": (b"q,a\nx\x00y,2\n", [(2, {"q": "x\x00y", "a": "2"})]),
    "nothing but NUL": (bytes(5000), ["file_kind_unreadable"]),
    "a quotation mark that does not end": (
        b'q,a\nx,1\n"y,2\nz,3\n',
        [(2, {"q": "x", "a": "1"}), (3, "row_quotes_wrong")],
    ),
    "text behind a quotation": (b'q,a\n"x" y,1\nz,2\n', [(2, "row_quotes_wrong"), (3, {"q": "z", "a": "2"})]),
    "right to left, zero width": (
        "q,a\n\u202eabc,\u200bx\n".encode(),
        [(2, {"q": "\u202eabc", "a": "\u200bx"})],
    ),
    "a cell that is too long": (
        b"q,a\nx," + b"y" * 20_000 + b"\nz,1\n",
        [(2, "row_too_long"), (3, {"q": "z", "a": "1"})],
    ),
    "half a UTF-16 character": (
        "q,a\nx,1\ny,2\n".encode("utf-16") + b"z",
        [(2, {"q": "x", "a": "1"}), (3, {"q": "y", "a": "2"}), (4, "row_ragged")],
    ),
    "a heading that is no text": (b"q\x81,a\nx,1\n", ["row_encoding_wrong"]),
    "only a heading": (b"question,answer\n", ["dataset_empty"]),
    "nothing": (b"", ["dataset_empty"]),
    "blank lines": (b"\n\n \n", ["dataset_empty"]),
}


@pytest.mark.parametrize("attack", TABLES)
def test_a_table_names_the_lines_that_are_wrong(brought: Brought, attack: str) -> None:
    content, expected = TABLES[attack]
    assert outcome(brought("a.csv", content)) == expected


def test_a_cell_of_too_many_lines_is_told_where_it_begins(brought: Brought) -> None:
    found = outcome(brought("a.csv", b'q,a\nx,1\ny,"' + b"line\n" * 2_100 + b'"\n'))
    assert found[:2] == [(2, {"q": "x", "a": "1"}), (3, "row_too_long")]


def test_bytes_that_are_nothing_in_the_encoding_are_the_fault_of_their_row(brought: Brought) -> None:
    source = replace(brought("a.csv", b"q,a\nx,1\n\xff\xff,2\n"), encoding="utf-8")
    assert outcome(source) == [(2, {"q": "x", "a": "1"}), (3, "row_encoding_wrong")]


def deep(levels: int) -> str:
    return '{"text": ' + "[" * levels + "]" * levels + "}"


JSONS: dict[str, tuple[str, list[Any]]] = {
    "10,000 levels": (deep(10_000), ["row_too_deep"]),
    "150 levels": (deep(150), ["row_too_deep"]),
    "brackets without end": ("[" * 100_000, ["row_too_deep"]),
    "a field twice": ('{"text": "x", "text": "y"}', ["row_field_twice"]),
    "NaN": ('{"text": NaN}', ["row_not_number"]),
    "5,000 digits": ('{"text": ' + "9" * 5_000 + "}", ["row_not_number"]),
    "half a character": ('{"text": "\\ud800"}', ["row_not_text"]),
    "a text that is too long": ('{"text": "' + "x" * 400_000 + '"}', ["row_too_long"]),
    "no object": ('["text"]', ["row_not_object"]),
    "not JSON": ('{"text": x}', ["row_not_json"]),
}


@pytest.mark.parametrize("attack", JSONS)
def test_json_names_the_record_that_is_wrong(brought: Brought, attack: str) -> None:
    record, (code,) = JSONS[attack]
    limits = replace(LIMITS, row_bytes=300_000)
    lines = b'{"text": "a"}\n' + record.encode() + b'\n{"text": "b"}\n'
    assert outcome(brought("a.jsonl", lines), limits) == [(1, {"text": "a"}), (2, code), (3, {"text": "b"})]
    listed = outcome(brought("a.json", b'[{"text": "a"},\n' + record.encode() + b',\n{"text": "b"}]'), limits)
    # behind what has no end nothing can be read
    assert listed in ([(1, {"text": "a"}), (2, code), (3, {"text": "b"})], [code])


def test_a_document_cut_off_anywhere_says_so(brought: Brought) -> None:
    whole = json.dumps([{"text": "a", "n": [1, 2.5, True]}, {"text": "bä"}]).encode()
    for end in range(1, len(whole)):
        found = outcome(brought("a.json", whole[:end]))
        assert found and found[0] in ("file_breaks_off", "row_not_json"), whole[:end]
    assert len(outcome(brought("a.json", whole))) == 2


def test_what_is_shown_of_a_huge_record_is_little(brought: Brought) -> None:
    huge = {f"{number:05}" + "k" * 1_000: "word " * 10 for number in range(1_000)} | {"text": "x" * 1_000_000}
    limits = replace(LIMITS, row_bytes=5_000_000)
    look = reading.look(brought("a.jsonl", json.dumps(huge).encode() + b"\n" + json.dumps(huge).encode()), limits)
    assert len(json.dumps(told(look))) < 100_000
    assert [column.name for column in look.columns] == ["text"]


# ---- 100 MB in one cell, as the process meets it


def _large(kind: str) -> tuple[str, list[bytes]]:
    """A name and the pieces of a file that has one cell of 100 MB."""
    cell = [b"x" * 1_000_000] * 100
    if kind == "csv":
        return "a.csv", [b"q,a\n1x,2\n3,", *cell, b"\n5,6\n"]
    if kind == "jsonl":
        return "a.jsonl", [b'{"text": "a"}\n{"text": "', *cell, b'"}\n{"text": "b"}\n']
    if kind == "xlsx":
        return "a.xlsx", [book(CELL % b"".join(cell))]
    if kind == "txt":
        return "a.txt", [b"One.\n\n", *cell, b"\n\nTwo.\n"]
    return "a.json", [b'[{"text": "a"}, {"text": "', *cell, b'"}]']


CUT_OFF = {"json": {"code": "row_too_long", "line": 2}, "xlsx": {"code": "cell_too_long", "line": None}}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "xlsx", "txt"])
def test_a_cell_of_100_megabytes_is_read_in_bounded_memory(tmp_path: Path, kind: str) -> None:
    name, pieces = _large(kind)
    with (tmp_path / name).open("wb") as file:
        file.writelines(pieces)
    limits = Limits(row_bytes=1 << 24, file_bytes=1 << 30, memory_bytes=700 << 20, seconds=60)
    assert prepared(tmp_path, Source(name, str(tmp_path / name)), limits) == CUT_OFF.get(kind, {"looked_at": 3})


def test_more_memory_than_the_process_may_take_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(parquet({"text": [np.random.default_rng(1).bytes(100_000_000).hex(), "y"]}))
    limits = Limits(row_bytes=1 << 24, file_bytes=1 << 30, memory_bytes=700 << 20)
    assert prepared(tmp_path, Source("a.parquet", str(tmp_path / "a.parquet")), limits) == {
        "code": "file_too_demanding",
        "line": None,
    }


def test_more_computing_than_the_process_may_do_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(book(b"<row/>" * 500_000))
    limits = Limits(row_bytes=1 << 24, file_bytes=1 << 30, seconds=1)
    found = prepared(tmp_path, Source("a.xlsx", str(tmp_path / "a.xlsx")), limits)
    assert found == {"code": "file_too_slow", "line": None}


def prepared(folder: Path, source: Source, limits: Limits) -> dict[str, Any]:
    """Let the process look at the file: how many records it looked at, or its error's code and line."""
    order = Order(Step.LOOK, source, limits)
    (folder / "order.json").write_text(json.dumps(told(order)))
    command = [sys.executable, "-P", "-m", "control_plane.preparation", str(folder)]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, timeout=120)
    assert done.returncode in (0, 2), done.stderr
    if done.returncode == 0:
        return {"looked_at": json.loads((folder / "look.json").read_text())["looked_at"]}
    failure = json.loads((folder / "failure.json").read_text())
    return {"code": failure["code"], "line": failure["params"].get("line")}
