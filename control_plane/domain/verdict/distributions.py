"""Student's t and a fair coin's binomial, by the incomplete beta function: the standard library has none of them."""

from __future__ import annotations

from functools import lru_cache
from math import exp, lgamma, log, log1p

_TINY = 1e-300
_CLOSE = 1e-15
_MOST_TERMS = 100_000


def beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b), 0 ≤ x ≤ 1, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on the other side only
        return 1 - beta(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front * _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1/(1 + d1/(1 + d2/(1 + …))) by the algorithm of Lentz in the form of Thompson and Barnett."""
    c, d = 1.0, 1 / _held(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _held(1 + term * d)
            c = _held(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return found


def _held(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def student_p(t: float, freedom: int) -> float:
    """How probable a t at least so far from zero is, on both sides; `freedom` ≥ 1."""
    return beta(freedom / (freedom + t * t), freedom / 2, 0.5)


@lru_cache(maxsize=4096)
def student_limit(freedom: int, alpha: float = 0.05) -> float:
    """The t that is exceeded, on both sides together, with the probability alpha."""
    low, high = 0.0, 1.0
    while student_p(high, freedom) > alpha:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if student_p(middle, freedom) > alpha else (low, middle)
    return high


def at_most(successes: int, n: int) -> float:
    """How probable at most so many of n tosses of a fair coin are; successes < n."""
    return beta(0.5, n - successes, successes + 1)
