"""What is worth knowing about a dataset's rows beside what is wrong with them; filled while they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from posixpath import commonprefix
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control_plane.domain.datasets import SAMPLES, beginning, whole_words
from control_plane.domain.rows import answers
from control_plane.preparation.blocks import Block
from control_plane.preparation.checks.answer_schema import AnswerSchema
from control_plane.preparation.checks.imbalance import Imbalance
from control_plane.preparation.checks.too_long import Count
from control_plane.preparation.reading.samples import shortened

_FIRST = 4 * SAMPLES  # rows, of which the first that are kept become the samples
_MOST_COUNTED = 10_000  # rows
_BARS = 30  # of a histogram
_TAIL = 99  # percent of the rows, beyond which the last bar takes all


class Facts:
    """Takes the sound rows, block by block."""

    def __init__(self, format: str) -> None:
        self._format = format
        self.schema = AnswerSchema()
        self.classes = Imbalance()
        self.notes: Counter[str] = Counter()  # peculiarities of the file
        self.objects = 0  # answers that were no text
        self.first: list[tuple[int, dict[str, Any]]] = []  # some rows with their numbers, long ones cut
        self._prefix: str | None = None  # how every prompt so far begins
        self._longest_answer = 0

    def take(self, first: int, rows: Sequence[dict[str, Any]], left_out: Collection[int]) -> None:
        """The next rows of the training file, the first of which is row `first` among all.

        Of those that are left out (by their numbers among these) nothing is told.
        """
        given = answers(self._format, rows)
        if left_out:
            given = [None if number in left_out else text for number, text in enumerate(given)]
        self.schema.take(given)
        texts = [text for text in given if text is not None]
        self.classes.take(texts)
        self._longest_answer = max(self._longest_answer, max(map(len, texts), default=0))
        if self._format == "prompt_completion" and self._prefix != "":
            self._begin_with(row["prompt"] for number, row in enumerate(rows) if number not in left_out)
        for number, row in enumerate(rows):
            if len(self.first) == _FIRST:
                break
            if number not in left_out:
                self.first.append((first + number, shortened([row])[0]))

    def skip(self, count: int) -> None:
        """The next rows are held out by themselves."""
        self.schema.take([None] * count)

    def _begin_with(self, prompts: Iterable[str]) -> None:
        for prompt in prompts:
            if self._prefix is None:
                self._prefix = beginning(prompt)
            elif not prompt.startswith(self._prefix):
                self._prefix = commonprefix([self._prefix, beginning(prompt)])

    def told(self, lengths: NDArray[np.uint32], duplicates: int, good: int, generated: int) -> dict[str, Any]:
        """As `domain/datasets.py::Scan.facts` tells it; `lengths` are characters of the rows that are kept."""
        return {
            "duplicates": duplicates,
            "longest": int(lengths.max(initial=0)),
            "median": int(np.median(lengths)) if len(lengths) else 0,
            "longest_answer": self._longest_answer,
            "byte_order_mark": bool(self.notes["byte_order_mark"]),
            "crlf": bool(self.notes["crlf"]),
            "blank_lines": self.notes["blank_lines"],
            "objects": self.objects,
            "good": good,
            "generated": generated,
            "answer_schema": self.schema.shape().schema(),
            "prompt_prefix": whole_words(self._prefix or "") if len(lengths) > 1 else "",
        }


class TokenLengths:
    """Counts the tokens of some rows: of each second, fourth, eighth … where there are many."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._every = 1
        self._counts: dict[int, int] = {}  # row → tokens

    def take(self, block: Block) -> None:
        """The next rows."""
        chosen = [number for number in range(len(block.rows)) if (block.first + number) % self._every == 0]
        counts = self._count([block.rows[number] for number in chosen])
        self._counts.update((block.first + number, count) for number, count in zip(chosen, counts, strict=True))
        while len(self._counts) > _MOST_COUNTED:
            self._every *= 2
            self._counts = {number: count for number, count in self._counts.items() if number % self._every == 0}

    def of(self, kept: NDArray[np.bool_]) -> NDArray[np.uint32]:
        """The tokens of each row that was counted and is kept."""
        return np.array([count for number, count in self._counts.items() if kept[number]], np.uint32)


def histogram(lengths: NDArray[np.uint32], unit: str, limit: int) -> dict[str, Any]:
    """How many rows are so long: `edges` (each bar's beginning; the last bar has no end) and `counts`.

    Of many rows, not all are in `lengths`; `limit` 0 is not known.
    """
    if not len(lengths):
        return {"unit": unit, "edges": [], "counts": [], "limit": limit}
    width = max(1, int(np.ceil(np.percentile(lengths, _TAIL) / (_BARS - 1))))
    bars = np.minimum(lengths // width, _BARS - 1)
    counts = np.bincount(bars, minlength=1)
    return {
        "unit": unit,
        "edges": [width * bar for bar in range(len(counts))],
        "counts": counts.tolist(),
        "limit": limit,
    }
