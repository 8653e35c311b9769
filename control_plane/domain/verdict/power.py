"""How many rows would tell a difference of the size that was seen, if it is there: with a power of 80 %."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log, log10, sqrt

from control_plane.domain.verdict.intervals import UNSEEN, Z, is_proportion

POWER = 0.8
_Z_POWER = 0.8416212335729143  # one-sided 80 %
_FEWEST_DIFFERING = 6  # all for one side: the fewest by which McNemar's and the sign-flip test tell anything
_MOST = 1_000_000_000


def needed(candidate: Sequence[float], baseline: Sequence[float]) -> int:
    """Rows, rounded up to two digits: an estimate from these rows, the surer the more they are; 0: none was seen."""
    differences = [one - other for one, other in zip(candidate, baseline, strict=True)]
    n, gain = len(differences), abs(sum(differences) / len(differences))
    differing = sum(1 for one in differences if one) / n
    if gain < 1 / _MOST:
        return 0
    if is_proportion(candidate) and is_proportion(baseline):
        rows = _of_shares(gain, differing)
    else:
        spread = sqrt(sum((one - sum(differences) / n) ** 2 for one in differences) / max(1, n - 1))
        scale = max(1.0, *map(abs, differences))
        rows = max(((Z + _Z_POWER) * spread / gain) ** 2 + Z * Z / 2, -log(UNSEEN) / log(1 + gain / scale))
    return _rounded(min(max(rows, _FEWEST_DIFFERING / differing), _MOST))


def _of_shares(gain: float, differing: float) -> float:
    """R. J. Connor, "Sample size for testing differences in proportions for the paired-sample design", Biometrics 43
    (1987), 207–211: `differing` is the share of rows that one of the two alone has right.
    """
    return float((Z * sqrt(differing) + _Z_POWER * sqrt(max(0.0, differing - gain * gain))) ** 2 / gain**2)


def _rounded(rows: float) -> int:
    step = int(10 ** max(0, floor(log10(rows)) - 1))
    return ceil(rows / step) * step
