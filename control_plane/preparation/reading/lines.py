"""The lines of a text in its encoding, none longer than a row may be."""

from __future__ import annotations

from typing import TextIO

from control_plane.domain.errors import RowTooLong
from control_plane.preparation.reading.raw import EXCERPT


class TooLong(Exception):
    """A line is longer than a row may be; it has been skipped."""

    def __init__(self, limit: int, begins: str) -> None:
        super().__init__()
        self.fault, self.begins = RowTooLong(limit=limit), begins


class Lines:
    """Iterates over lines with their ends. Raises TooLong in place of one that is; the next one can be had then.

    A reader that makes one record of several lines says `begin` before each, so that all of them together are bounded.
    """

    def __init__(self, text: TextIO, limit: int) -> None:
        self._text, self._limit = text, limit
        self.number = 0  # of the line that was given last, from 1
        self.last = ""  # that line
        self._taken = 0  # characters since `begin`

    def begin(self) -> None:
        """What follows belongs to a new record."""
        self._taken = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._limit + 2)
        if not line:
            raise StopIteration
        self.number += 1
        self._taken += len(line)
        if len(line) > self._limit and not line.endswith(("\n", "\r")):
            self._skip()
        if self._taken > self._limit + 2 or len(line) > self._limit + 1:
            raise TooLong(self._limit, line[:EXCERPT])
        self.last = line
        return line

    def _skip(self) -> None:
        while (rest := self._text.readline(self._limit)) and not rest.endswith(("\n", "\r")):
            pass
