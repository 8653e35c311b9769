"""A curve as large as a word: the path of an inline SVG, drawn on the server."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT = 96.0, 24.0
_MARGIN = 2.0  # so that the stroke is not cut


def path(values: Sequence[float], low: float | None = None, high: float | None = None) -> str:
    """The SVG path through values at equal distances; between `low` and `high`, else their own extremes.

    Empty where there are fewer than two. What is no finite number breaks the line.
    """
    finite = [value for value in values if math.isfinite(value)]
    if len(values) < 2 or not finite:
        return ""
    low = min(finite) if low is None else low
    span = (max(finite) if high is None else high) - low
    room = HEIGHT - 2 * _MARGIN
    found, pen = [], "M"
    for at, value in enumerate(values):
        if not math.isfinite(value):
            pen = "M"
            continue
        share = min(1.0, max(0.0, (value - low) / span)) if span > 0 else 0.5
        found.append(f"{pen}{at * WIDTH / (len(values) - 1):.1f} {_MARGIN + (1 - share) * room:.1f}")
        pen = "L"
    return "".join(found)
