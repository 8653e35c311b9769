"""Where the steps of a graph stand in its drawing, and how texts are fitted into them."""

from __future__ import annotations

import random

import pytest

from control_plane.domain.workflows import layout
from control_plane.domain.workflows.layout import HEIGHT, WIDTH, Drawing

CASE = {
    "data": [],
    "import": [],
    "train": ["import", "data"],
    "evaluate": ["train", "import", "data"],
    "package": ["train", "evaluate"],
    "deploy": ["package"],
}
FAN = {
    "data": [],
    **{f"train_{one}": ["data"] for one in range(4)},
    **{f"exam_{one}": [f"train_{one}", "data"] for one in range(4)},
    "pack": [f"exam_{one}" for one in range(4)],
}


def anything(steps: int, seed: int) -> dict[str, list[str]]:
    """A graph in which each step waits for up to three earlier ones."""
    chance = random.Random(seed)
    names = [f"s{number}" for number in range(steps)]
    return {name: chance.sample(names[:at], min(at, chance.randrange(4))) for at, name in enumerate(names)}


def top(drawing: Drawing) -> dict[str, float]:
    return {one.name: one.y for one in drawing.boxes}


def test_each_step_stands_below_those_that_it_waits_for() -> None:
    for before in (CASE, FAN, *(anything(30, seed) for seed in range(20))):
        drawing = layout.drawn(before)
        tops = top(drawing)
        assert [one.name for one in drawing.boxes] == list(before)
        assert all(tops[one] + HEIGHT < tops[step] for step, others in before.items() for one in others)


def test_no_two_steps_lie_upon_each_other_and_all_are_within() -> None:
    for before in (CASE, FAN, *(anything(30, seed) for seed in range(20))):
        drawing = layout.drawn(before)
        places = [(one.x, one.y) for one in drawing.boxes]
        assert all(
            abs(x - other) >= WIDTH
            for at, (x, y) in enumerate(places)
            for other, other_y in places[at + 1 :]
            if y == other_y
        )
        assert all(x >= 0 and x + WIDTH <= drawing.width and y >= 0 and y + HEIGHT <= drawing.height for x, y in places)


def test_a_line_is_drawn_only_where_no_longer_way_says_the_same() -> None:
    lines = {(one.source, one.target) for one in layout.drawn(CASE).lines}
    assert lines == {
        ("data", "train"),
        ("import", "train"),
        ("train", "evaluate"),
        ("evaluate", "package"),
        ("package", "deploy"),
    }


def test_no_line_runs_through_a_step() -> None:
    for before in (CASE, FAN, *(anything(30, seed) for seed in range(20))):
        drawing = layout.drawn(before)
        for line in drawing.lines:
            (_, y), *passed, (_, to_y) = line.points
            assert (y, to_y) == (top(drawing)[line.source] + HEIGHT, top(drawing)[line.target])
            for (at, upper), (below, lower) in zip(passed[::2], passed[1::2], strict=True):
                assert (at, lower - upper) == (below, HEIGHT)  # upright, for the height of a row
                assert not [one for one in drawing.boxes if one.y == upper and one.x <= at <= one.x + WIDTH]


def test_branches_that_need_not_cross_do_not() -> None:
    crossed = {
        "a": [], "b": [], "c": [],
        "a2": ["c"], "b2": ["b"], "c2": ["a"],
    }  # fmt: skip
    drawing = layout.drawn(crossed)
    at = {one.name: one.x for one in drawing.boxes}
    order = sorted("abc", key=at.__getitem__)
    below = sorted(("c2", "b2", "a2"), key=at.__getitem__)
    assert [{"a2": "c", "b2": "b", "c2": "a"}[one] for one in below] == order


def test_nothing_is_drawn_of_nothing() -> None:
    drawing = layout.drawn({})
    assert (drawing.boxes, drawing.lines) == ((), ())


def test_a_large_graph_is_drawn_the_same_each_time() -> None:
    assert layout.drawn(anything(200, 7)) == layout.drawn(anything(200, 7))


def test_a_path_leaves_and_arrives_upright() -> None:
    line = layout.Line("a", "b", ((10.0, 20.0), (50.5, 60.0)))
    assert line.path == "M10 20C10 40 50.5 40 50.5 60"


@pytest.mark.parametrize(
    ("text", "lines", "found"),
    [
        ("Train", 1, ["Train"]),
        ("", 2, []),
        ("Compare both on held-out rows", 2, ["Compare both on", "held-out rows"]),
        ("Auf zurückgehaltenen Zeilen vergleichen", 2, ["Auf zurückgehaltenen", "Zeilen vergleichen"]),
        ("比较两个模型在保留行上的回答质量", 2, ["比较两个模型在保留行上的", "回答质量"]),
        ("Grundwassermessstellenverzeichnis", 1, ["Grundwassermessstelle…"]),
        ("one two three four five six seven eight nine", 2, ["one two three four", "five six seven eight…"]),
    ],
)
def test_a_text_is_fitted_into_its_lines(text: str, lines: int, found: list[str]) -> None:
    written = layout.written(text, 170, 14, lines)
    assert written == found
