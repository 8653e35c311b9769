"""Paired tests: how probable is a difference at least this large if the two models were alike?"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from control_plane.domain.verdict.distributions import at_most, student_p

_ENUMERATED = 14  # rows that differ: 16,384 ways to flip their signs


def mcnemar(first_only: int, second_only: int) -> float:
    """The exact p of two shares on the same rows: of the rows where they differ, half should be for either.

    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947), 153–157; exact, as the binomial test.
    """
    differing, fewer = first_only + second_only, min(first_only, second_only)
    return min(1.0, 2 * at_most(fewer, differing)) if first_only != second_only else 1.0


def sign_flip(differences: Sequence[float]) -> float:
    """The p of a mean of paired differences: if the models were alike, each sign would be an accident.

    Of up to 14 rows that differ every way to flip the signs is tried (R. A. Fisher, The Design of Experiments, 1935,
    § 21); of more the paired t test stands for it, to which it tends.
    """
    given = [one for one in differences if one]
    if not given:
        return 1.0
    if len(given) > _ENUMERATED:
        return _paired_t(differences, len(given))
    sums = [0.0]
    for one in given:
        sums = [*(total + one for total in sums), *(total - one for total in sums)]
    seen = abs(sum(given)) - 1e-9 * sum(map(abs, given))  # rounding must not tell equal sums apart
    return sum(abs(total) >= seen for total in sums) / len(sums)


def _paired_t(differences: Sequence[float], differing: int) -> float:
    n = len(differences)
    mean = sum(differences) / n
    spread = sqrt(sum((one - mean) ** 2 for one in differences) / (n - 1) / n)
    if spread == 0:  # each differs by the same: t has no value, the sign test has
        return min(1.0, 2 * at_most(0, differing))
    return student_p(mean / spread, n - 1)


def holm(ps: Sequence[float]) -> list[float]:
    """Each p corrected for the number of tests, so that one wrong "different" among all of them stays as rare as 5 %.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979),
    65–70.
    """
    found, largest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        largest = max(largest, min(1.0, ps[place] * (len(ps) - rank)))
        found[place] = largest
    return found
