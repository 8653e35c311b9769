"""The catalogue of bad rows, each with its line, and the split."""

import json

import pytest

from control_plane.domain.datasets import Scan, held_out, recognise
from control_plane.domain.errors import EncodingUnsupported, FormatUnknown, TunesmithError

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
        (b'{"prompt": "p", "completion": 3}', "row_field_type_wrong"),
        (b'{"prompt": "p", "completion": "  "}', "row_field_empty"),
        (b'{"prompt": "p", "completion": "c", "score": NaN}', "row_not_number"),
        (b'{"prompt": "p", "completion": "c", "score": -Infinity}', "row_not_number"),
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
    assert [(problem.code, problem.params["line"]) for problem in taken.problems] == [(code, 2)]
    assert "line 2" in str(taken.problems[0])
    assert len(taken.keys) == 2


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "row_field_empty"),
        ("hello", "row_field_type_wrong"),
        (["hello"], "row_field_type_wrong"),
        ([{"role": "assistant"}], "row_field_missing"),
        ([{"role": "robot", "content": "x"}], "row_role_unknown"),
        ([{"role": "assistant", "content": None}], "row_field_type_wrong"),
        ([{"role": "user", "content": "x"}], "row_ends_wrong"),
    ],
)
def test_faulty_chats(messages: object, code: str) -> None:
    taken = scan(json.dumps({"messages": messages}).encode())
    assert [problem.code for problem in taken.problems] == [code]


@pytest.mark.parametrize(
    ("first", "encoding"),
    [
        ('{"text": "x"}'.encode("utf-16"), "UTF-16"),
        ('{"text": "x"}'.encode("utf-16-be"), "UTF-16"),
        ('{"text": "x"}'.encode("utf-16-le"), "UTF-16"),
        ('{"text": "x"}'.encode("utf-32"), "UTF-32"),
        (b"\x1f\x8b\x08", "gzip"),
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
    assert not scan(b'{"text": "\\ud83d\\ude00"}').problems


def test_only_the_first_problems_are_kept_but_all_are_counted() -> None:
    taken = scan(GOOD, *([b"{"] * 50))
    assert (taken.problem_count, len(taken.problems)) == (50, 20)


@pytest.mark.parametrize(
    ("row", "format"),
    [
        ({"messages": []}, "chat"),
        ({"prompt": "", "completion": "", "source": ""}, "prompt_completion"),
        ({"prompt": "", "chosen": "", "rejected": ""}, "preference"),
        ({"text": ""}, "text"),
        ({"prompt": ""}, ""),
    ],
)
def test_formats_are_recognised_by_their_fields(row: dict[str, object], format: str) -> None:
    assert recognise(row) == format


def test_unknown_fields_are_named() -> None:
    with pytest.raises(FormatUnknown) as caught:
        scan(b'{"question": "q", "answer": "a"}')
    assert "question" in str(caught.value)


def test_every_error_fills_its_sentence() -> None:
    problems: list[TunesmithError] = [*scan(b"{", b"[]", GOOD, b'{"prompt": "p"}').problems]
    assert len(problems) == 3
    assert not any("?" in str(problem) for problem in problems)


def test_split_is_reproducible_and_keeps_equal_rows_together() -> None:
    keys = [bytes([number % 40]) for number in range(100)]
    chosen = held_out(keys, 0.2, 42)
    assert chosen == held_out(keys, 0.2, 42) != held_out(keys, 0.2, 43)
    assert not {keys[n] for n in chosen} & {keys[n] for n in range(100) if n not in chosen}
    assert len({keys[n] for n in chosen}) == 8


@pytest.mark.parametrize(("rows", "share", "expected"), [(10, 0.0, 0), (1, 0.2, 0), (2, 0.01, 1), (10, 0.5, 5)])
def test_split_leaves_something_on_each_side(rows: int, share: float, expected: int) -> None:
    assert len(held_out([bytes([n]) for n in range(rows)], share, 1)) == expected
