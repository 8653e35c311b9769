"""What is kept of each sound row until the last one was read: some sixty bytes, however long the row is."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from control_plane.preparation.checks.exact_duplicates import Keys, keys_of

Mask = NDArray[np.bool_]  # of each row, whether
KEPT = 0  # in `left_out`: by no check


class Ledger:
    """Columns with one value a row; rows of the training file come first, then those of a held-out file."""

    def __init__(self) -> None:
        self.lines = array("I")
        self.lengths = array("I")  # characters
        self.languages = array("B")  # filled by itself, a block later
        self.strata = array("H")
        self.good = array("B")  # whether an answer is judged good
        self._keys, self._groups = bytearray(), bytearray()
        self._found = array("H")  # a bit for each check
        self._left_out = array("B")  # the number of the check that leaves it out
        self.train_rows = 0  # of the training file

    def __len__(self) -> int:
        return len(self.lines)

    def add(
        self,
        lines: Iterable[int],
        lengths: Iterable[int],
        strata: Iterable[int],
        good: Iterable[int],
    ) -> None:
        """The next rows; their languages, and with `add_keys` their keys, follow a block later."""
        self.lines.extend(lines)
        self.lengths.extend(lengths)
        self.strata.extend(strata)
        self.good.extend(good)
        more = bytes(2 * (len(self.lines) - len(self._found)))
        self._found.frombytes(more)
        self._left_out.frombytes(more[::2])

    def add_keys(self, keys: Iterable[bytes], groups: Iterable[bytes]) -> None:
        """For each of these rows what tells equal ones, and what tells those that the split keeps together."""
        self._keys += b"".join(keys)
        self._groups += b"".join(groups)

    @property
    def keys(self) -> Keys:
        return keys_of(self._keys)

    @property
    def groups(self) -> Keys:
        return keys_of(self._groups)

    @property
    def found(self) -> NDArray[np.uint16]:
        """Of each row a bit for each check that has found it."""
        return np.frombuffer(self._found, np.uint16)

    @property
    def left_out(self) -> NDArray[np.uint8]:
        """Of each row the check that leaves it out, KEPT where none does."""
        return np.frombuffer(self._left_out, np.uint8)

    @property
    def kept(self) -> Mask:
        """The rows that no check leaves out."""
        is_kept: Mask = self.left_out == KEPT
        return is_kept

    @property
    def from_train(self) -> Mask:
        """The rows of the training file."""
        return np.arange(len(self)) < self.train_rows

    def mark(self, check: int, rows: Mask | list[int], leave_out: bool) -> None:
        """Check `check` (its number, from 1) has found these rows, and leaves them out if it is to."""
        self.found[rows] |= np.uint16(1 << check)
        if leave_out:
            before = self.left_out[rows]
            self.left_out[rows] = np.where(before == KEPT, np.uint8(check), before)
