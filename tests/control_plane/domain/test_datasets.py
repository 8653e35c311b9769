"""The catalogue of bad rows, each with its line, and the split."""

import hashlib
import json
from io import BytesIO
from zipfile import ZipFile, ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain.datasets import Scan, digest, held_out
from control_plane.domain.errors import EncodingUnsupported, FileUnfit, FormatUnknown

GOOD = b'{"prompt": "p", "completion": "c"}'


def scan(*lines: bytes, format: str = "", limit: int = 10_000) -> Scan:
    taken = Scan("train.jsonl", limit, format)
    for line in lines:
        taken.take(line)
    return taken


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"prompt": "p", "comple', "row_not_json"),
        (b"prompt,completion", "row_not_json"),
        (b'["prompt", "completion"]', "row_not_object"),
        (b'"text"', "row_not_object"),
        (b"null", "row_not_object"),
        (b'{"prompt": "p"}', "row_field_missing"),
        (b'{"prompt": "p", "completion": 3}', "row_field_not_text"),
        (b'{"prompt": "p", "completion": "  "}', "row_field_empty"),
        (b'{"prompt": "p", "completion": "c", "score": NaN}', "row_not_number"),
        (b'{"prompt": "p", "completion": "c", "score": -Infinity}', "row_not_number"),
        (b'{"prompt": "p", "completion": "c", "score": -1e400}', "row_not_number"),
        (b'{"prompt": "p", "completion": "c", "score": ' + b"9" * 5000 + b"}", "row_not_number"),
        (b'{"prompt": "p", "completion": "c", "prompt": "q"}', "row_field_twice"),
        (b'{"prompt": "p", "completion": "\\ud83d"}', "row_not_text"),
        (b'{"prompt": "p", "completion": "\xff\xfe"}', "row_not_utf8"),
        (b'{"prompt": "p\x00", "completion": "c"}', "row_not_json"),
        (b'{"prompt": "p", "completion": "' + b"x" * 10_000 + b'"}', "row_too_long"),
        (b'{"prompt": "p", "completion": "c", "deep": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "row_too_deep"),
        (b'{"prompt": "p", "completion": "c", "deep": ' + b"[" * 150 + b"]" * 150 + b"}", "row_too_deep"),
    ],
)
def test_each_fault_is_named_with_its_line(line: bytes, code: str) -> None:
    limit = 100_000 if code == "row_too_deep" else 10_000
    taken = scan(GOOD + b"\n", line + b"\n", GOOD + b"\n", limit=limit)
    assert taken.problem is not None and taken.problem_count == 1
    assert (taken.problem.code, taken.problem.params["line"]) == (code, 2)
    assert "line 2" in str(taken.problem)
    assert len(taken.keys) == 2


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "row_field_empty"),
        ("hello", "row_field_type_wrong"),
        (["hello"], "row_field_type_wrong"),
        ([{"role": "assistant"}], "row_field_missing"),
        ([{"role": "robot", "content": "x"}], "row_role_unknown"),
        ([{"role": "assistant", "content": None}], "row_field_not_text"),
        ([{"role": "user", "content": "x"}], "row_ends_wrong"),
    ],
)
def test_faulty_chats(messages: object, code: str) -> None:
    taken = scan(json.dumps({"messages": messages}).encode())
    assert taken.problem is not None and taken.problem.code == code


@pytest.mark.parametrize(
    ("first", "encoding"),
    [
        ('{"text": "x"}'.encode("utf-16"), "UTF-16"),
        ('{"text": "x"}'.encode("utf-16-be"), "UTF-16"),
        ('{"text": "x"}'.encode("utf-16-le"), "UTF-16"),
        ('{"text": "x"}'.encode("utf-32"), "UTF-32"),
    ],
)
def test_other_encodings_are_recognised(first: bytes, encoding: str) -> None:
    with pytest.raises(EncodingUnsupported) as caught:
        scan(first)
    assert caught.value.params["encoding"] == encoding


def test_what_is_accepted_is_cleaned_and_told() -> None:
    taken = Scan("train.jsonl", 10_000)
    stored = [taken.take(line) for line in (b"\xef\xbb\xbf" + GOOD + b"\r\n", b"\r\n", GOOD)]
    assert stored == [GOOD + b"\n", b"", GOOD + b"\n"]
    facts = taken.facts()
    assert (facts["byte_order_mark"], facts["crlf"], facts["blank_lines"], facts["duplicates"]) == (True, True, 1, 1)
    assert (facts["longest"], facts["median"]) == (2, 2)


def test_a_whole_emoji_in_escapes_is_sound() -> None:
    assert scan(b'{"text": "\\ud83d\\ude00"}').problem is None


def test_faulty_rows_are_counted_and_the_first_is_told() -> None:
    taken = scan(GOOD, b'{"prompt": "p"}', *([b"{"] * 3))
    assert taken.problem is not None
    assert (taken.problem_count, taken.problem.code, taken.problem.params["line"]) == (4, "row_field_missing", 2)


def zipped(*names: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(ZipInfo(name), "<xml/>")  # with no time of now, whose bytes may be a line's end
    return file.getvalue()


@pytest.mark.parametrize(
    ("file", "code", "kind"),
    [
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "file_kind_unsupported", "Excel"),
        (zipped("_rels/.rels", "xl/workbook.xml"), "file_kind_unsupported", "Excel"),
        (zipped("rows.jsonl"), "file_kind_unsupported", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "file_kind_unsupported", "Excel 97"),
        (b"PAR1\x15\x04", "file_kind_unsupported", "Parquet"),
        (b"%PDF-1.7", "file_kind_unsupported", "PDF"),
        (b"\x1f\x8b\x08", "file_kind_unsupported", "gzip"),
        (b"prompt,completion\r\n", "file_is_table", None),
        (b'"Meldung";"Eintrag (neu)"\n', "file_is_table", None),
        ("问题\t答案\n".encode(), "file_is_table", None),
        (b'[{"prompt": "p", "completion": "c"}]', "file_is_document", None),
        (b"[\n", "file_is_document", None),
        (b"{\n", "file_is_document", None),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(file: bytes, code: str, kind: str | None) -> None:
    with pytest.raises(FileUnfit) as caught:
        scan(file.split(b"\n", 1)[0])
    assert (caught.value.code, caught.value.params.get("kind")) == (code, kind)


@pytest.mark.parametrize("line", [b"not json, but words that go on, as people write them!", b"42", b"null", b"x"])
def test_an_odd_first_row_is_a_fault_of_that_row(line: bytes) -> None:
    assert scan(line, GOOD).problem_count == 1


@pytest.mark.parametrize(
    ("prompts", "prefix"),
    [
        (["Turn it into JSON: pump 3", "Turn it into JSON: press 4"], "Turn it into JSON: "),
        (["Turn it into JSON:\npump", "Turn it into JSON:\nlathe"], "Turn it into JSON:\n"),
        (["Turn it into JSON: Sample 3", "Turn it into JSON: Sample 4"], "Turn it into JSON: "),
        (
            ["请把这条实验记录整理成结构化数据：样品甲", "请把这条实验记录整理成结构化数据：样品乙"],
            "请把这条实验记录整理成结构化数据：",
        ),
        (
            ["Note: turn what follows into a record of 3", "Note: turn what follows into a record of 4"],
            "Note: turn what follows into a record of ",
        ),
        (["The pump is hot.", "The lathe is hot."], ""),  # no instruction, only a word
        (["Turn it into JSON: pump 3"], ""),  # one row has nothing in common
        (["Turn it into JSON: pump 3", "Is it hot?"], ""),
        (["word " * 700 + "one", "word " * 700 + "two"], "word " * 700),
        (["word " * 900 + "one", "word " * 900 + "two"], ""),  # a text that the questions are about
    ],
)
def test_how_all_prompts_begin_is_known(prompts: list[str], prefix: str) -> None:
    rows = [json.dumps({"prompt": prompt, "completion": "c"}).encode() for prompt in prompts]
    assert scan(*rows).facts()["prompt_prefix"] == prefix


def test_an_answer_that_is_an_object_is_kept_as_its_text() -> None:
    taken = Scan("train.jsonl", 10_000)
    stored = taken.take(b'{"prompt": "p", "completion": {"ph": 7.5, "by": "M\xc3\xbcller"}, "id": 3}')
    row = json.loads(stored)
    assert json.loads(row["completion"]) == {"ph": 7.5, "by": "Müller"}
    assert row["id"] == 3
    assert taken.facts()["objects"] == 1
    assert taken.facts()["answer_schema"]["required"] == ["ph", "by"]


def test_unknown_fields_are_named() -> None:
    with pytest.raises(FormatUnknown) as caught:
        scan(b'{"question": "q", "answer": "a"}')
    assert "question" in str(caught.value)


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"prompt": "p"}'])
def test_every_error_fills_its_sentence(line: bytes) -> None:
    problem = scan(GOOD, line).problem
    assert problem is not None and "?" not in str(problem)


def test_split_is_reproducible_and_keeps_equal_rows_together() -> None:
    keys = [bytes([number % 40]) for number in range(100)]
    chosen = held_out(keys, 0.2, 42)
    assert chosen == held_out(keys, 0.2, 42) != held_out(keys, 0.2, 43)
    assert not {keys[n] for n in chosen} & {keys[n] for n in range(100) if n not in chosen}
    assert len({keys[n] for n in chosen}) == 8


@pytest.mark.parametrize(("rows", "share", "expected"), [(10, 0.0, 0), (1, 0.2, 0), (2, 0.01, 1), (10, 0.5, 5)])
def test_split_leaves_something_on_each_side(rows: int, share: float, expected: int) -> None:
    assert len(held_out([bytes([n]) for n in range(rows)], share, 1)) == expected


rows_of_texts = st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=4)


@given(
    rows_of_texts
    | st.lists(rows_of_texts, max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers() | st.none())
)
def test_a_digest_is_that_of_the_sorted_json(value: object) -> None:
    written = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert digest(value) == hashlib.sha256(written.encode()).digest()[:16]
