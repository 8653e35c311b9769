"""The words that differ between two texts, and the picture of lengths."""

from __future__ import annotations

import pytest

from web import histograms, word_differences


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("It is hot.", "It is cold.", [("same", "It is "), ("removed", "hot"), ("added", "cold"), ("same", ".")]),
        ("泵很热", "泵很冷", [("same", "泵很"), ("removed", "热"), ("added", "冷")]),
        ("", "new", [("added", "new")]),
        ("same", "same", [("same", "same")]),
        ("a " * 400, "b", [("removed", "a " * 400), ("added", "b")]),
    ],
)  # fmt: skip
def test_words_that_differ(old: str, new: str, pieces: list[tuple[str, str]]) -> None:
    assert word_differences.pieces(old, new) == pieces


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
