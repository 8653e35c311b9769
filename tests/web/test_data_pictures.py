"""The words that differ between two texts, and the picture of lengths."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web import histograms, word_differences


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("It is hot.", "It is cold.", [("same", "It is "), ("removed", "hot"), ("added", "cold"), ("same", ".")]),
        ("泵很热", "泵很冷", [("same", "泵很"), ("removed", "热"), ("added", "冷")]),
        ("", "new", [("added", "new")]),
        ("same", "same", [("same", "same")]),
        ("a " * 400, "b", [("removed", "a " * 400), ("added", "b")]),
        ("a  b\n", "a b\n", [("removed", "a  "), ("added", "a "), ("same", "b\n")]),
        ("very very good", "very good", [("same", "very "), ("removed", "very "), ("same", "good")]),
    ],
)  # fmt: skip
def test_words_that_differ(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert word_differences.compare(old, new) == word_differences.Compared(pieces)


LONG = " ".join(f"word{number}" for number in range(5_000))
REPETITIVE = "".join(f"x, {number}1 " for number in range(120))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"Begin {'x ' * 900}end.", f"Begin {'y ' * 900}end."),
        (f"Begin {REPETITIVE}end.", f"Begin {REPETITIVE.replace('1', '2')}end."),
    ],
    ids=["long", "repetitive"],
)  # fmt: skip
def test_what_would_take_too_long_is_shown_whole_and_said(old: str, new: str) -> None:
    start = time.thread_time()
    compared = word_differences.compare(old, new)
    assert time.thread_time() - start < 0.5
    assert compared.is_whole
    (first, begin), (second, _), (third, _), (last, end) = compared.pieces
    assert (first, second, third, last) == ("same", "removed", "added", "same")
    assert begin.startswith("Begin ") and end.endswith("end.")


def test_one_word_in_a_long_text_is_found() -> None:
    compared = word_differences.compare(LONG, LONG.replace("word2500 ", "other "))
    assert not compared.is_whole
    assert [piece for piece in compared.pieces if piece[0] != "same"] == [("removed", "word2500 "), ("added", "other ")]


def test_of_very_long_texts_what_differs_is_shown_and_something_around_it() -> None:
    old = "x" * 3_000_000 + "old" + "y" * 3_000_000
    start = time.thread_time()
    compared = word_differences.compare(old, old.replace("old", "new"))
    assert time.thread_time() - start < 1
    assert compared.is_whole
    assert compared.pieces == [
        ("same", f"…{'x' * 2_000}"), ("removed", "old"), ("added", "new"), ("same", f"{'y' * 2_000}…"),
    ]  # fmt: skip
    assert word_differences.compare(old, old).pieces == [("same", f"{'x' * 2_000}…")]
    assert word_differences.compare(old, old[:-1]).pieces == [("same", f"…{'y' * 2_000}"), ("removed", "y")]
    assert word_differences.compare("", old).pieces == [("added", f"{'x' * 2_000}…")]


@given(st.text("ab ,\n", max_size=40), st.text("ab ,\n", max_size=40))
def test_the_pieces_are_the_two_texts(old: str, new: str) -> None:
    pieces = word_differences.compare(old, new).pieces
    assert "".join(text for kind, text in pieces if kind != "added") == old
    assert "".join(text for kind, text in pieces if kind != "removed") == new


def test_a_bar_for_each_span_and_a_line_at_the_limit() -> None:
    picture = histograms.draw([0, 10, 20], [2, 4, 1], limit=15)
    assert picture is not None
    assert [(bar.low, bar.high, bar.count) for bar in picture.bars] == [(0, 10, 2), (10, 20, 4), (20, None, 1)]
    assert max(picture.bars, key=lambda bar: bar.height).count == 4
    assert {round(bar.y + bar.height, 1) for bar in picture.bars} == {picture.ground}
    assert picture.limit_x == 300.0  # in the middle of the second bar, each 200 wide


def test_a_limit_beyond_the_longest_row_is_not_drawn_and_no_rows_are_no_picture() -> None:
    picture = histograms.draw([0, 10], [2, 1], limit=8192)
    assert picture is not None and picture.limit_x is None
    assert histograms.draw([0, 10], [0, 0]) is None
    assert histograms.draw([], []) is None
