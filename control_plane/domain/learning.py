"""Is it learning? What a training's loss says so far: a rule over its curve, the same for a page and a program.

The beginning and the end of a curve are means over a tenth of it, as single steps of stochastic gradient descent are
noisy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

FALLING, FLAT, DIVERGED, OVER_LEARNING = "falling", "flat", "diverged", "over_learning"

LOSS, HELD_OUT_LOSS = "loss", "held_out_loss"  # what a method calls these curves

_FEWEST = 8  # points before anything is said
_FLAT = 0.03  # a loss that fell by less than this share has not fallen
_RISEN = 1.2  # times its beginning, or …
_LOST = 1.5  # … times the best mean on the way: what was learnt is gone
_WORSE_ON_HELD_OUT = 1.05  # times the best loss on held-out rows


@dataclass(frozen=True)
class Learning:
    """What the curve says, and the losses that it says it by."""

    verdict: str
    first: float  # mean of the first tenth
    last: float  # mean of the last tenth
    best: float  # the lowest such mean


def judge(loss: Sequence[float], held_out: Sequence[float] = ()) -> Learning | None:
    """What the training losses say, in the order of their steps, with those on held-out rows if there are any.

    None while there are too few to say anything.
    """
    if len(loss) < _FEWEST:
        return None
    width = max(2, len(loss) // 10)
    finite = [value if math.isfinite(value) else math.inf for value in loss]
    means = [fmean(finite[at : at + width]) for at in range(0, len(finite) - width + 1)]
    first, last, best = means[0], means[-1], min(means)
    return Learning(_verdict(first, last, best, list(held_out)), first, last, best)


def _verdict(first: float, last: float, best: float, held_out: list[float]) -> str:
    if not math.isfinite(last) or last > _RISEN * first or (last > _LOST * best and last > (1 - _FLAT) * first):
        return DIVERGED
    if last > (1 - _FLAT) * first:
        return FLAT
    if len(held_out) > 2 and held_out[-1] > _WORSE_ON_HELD_OUT * min(held_out):
        return OVER_LEARNING
    return FALLING
