"""Where the steps of a graph stand in a drawing: in rows from top to bottom, each below all that it waits for.

A line is drawn only where no longer way says the same already: what waits for `b`, which waits for `a`, waits for `a`.
A line that passes rows keeps a lane of its own in each of them, so that it never runs through a step. Rows are ordered
by where their neighbours stand, downwards and upwards in turn, which undoes most crossings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import east_asian_width

WIDTH, HEIGHT = 212, 68  # of a step, in pixels
GAP, DROP = 20, 32  # between two of a row, and between two rows
MARGIN = 4  # around it all: the ring around what has the focus
_LANE = 20  # the width of a line that passes a row
_SWEEPS = 6
_PASSING = ">"  # what the name of a passing line begins with, and no step's
_NARROW = (
    0.55  # of the font's size: how wide a letter is on average; a Chinese character is as wide as the font is high
)

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A step: its upper left corner."""

    name: str
    x: float
    y: float


@dataclass(frozen=True)
class Line:
    """From a step to one that waits for it, through these points."""

    source: str
    target: str
    points: tuple[Point, ...]

    @property
    def path(self) -> str:
        """The `d` of an SVG path: upright where it leaves, passes and arrives, curved in between."""
        drawn = [f"M{_n(self.points[0][0])} {_n(self.points[0][1])}"]
        for (x, y), (to_x, to_y) in pairwise(self.points):
            middle = _n((y + to_y) / 2)
            drawn.append(f"C{_n(x)} {middle} {_n(to_x)} {middle} {_n(to_x)} {_n(to_y)}")
        return "".join(drawn)


@dataclass(frozen=True)
class Drawing:
    """All of it, in pixels; the boxes in the graph's order."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def drawn(before: Mapping[str, Iterable[str]]) -> Drawing:
    """The drawing of steps, given what each waits for; each step comes after those."""
    waits = _reduced(before)
    row = _rows(waits)
    lanes = {(one, step): _lane(one, step, row) for step, others in waits.items() for one in others}
    ways = list(lanes.values())
    rows = _ordered(row, ways)
    middle = _middles(rows)
    width = max((sum(map(_wide, one)) + GAP * (len(one) - 1) for one in rows), default=0.0)
    return Drawing(
        width=width + 2 * MARGIN,
        height=max(0.0, len(rows) * (HEIGHT + DROP) - DROP) + 2 * MARGIN,
        boxes=tuple(Box(name, middle[name] - WIDTH / 2, _top(row[name])) for name in waits),
        lines=tuple(Line(*ends, _points(way, row, middle)) for ends, way in lanes.items()),
    )


def written(text: str, width: float, size: float, lines: int = 1) -> list[str]:
    """A text in at most so many lines of `width` pixels, in a font of `size`; what has no room ends with an ellipsis.

    Latin text breaks between words, Chinese between any two characters.
    """
    room, found, rest = width / size, list[str](), text.strip()
    while rest and len(found) < lines:
        taken = _taken(rest, room)
        if len(found) == lines - 1 and len(taken) < len(rest):
            taken = _taken(rest, room - _length("…"), anywhere=True)
            return [*found, taken.rstrip() + "…"]
        found.append(taken.rstrip())
        rest = rest[len(taken) :].lstrip()
    return found


# ---- which line, and where


def _reduced(before: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """What each step waits for directly: without those that another of them waits for already."""
    all_before: dict[str, set[str]] = {}
    direct: dict[str, list[str]] = {}
    for step, others in before.items():
        named = list(dict.fromkeys(others))
        implied = set[str]().union(*(all_before[one] for one in named))
        direct[step] = [one for one in named if one not in implied]
        all_before[step] = implied | set(named)
    return direct


def _rows(waits: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The row of each step: the first below all that it waits for."""
    row: dict[str, int] = {}
    for step, others in waits.items():
        row[step] = 1 + max((row[one] for one in others), default=-1)
    return row


def _lane(source: str, target: str, row: Mapping[str, int]) -> list[str]:
    """What a line goes through, its ends among it: a name of its own in each row that it passes."""
    passed = [f"{_PASSING}{source}>{target}>{number}" for number in range(row[source] + 1, row[target])]
    return [source, *passed, target]


def _ordered(row: Mapping[str, int], ways: Sequence[Sequence[str]]) -> list[list[str]]:
    """What stands in each row, steps and passing lines, from left to right."""
    rows: list[list[str]] = [[] for _ in range(1 + max(row.values(), default=-1))]
    for step, number in row.items():
        rows[number].append(step)
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for way in ways:
        for number, one in enumerate(way[1:-1], row[way[0]] + 1):
            rows[number].append(one)
        for upper, lower in pairwise(way):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    for sweep in range(_SWEEPS):
        near = below if sweep % 2 else above
        for names in reversed(rows) if sweep % 2 else rows:
            middle = _middles(rows)
            wish = {name: _mean([middle[other] for other in near.get(name, [name])]) for name in names}
            names.sort(key=wish.__getitem__)
    return rows


def _middles(rows: Sequence[Sequence[str]]) -> dict[str, float]:
    """The middle of each, across; every row is centred."""
    widths = [sum(map(_wide, one)) + GAP * (len(one) - 1) for one in rows]
    found: dict[str, float] = {}
    for names, width in zip(rows, widths, strict=True):
        x = MARGIN + (max(widths) - width) / 2
        for name in names:
            found[name] = x + _wide(name) / 2
            x += _wide(name) + GAP
    return found


def _points(way: Sequence[str], row: Mapping[str, int], middle: Mapping[str, float]) -> tuple[Point, ...]:
    """From the lower edge of the first to the upper edge of the last; straight down beside what it passes."""
    first, *passed, last = way
    points: list[Point] = [(middle[first], _top(row[first]) + HEIGHT)]
    for number, one in enumerate(passed, row[first] + 1):
        points += [(middle[one], _top(number)), (middle[one], _top(number) + HEIGHT)]
    return (*points, (middle[last], _top(row[last])))


def _top(number: int) -> float:
    return float(MARGIN + number * (HEIGHT + DROP))


def _wide(name: str) -> int:
    return _LANE if name.startswith(_PASSING) else WIDTH


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


# ---- text


def _taken(text: str, room: float, anywhere: bool = False) -> str:
    """The beginning of a text that has room: up to the end of a word where there is one, unless it may end anywhere."""
    end, used = 0, 0.0
    while end < len(text) and used + _length(text[end]) <= room:
        used += _length(text[end])
        end += 1
    if end == len(text) or anywhere:
        return text[:end]
    breaks = [place for place in range(1, end + 1) if _breaks(text[place - 1], text[place])]
    return text[: breaks[-1] if breaks else max(1, end)]


def _breaks(last: str, following: str) -> bool:
    return following == " " or _is_wide(last) or _is_wide(following)


def _length(text: str) -> float:
    """How wide a text is, in heights of its font."""
    return sum(1.0 if _is_wide(one) else _NARROW for one in text)


def _is_wide(character: str) -> bool:
    return east_asian_width(character) in ("W", "F")


def _n(value: float) -> str:
    """A number as SVG has it, short."""
    return f"{value:.1f}".removesuffix(".0")
