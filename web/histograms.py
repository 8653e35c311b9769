"""How lengths are spread: a bar for each span of lengths, drawn by the server, with the limit of a model as a line.

Places are in the units of the picture's viewBox, `WIDTH` × `HEIGHT`, from the upper left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 600, 160
_TOP, _BOTTOM = 20, 24  # room for the limit's words and for the numbers below


@dataclass(frozen=True)
class Bar:
    """`count` rows of lengths from `low` on, shorter than `high`; the last bar has no end."""

    low: int
    high: int | None
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    bars: tuple[Bar, ...]
    limit: int = 0  # what fits; 0: nothing is known of it
    limit_x: float | None = None  # None: it lies beyond the picture
    width: int = WIDTH
    height: int = HEIGHT
    ground: int = HEIGHT - _BOTTOM  # where the bars stand


def draw(edges: Sequence[int], counts: Sequence[int], limit: int = 0) -> Histogram | None:
    """The picture of `counts` rows, each from one of the rising `edges` on; None where there are none."""
    most = max(counts, default=0)
    if not most or len(edges) != len(counts):
        return None
    step, tallest = WIDTH / len(counts), HEIGHT - _TOP - _BOTTOM
    bars = []
    for at, (low, high, count) in enumerate(zip(edges, [*edges[1:], None], counts, strict=True)):
        height = round(max(tallest * count / most, 2.0 if count else 0.0), 1)
        place = (round(at * step + 1, 1), round(HEIGHT - _BOTTOM - height, 1))
        bars.append(Bar(low, high, count, *place, round(step - 2, 1), height))
    return Histogram(tuple(bars), limit, _place(edges, limit, step))


def _place(edges: Sequence[int], limit: int, step: float) -> float | None:
    """Where the limit lies: bars are equally wide, whatever they span."""
    for at, (low, high) in enumerate(pairwise(edges)):
        if limit and low <= limit < high:
            return round(step * (at + (limit - low) / (high - low)), 1)
    return None
