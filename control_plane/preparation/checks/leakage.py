"""Training rows that are also held out, word for word or nearly: a score on such rows measures memory.

Source: the keys of `exact_duplicates` and the prints of `near_duplicates`, here across the two parts; what is left out
is the training row, as the held-out rows are the measure.
Cost: one more sorting of what these two have noted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from control_plane.preparation.checks.exact_duplicates import Keys, firsts
from control_plane.preparation.checks.near_duplicates import NearDuplicates

CODE = "leakage"

Mask = NDArray[np.bool_]


def leaked(keys: Keys, near: NearDuplicates, train: Mask, test: Mask) -> tuple[Mask, Mask]:
    """The training rows that are held out word for word, and those that nearly are."""
    return _exact(keys, train, test), _near(near, train, test)


def _exact(keys: Keys, train: Mask, test: Mask) -> Mask:
    first = firsts(keys)
    held_out = np.zeros(len(keys), np.bool_)
    held_out[first[test]] = True
    is_held_out: Mask = train & held_out[first]
    return is_held_out


def _near(near: NearDuplicates, train: Mask, test: Mask) -> Mask:
    found = near.known(train, test)
    is_near: Mask = train & (found != np.arange(len(found)))
    return is_near
