"""Texts that say nearly the same as ones that are known, found exactly and one by one.

A text is the set of its runs of three words (a sign of Chinese or Japanese counts as a word). Two are nearly the same
where they share four fifths of both (Jaccard). Of sets that do, one of the first fifth of either, in any fixed order,
is in both (R. J. Bayardo, Y. Ma and R. Srikant, "Scaling up all pairs similarity search", WWW 2007): only those few
are looked up. What more than a tenth of the first texts have in common, an instruction for instance, does not count.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from math import ceil

ALIKE = 0.8
MOST_RUNS = 2_000_000  # of known texts, some hundred megabytes; those that come later are not compared with

_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+")
_RUN = 3  # words
_FEWEST = 4  # runs: a text of fewer says too little to be like another
_FIRST, _FEWEST_FIRST, _COMMON = 1_000, 50, 0.1


class Likeness:
    """Knows texts by a place each; `near` finds one that is nearly the same."""

    def __init__(self, known: Iterable[tuple[int, str]]) -> None:
        some = iter(known)
        first = list(islice(some, _FIRST))
        counts = Counter(run for _, text in first for run in set(_runs(text)))
        most = _COMMON * len(first)
        self._common = {run for run, count in counts.items() if count > most} if len(first) >= _FEWEST_FIRST else set()
        self._sets: dict[int, array[int]] = {}
        self._by_run: dict[int, list[int]] = {}
        self._room = MOST_RUNS
        for place, text in chain(first, some):
            self.add(place, text)
            if self._room <= 0:
                break

    def add(self, place: int, text: str) -> None:
        """Another text that is known from now on."""
        runs = self._telling(text)
        if len(runs) < _FEWEST:
            return
        self._room -= len(runs)
        self._sets[place] = array("I", runs)
        for run in _prefix(runs):
            self._by_run.setdefault(run, []).append(place)

    def near(self, text: str) -> int | None:
        """The place of a known text that is nearly the same; None where there is none."""
        runs = self._telling(text)
        if len(runs) < _FEWEST:
            return None
        mine = set(runs)
        for place in dict.fromkeys(place for run in _prefix(runs) for place in self._by_run.get(run, ())):
            shared = len(mine.intersection(self._sets[place]))
            if shared >= ALIKE * (len(mine) + len(self._sets[place]) - shared):
                return place
        return None

    def _telling(self, text: str) -> list[int]:
        return sorted(set(_runs(text)) - self._common)


def _prefix(runs: list[int]) -> list[int]:
    return runs[: len(runs) - ceil(ALIKE * len(runs)) + 1]


def _runs(text: str) -> Iterator[int]:
    words = _WORDS.findall(text.casefold())
    for at in range(len(words) - _RUN + 1):
        yield zlib.crc32(" ".join(words[at : at + _RUN]).encode())
