"""Once all rows were read: which of them are like others, which are held out, and what that means for a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from control_plane.domain import generated
from control_plane.domain.preparation import Choice, Order, Place
from control_plane.preparation.checks import (
    TABLE,
    answer_schema,
    exact_duplicates,
    imbalance,
    language_mix,
    leakage,
    near_duplicates,
)
from control_plane.preparation.findings import SHOWN, shown
from control_plane.preparation.ledger import Mask
from control_plane.preparation.pipeline import Pipeline
from control_plane.preparation.splitting import held_out

Said = Callable[[int], dict[str, Any]]  # row → the parameters of its sentence


class Comparing:
    """Judges the rows of a pipeline that has read them all."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._ledger, self._findings = pipeline.ledger, pipeline.findings
        self._order: Order = pipeline.order

    def run(self) -> Mask:
        """Carry out all checks that compare; of each row, whether it is held out."""
        self._answers()
        self._languages()
        self._duplicates()
        self._near_duplicates()
        test = self._held_out()
        self._leakage(test)
        self._classes()
        return test & self._ledger.kept

    def _held_out(self) -> Mask:
        ledger, split = self._ledger, self._order.split
        if self._order.test is not None:
            return ~ledger.from_train
        among, strata = ledger.kept & ~self._generated(), np.frombuffer(ledger.strata, np.uint16)
        return held_out(ledger.groups, strata, among, split.share, split.seed)

    def _generated(self) -> Mask:
        """The rows that a model has made, those that it made them from, and what stays together with either."""
        ledger, marks = self._ledger, self._pipeline.marks
        if not marks:
            return np.zeros(len(ledger), np.bool_)
        keys, groups = ([key.tobytes() for key in one] for one in (ledger.keys, ledger.groups))
        never = generated.never_held_out(keys, groups, marks)
        return np.fromiter((group in never for group in groups), np.bool_, len(groups))

    def _answers(self) -> None:
        unlike = self._pipeline.facts.schema.unlike()
        kept = self._ledger.kept
        self._note(
            answer_schema.CODE, np.array([row for row in unlike if kept[row]], np.int64), lambda row: unlike[row]
        )

    def _languages(self) -> None:
        names = language_mix.LANGUAGES
        numbers = np.frombuffer(self._ledger.languages, np.uint8)
        kept = self._ledger.kept
        counts = Counter(dict(enumerate(np.bincount(numbers[kept], minlength=len(names)).tolist())))
        told = [(names[number], count) for number, count in counts.most_common() if number and count]
        if not told:
            return
        main = told[0][0]
        self._findings.params[language_mix.CODE] = {"main": main, "languages": dict(told)}
        others = np.flatnonzero(kept & (numbers != 0) & (numbers != names.index(main)))
        self._note(language_mix.CODE, others, lambda row: {"language": names[numbers[row]], "main": main})

    def _duplicates(self) -> None:
        """Within the training file and within a held-out file; across them it is leakage."""
        found = np.arange(len(self._ledger))
        for part in self._parts():
            rows = np.flatnonzero(part)
            found[rows] = rows[exact_duplicates.firsts(self._ledger.keys[rows])]
        again = np.flatnonzero(found != np.arange(len(found)))
        self._note(exact_duplicates.CODE, again, lambda row: {"first": self._ledger.lines[found[row]]})

    def _near_duplicates(self) -> None:
        is_duplicate = (self._ledger.found >> np.uint16(TABLE[exact_duplicates.CODE].number)) & 1 == 1
        found = np.arange(len(self._ledger), dtype=np.uint32)
        for part in self._parts():
            found = np.minimum(found, self._pipeline.near.earlier(part & ~is_duplicate))
        again = _after_kept(found)
        self._note(near_duplicates.CODE, again, lambda row: {"first": self._ledger.lines[found[row]]})
        if self._pipeline.near.rows < len(self._ledger):
            self._findings.params[near_duplicates.CODE] = {"compared": self._pipeline.near.rows}

    def _leakage(self, test: Mask) -> None:
        kept = self._ledger.kept
        exact, near = leakage.leaked(self._ledger.keys, self._pipeline.near, kept & ~test, kept & test)
        if (exact | near).any():
            self._findings.params[leakage.CODE] = {"exact": int(exact.sum()), "near": int((near & ~exact).sum())}
        self._note(leakage.CODE, np.flatnonzero(exact | near), lambda row: {"exact": bool(exact[row])})

    def _classes(self) -> None:
        if params := self._pipeline.facts.classes.params():
            self._findings.params[imbalance.CODE] = params
            self._findings.count(imbalance.CODE, params["least_rows"])

    def _parts(self) -> tuple[Mask, Mask]:
        kept, train = self._ledger.kept, self._ledger.from_train
        return kept & train, kept & ~train

    def _note(self, code: str, rows: NDArray[np.integer[Any]], said: Said) -> None:
        """These rows were found; the first of them with place and excerpt."""
        self._findings.count(code, len(rows))
        self._ledger.mark(TABLE[code].number, rows.tolist(), self._findings.choices[code] == Choice.DROP)
        first = rows[:SHOWN].tolist()
        for row, begin in zip(first, self._pipeline.scratch.begins(first), strict=True):
            place = Place(self._pipeline.file_of(row), self._ledger.lines[row], shown(begin), said(row))
            self._findings.add_place(code, place)


def _after_kept(first: NDArray[np.uint32]) -> NDArray[np.int64]:
    """The rows that are like an earlier one which is not itself like one before: those that can go."""
    found: set[int] = set()
    for row in np.flatnonzero(first != np.arange(len(first))).tolist():
        if int(first[row]) not in found:
            found.add(row)
    return np.array(sorted(found), np.int64)
