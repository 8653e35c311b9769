"""Is the tuned model better? Scores with 95 % intervals, a paired test beside each difference, one verdict in words.

Shares (each score 0 or 1) take Wilson's interval, their paired difference Newcombe's and the exact test of McNemar;
other scores take Student's t, no narrower than what so few rows can say, and the sign-flip test. An interval never says
more than the test: where the test cannot tell, zero lies in the interval. Nothing here knows where scores come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from control_plane.domain.verdict.intervals import Interval, Z, apart, is_proportion, newcombe, score, wilson
from control_plane.domain.verdict.intervals import difference as _interval
from control_plane.domain.verdict.paired import holm, mcnemar, sign_flip
from control_plane.domain.verdict.power import needed

__all__ = [
    "ALPHA",
    "BETTER",
    "UNCLEAR",
    "UNPAIRED",
    "WORSE",
    "Difference",
    "Interval",
    "Z",
    "adjusted",
    "apart",
    "difference",
    "holm",
    "is_proportion",
    "judged",
    "mcnemar",
    "needed",
    "newcombe",
    "of",
    "score",
    "sign_flip",
    "wilson",
]  # fmt: skip

ALPHA = 0.05
BETTER, WORSE, UNCLEAR, UNPAIRED = "better", "worse", "unclear", "unpaired"


@dataclass(frozen=True)
class Difference(Interval):
    """A paired difference: its interval, the test's p, and how many rows would tell a true difference of this size."""

    p: float
    needed: int  # rows, for a power of 80 %; 0 where no difference was seen


def difference(candidate: Sequence[float], baseline: Sequence[float]) -> Difference:
    """The mean difference candidate - baseline over the same rows, in the same order, at least one."""
    found = _interval(candidate, baseline)
    if is_proportion(candidate) and is_proportion(baseline):
        pairs = list(zip(candidate, baseline, strict=True))
        p = mcnemar(pairs.count((1, 0)), pairs.count((0, 1)))
    else:
        p = sign_flip([one - other for one, other in zip(candidate, baseline, strict=True)])
    low = min(found.low, 0.0) if p > ALPHA else found.low
    high = max(found.high, 0.0) if p > ALPHA else found.high
    return Difference(found.value, low, high, p, needed(candidate, baseline))


def of(gain: Interval | None) -> str:
    """The verdict of a difference; None means that there was nothing to compare with."""
    if gain is None:
        return UNPAIRED
    if gain.low > 0:
        return BETTER
    return WORSE if gain.high < 0 else UNCLEAR


def judged(gain: Interval, adjusted_p: float) -> str:
    """The verdict of one difference of several, whose p was corrected for their number."""
    return of(gain) if adjusted_p <= ALPHA else UNCLEAR


def adjusted(gains: Mapping[str, Difference], decides: str = "") -> dict[str, float]:
    """Each difference's p, corrected for their number by Holm's method.

    The one that `decides` was named before anything was measured: it is tested alone, and the others among themselves.
    """
    others = [name for name in gains if name != decides]
    corrected = dict(zip(others, holm([gains[name].p for name in others]), strict=True))
    return {name: corrected.get(name, one.p) for name, one in gains.items()}
