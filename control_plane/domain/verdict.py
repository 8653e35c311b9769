"""Is the tuned model better? Scores with 95 % intervals, and one verdict in words.

Proportions (each score 0 or 1) take Wilson's interval; their paired difference takes Newcombe's. Other scores take the
mean with a normal interval, that of scores from 0 to 1 no wider than they. Nothing here knows where scores come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z = 1.959963984540054  # two-sided 95 %

BETTER, WORSE, UNCLEAR, UNPAIRED = "better", "worse", "unclear", "unpaired"


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int) -> Interval:
    """A proportion with Wilson's score interval, n ≥ 1.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), 209–212.
    """
    p = successes / n
    centre, half = p + Z * Z / (2 * n), Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    # the ends are exact at none and all, which rounding would miss by a hair
    low = 0.0 if successes == 0 else (centre - half) / scale
    high = 1.0 if successes == n else (centre + half) / scale
    return Interval(p, low, high)


def newcombe(both: int, first_only: int, second_only: int, neither: int) -> Interval:
    """The difference first - second of two proportions on the same rows, with Newcombe's interval (his method 10).

    R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
    data", Statistics in Medicine 17 (1998), 2635–2650: Wilson's limits of each, joined by the correlation phi, whose
    numerator is corrected by n/2 when it is positive.
    """
    n = both + first_only + second_only + neither
    first, second = wilson(both + first_only, n), wilson(both + second_only, n)
    difference = (first_only - second_only) / n
    phi = _phi(both, first_only, second_only, neither)
    below, above = first.value - first.low, second.high - second.value
    left = _join(below, above, phi)
    below, above = second.value - second.low, first.high - first.value
    right = _join(below, above, phi)
    return Interval(difference, difference - left, difference + right)


def _join(a: float, b: float, phi: float) -> float:
    return sqrt(max(0.0, a * a - 2 * phi * a * b + b * b))


def _phi(both: int, first_only: int, second_only: int, neither: int) -> float:
    n = both + first_only + second_only + neither
    first, second = both + first_only, both + second_only
    spread = first * (n - first) * second * (n - second)
    if spread == 0:
        return 0.0
    joint = both * neither - first_only * second_only
    return (max(joint - n / 2, 0.0) if joint > 0 else float(joint)) / sqrt(spread)


def score(values: Sequence[float]) -> Interval:
    """The mean of a metric's scores over rows, at least one, with its interval."""
    if is_proportion(values):
        return wilson(round(sum(values)), len(values))
    found = _mean(values)
    return _within(found, 0.0, 1.0) if _are_shares(values) else found


def difference(candidate: Sequence[float], baseline: Sequence[float]) -> Interval:
    """The mean difference candidate - baseline over the same rows, in the same order, with its interval."""
    if is_proportion(candidate) and is_proportion(baseline):
        pairs = list(zip(candidate, baseline, strict=True))
        return newcombe(*(pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))))
    gain = _mean([a - b for a, b in zip(candidate, baseline, strict=True)])
    return _within(gain, -1.0, 1.0) if _are_shares(candidate) and _are_shares(baseline) else gain


def apart(first: Interval, second: Interval) -> Interval:
    """The difference first - second of two values that were measured on different rows, with its interval.

    Newcombe's method 10 for independent proportions; for means the same joining of limits.

    R. G. Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven
    methods", Statistics in Medicine 17 (1998), 873–890; G. Y. Zou, A. Donner, "Construction of confidence limits about
    effect measures: a general approach", Statistics in Medicine 27 (2008), 1693–1702.
    """
    gain = first.value - second.value
    left = _join(first.value - first.low, second.high - second.value, 0.0)
    right = _join(second.value - second.low, first.high - first.value, 0.0)
    return Interval(gain, gain - left, gain + right)


def of(gain: Interval | None) -> str:
    """The verdict of a difference; None means that there was nothing to compare with."""
    if gain is None:
        return UNPAIRED
    if gain.low > 0:
        return BETTER
    return WORSE if gain.high < 0 else UNCLEAR


def is_proportion(values: Sequence[float]) -> bool:
    """Whether each score is a plain yes or no."""
    return all(value in (0, 1) for value in values)


def _are_shares(values: Sequence[float]) -> bool:
    """Whether each score lies from 0 to 1, as those of the checks do."""
    return all(0 <= value <= 1 for value in values)


def _within(interval: Interval, low: float, high: float) -> Interval:
    """The interval without what no score can be."""
    return Interval(interval.value, max(low, interval.low), min(high, interval.high))


def _mean(values: Sequence[float]) -> Interval:
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return Interval(mean, float(min(0.0, mean)), float(max(1.0, mean)))
    half = Z * sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)
    return Interval(mean, mean - half, mean + half)
