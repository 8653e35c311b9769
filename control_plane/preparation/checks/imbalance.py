"""Answers that are few and short are classes: one that is much rarer than the others is hardly learned.

Source: the usual measure of an imbalance, how many times as often the commonest class stands there as the rarest.
Cost: a count of answers of at most 40 characters; it gives up beyond fifty different ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

CODE = "imbalance"

_LONGEST = 40  # characters
_MOST = 50  # classes
_FEWEST = 20  # rows
_TIMES = 10  # as often


class Imbalance:
    """Counts the answers, as long as they are classes."""

    code = CODE

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._are_classes = True

    def take(self, answers: Iterable[str]) -> None:
        """The answers of the next rows."""
        for answer in answers:
            if not self._are_classes:
                return
            self._counts[answer[: _LONGEST + 1].strip()] += 1
            self._are_classes = len(answer) <= _LONGEST and len(self._counts) <= _MOST

    def classes(self) -> dict[str, int]:
        """Each class with its rows, the commonest first; empty where the answers are no classes."""
        is_enough = sum(self._counts.values()) >= max(_FEWEST, 2 * len(self._counts))
        return dict(self._counts.most_common()) if self._are_classes and is_enough and len(self._counts) > 1 else {}

    def params(self) -> dict[str, Any] | None:
        """What the finding's sentence says: the commonest and the rarest class; None where all is well."""
        counts = list(self.classes().items())
        if not counts or counts[0][1] < _TIMES * counts[-1][1]:
            return None
        (most, many), (least, few) = counts[0], counts[-1]
        return {"classes": len(counts), "most": most, "most_rows": many, "least": least, "least_rows": few}
