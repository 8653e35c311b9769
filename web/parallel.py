"""Parallel coordinates: an upright axis for each varied parameter and one for the result, a line for each job.

Places are in the units of the picture's viewBox, `WIDTH` × `HEIGHT`, from the upper left corner.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.domain.sweeps import Choices, Range, Space, Trial

WIDTH, HEIGHT = 1000, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 90, 44, 24
_WIDE = 10.0  # numbers over a power of ten or more stand on a logarithmic scale

Write = Callable[[float], str]


@dataclass(frozen=True)
class Axis:
    """An axis at `x`; `marks` are (y, text)."""

    label: str
    x: float
    marks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Line:
    """A job's line as an SVG path's points."""

    number: int
    path: str
    is_best: bool


@dataclass(frozen=True)
class Picture:
    """The axes, and the lines of the jobs that have a result, the best one last, so that it lies on top."""

    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]
    width: int = WIDTH
    height: int = HEIGHT


def draw(
    space: Space,
    trials: Sequence[Trial],
    best: int,
    labels: dict[str, str],
    result: str,
    number: Write,
) -> Picture | None:
    """The picture; None while fewer than two jobs have a result. `number` writes one as the reader does."""
    shown = [one for one in trials if one.value is not None and math.isfinite(one.value)]
    if len(shown) < 2:
        return None
    columns = [
        (labels.get(name, name), _stops(one), [trial.values[name] for trial in shown]) for name, one in space.items()
    ]
    columns.append((result, None, [one.value for one in shown]))
    gap = (WIDTH - _LEFT - _RIGHT) / (len(columns) - 1)
    axes, heights = [], []
    for at, (label, stops, values) in enumerate(columns):
        scale, marks = _scale(stops, values, number)
        axes.append(Axis(label, _LEFT + at * gap, tuple(marks)))
        heights.append([scale(value) for value in values])
    lines = [
        Line(trial.number, _path(axes, [column[row] for column in heights]), trial.number == best)
        for row, trial in enumerate(shown)
    ]
    return Picture(tuple(axes), tuple(sorted(lines, key=lambda one: one.is_best)))


def _stops(one: Choices | Range) -> list[Any] | None:
    """The values of a list, which stand at even distances; None for a range."""
    return list(one.values) if isinstance(one, Choices) else None


def _scale(
    stops: list[Any] | None, values: Sequence[Any], number: Write
) -> tuple[Callable[[Any], float], list[tuple[float, str]]]:
    """What gives a value its place, and the marks of the axis, the lowest value at the bottom."""
    if stops is not None:
        if all(isinstance(one, int | float) and not isinstance(one, bool) for one in stops):
            stops = sorted(stops)
        places = {json.dumps(one): _y(at / (len(stops) - 1)) for at, one in enumerate(stops)}
        marks = [(places[json.dumps(one)], _word(one, number)) for one in stops]
        return (lambda value: places[json.dumps(value)]), marks
    low, high = min(values), max(values)
    log = low > 0 and high >= _WIDE * low

    def scale(value: float) -> float:
        if high == low:
            return _y(0.5)
        share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
        return _y(share)

    return scale, [(scale(one), number(one)) for one in dict.fromkeys((low, high))]


def _word(value: Any, number: Write) -> str:
    if isinstance(value, str):
        return value
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else json.dumps(value)


def _y(share: float) -> float:
    return round(HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM), 1)


def _path(axes: Sequence[Axis], heights: Sequence[float]) -> str:
    return " ".join(f"{axis.x:.1f},{y:.1f}" for axis, y in zip(axes, heights, strict=True))
