"""Which rows are held out: `domain/datasets.py::held_out` for a million rows, by sorting in place of a dictionary.

Without a column it holds out the very same rows as that function does, which a test compares.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

from control_plane.preparation.checks.exact_duplicates import Keys, grouped

Mask = NDArray[np.bool_]


def held_out(groups: Keys, strata: NDArray[np.uint16], among: Mask, share: float, seed: int) -> Mask:
    """The rows that are held out: about `share` (0..0.5) of the groups of each stratum, whole groups always.

    Only rows in `among` are. A group belongs to the stratum of its first row.
    """
    chosen = np.zeros(len(groups), np.bool_)
    rows = np.flatnonzero(among)
    if not len(rows) or share <= 0:
        return chosen
    order, group, starts = grouped(groups[rows])
    stratum = strata[rows[order[starts]]]  # of each group, by its key
    taken = np.zeros(len(starts), np.bool_)
    for value in np.unique(stratum):
        members = np.flatnonzero(stratum == value)
        wanted = min(max(1, round(share * len(members))), len(members) - 1)
        taken[members[random.Random(seed).sample(range(len(members)), max(0, wanted))]] = True
    chosen[rows[order]] = taken[group]
    return chosen
