"""How far two people agree who judged the same items: per cent, and Cohen's kappa with its 95 % interval.

J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960), 37–46:
agreement beyond what two people would reach by chance who say each thing as often as these do. The standard error is
that of J. L. Fleiss, J. Cohen and B. S. Everitt, "Large sample standard errors of kappa and weighted kappa",
Psychological Bulletin 72 (1969), 323–327; of few items it says too little, and that is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from control_plane.domain.verdict import Interval, Z, wilson

FEWEST = 20  # items, below which kappa tells nothing
_WIDEST = 0.8  # interval, beyond which it tells nothing either
_FEWEST_OTHER = 5  # items of which not both said the most usual thing: of fewer the interval is too small by far


@dataclass(frozen=True)
class Agreement:
    """Of `n` items that both judged: the share in which they said the same, and kappa.

    Kappa is None where both said one and the same thing of every item: chance would agree as well.
    """

    n: int
    share: Interval
    kappa: Interval | None
    other: int = 0  # items of which not both said what both said most often

    @property
    def is_telling(self) -> bool:
        """Whether kappa says something: enough items, not all alike, and an interval that is not most of the scale."""
        if self.kappa is None or self.n < FEWEST or self.other < _FEWEST_OTHER:
            return False
        return self.kappa.high - self.kappa.low <= _WIDEST


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement | None:
    """What pairs of judgements of the same items say; None where there are none."""
    n = len(pairs)
    if not n:
        return None
    same = Counter(one for one, other in pairs if one == other)
    return Agreement(n, wilson(same.total(), n), _kappa(pairs), n - max(same.values(), default=0))


def _kappa(pairs: Sequence[tuple[str, str]]) -> Interval | None:
    n = len(pairs)
    share = {pair: count / n for pair, count in Counter(pairs).items()}
    first, second = ({key: count / n for key, count in Counter(one).items()} for one in zip(*pairs, strict=True))
    said = sorted(first.keys() | second.keys())
    observed = sum(share.get((one, one), 0.0) for one in said)
    expected = sum(first.get(one, 0.0) * second.get(one, 0.0) for one in said)
    if expected == 1:
        return None
    kappa = (observed - expected) / (1 - expected)
    # the three terms of the variance, as the paper has them
    on = sum(
        share.get((one, one), 0.0)
        * ((1 - expected) - (first.get(one, 0.0) + second.get(one, 0.0)) * (1 - observed)) ** 2
        for one in said
    )
    off = (1 - observed) ** 2 * sum(
        part * (second.get(one, 0.0) + first.get(other, 0.0)) ** 2
        for (one, other), part in share.items()
        if one != other
    )
    rest = (observed * expected - 2 * expected + observed) ** 2
    half = Z * sqrt(max(0.0, on + off - rest) / n) / (1 - expected) ** 2
    return Interval(kappa, max(-1.0, kappa - half), min(1.0, kappa + half))
