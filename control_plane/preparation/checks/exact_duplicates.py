"""Rows whose content was there already: they count twice in training and say nothing new.

Source: SHA-256 of the row's fields, shortened to 16 bytes, as `domain/datasets.py::Scan` has it; two different rows
with the same one are not to be expected before 10^18 rows.
Cost: sixteen bytes a row, sorted once at the end.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CODE = "duplicates"
KEY = 16  # bytes

Keys = NDArray[np.void]  # bytes, compared as such


def keys_of(raw: bytes | bytearray) -> Keys:
    """Keys that stand one after the other."""
    return np.frombuffer(raw, np.dtype((np.void, KEY)))


def firsts(keys: Keys) -> NDArray[np.int64]:
    """Of each key the first place where it stands."""
    order, groups, starts = grouped(keys)
    found = np.empty(len(keys), np.int64)
    found[order] = order[starts][groups]
    return found


def _changes(sorted_keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Where another key begins."""
    begins = np.ones(len(sorted_keys), np.bool_)
    begins[1:] = sorted_keys[1:] != sorted_keys[:-1]
    return begins


def grouped(keys: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The order that sorts the keys by their bytes, equal ones as they stand; the group of each sorted key; where each
    group begins among the sorted ones.
    """
    high, low = np.ascontiguousarray(keys).view(">u8").reshape(-1, 2).astype(np.uint64).T
    order = np.argsort(high, kind="stable")
    begins, begins_low = _changes(high[order]), _changes(low[order])
    if (begins_low & ~begins).any():  # hashes that are equal in one half are in the other one, but who knows
        order = np.lexsort((low, high))
        begins = _changes(high[order]) | _changes(low[order])
    return order, np.cumsum(begins) - 1, np.flatnonzero(begins)
