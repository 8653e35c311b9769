"""Values with 95 % intervals, of shares and of means, and of the difference of two on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from control_plane.domain.verdict.distributions import student_limit

Z = 1.959963984540054  # two-sided 95 %

UNSEEN = 0.025  # as likely as that is it that n rows show nothing of what 1 - 0.025^(1/n) of all rows are


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
    return mean(values, 0.0, 1.0)


def difference(candidate: Sequence[float], baseline: Sequence[float]) -> Interval:
    """The mean difference candidate - baseline over the same rows, in the same order, with its interval."""
    pairs = list(zip(candidate, baseline, strict=True))
    if is_proportion(candidate) and is_proportion(baseline):
        return newcombe(*(pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))))
    return mean([one - other for one, other in pairs], -1.0, 1.0)


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


def is_proportion(values: Sequence[float]) -> bool:
    """Whether each score is a plain yes or no."""
    return all(value in (0, 1) for value in values)


def mean(values: Sequence[float], least: float, most: float) -> Interval:
    """A mean with Student's interval, no narrower than what so few rows can say.

    n rows that never show a kind of row may have missed it by chance, up to a share of 1 - 0.025^(1/n) of all rows
    (C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404–413; about 3.7/n): each end lies at least where the mean
    would be if the missed ones scored `least` or `most`. So rows that are all alike have an interval too, the exact
    one, and a tail that few rows cannot show is reckoned with. Scores beyond least and most have no known end: then the
    farthest that were seen stand for it, and the interval is not cut there.
    """
    n, low, high = len(values), min(least, *values), max(most, *values)
    middle = min(max(sum(values) / n, low), high)
    missed = 1 - UNSEEN ** (1 / n)
    spread = sqrt(sum((value - middle) ** 2 for value in values) / (n - 1) / n) if n > 1 else 0.0
    half = student_limit(n - 1) * spread if spread else 0.0
    below = min(middle - half, middle - missed * (middle - low))
    above = max(middle + half, middle + missed * (high - middle))
    if low < least or high > most:
        return Interval(middle, below, above)
    return Interval(middle, max(low, below), min(high, above))
