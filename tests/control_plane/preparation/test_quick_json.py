"""The quick reader of a line of JSON says of any line what the strict one of the domain says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.domain.datasets import digest, read_row
from control_plane.domain.errors import RowsInvalid
from control_plane.preparation.blocks import key_of
from control_plane.preparation.reading import quick_json

# a text in JSON: plain and escaped signs, quotation marks behind one, two and three backslashes, half characters
TEXTS = st.lists(
    st.sampled_from(
        [r"a", r"\"", r"\\", r"\\\"", r"\n", r"\u0022", r"\u005c", r"\ud83d", r"\ude00", "ü", "{", "[", "\t", r"\x"]
    )
    | st.characters(exclude_categories=["Cs"], exclude_characters='"\\'),
    max_size=5,
).map(lambda parts: f'"{"".join(parts)}"')
NAMES = st.sampled_from(['"a"', '"b"', r'"\u0061"', '""']) | TEXTS
PLAIN = TEXTS | st.sampled_from(
    ["null", "true", "nul", "", "NaN", "-Infinity", "0", "-0", "01", "1.", "1.0", "-0.0", "1E5", "1e17", "1e400"]
)
NUMBERS = st.sampled_from(["9007199254740993", "18446744073709551616", "9" * 18, "9" * 19, "-1" + "0" * 18, "9" * 5000])


def _objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(NAMES, inner).map(lambda pair: f"{pair[0]}: {pair[1]}")
    return st.lists(pairs, max_size=4).map(lambda parts: "{" + ",".join(parts) + "}")


VALUES = st.recursive(
    PLAIN | NUMBERS, lambda inner: _objects(inner) | st.lists(inner, max_size=3).map(lambda of: f"[{','.join(of)}]")
)


def told(reader: Any, text: bytes) -> tuple[str, Any]:
    """What a reader says: the row with its types, or the fault."""
    try:
        return "row", json.dumps(reader(text))
    except RowsInvalid as problem:
        return problem.code, problem.params


@settings(max_examples=600)
@given(_objects(VALUES) | VALUES)
def test_any_line_is_read_as_strictly(line: str) -> None:
    assert told(quick_json.row_of, line.encode()) == told(read_row, line.encode())


@given(_objects(VALUES), st.integers(0), st.integers(0, 255), st.integers(0))
def test_any_damaged_line_is_read_as_strictly(line: str, place: int, byte: int, end: int) -> None:
    text = bytearray(line.encode())
    text[place % len(text)] = byte
    for damaged in (bytes(text), bytes(text[: end % len(text)])):
        assert told(quick_json.row_of, damaged) == told(read_row, damaged)


@pytest.mark.parametrize("levels", [98, 99, 100, 101, 150, 1023, 1024, 1025, 10_000, 100_000])
def test_any_depth_is_read_as_strictly(levels: int) -> None:
    for begin, end in (("[", "]"), ('{"a": ', "}")):
        line = f'{{"a": {begin * levels}0{end * levels}}}'.encode()
        assert told(quick_json.row_of, line) == told(read_row, line)


def test_ordinary_rows_are_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nothing is quick about it."""
    monkeypatch.setattr(quick_json, "read_row", None)
    for row in (
        {"prompt": 'Say "a"\n\\alpha \\" \\\\', "completion": "ü\t/"},
        {"messages": [{"role": "user", "content": '"'}, {"role": "assistant", "content": "{}[]"}]},
        {"a": 1, "b": 2.5, "c": None, "d": True, "e": [1, "x", {"f": {}}], "g": ""},
    ):
        for ascii_only in (True, False):
            assert quick_json.row_of(json.dumps(row, ensure_ascii=ascii_only).encode()) == row


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
MESSAGE = st.fixed_dictionaries({"role": TEXT, "content": TEXT})


@given(st.dictionaries(TEXT, TEXT | st.booleans() | st.lists(MESSAGE, max_size=3), max_size=4))
def test_a_key_is_the_digest_of_the_domain(row: dict[str, Any]) -> None:
    assert key_of(row) == digest(row)
