"""What is wrong with a row by itself: found in blocks, and mended before rows are compared if that was chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from control_plane.domain.datasets import characters
from control_plane.domain.errors import RowsInvalid
from control_plane.domain.preparation import Choice, Place
from control_plane.domain.rows import check_row
from control_plane.preparation.blocks import Block, Hit, written
from control_plane.preparation.checks.empty_answers import EmptyAnswers
from control_plane.preparation.checks.hidden_characters import HiddenCharacters
from control_plane.preparation.checks.personal_data import PersonalData
from control_plane.preparation.checks.secrets import Secrets
from control_plane.preparation.checks.too_long import TooLong
from control_plane.preparation.findings import Findings, shown
from control_plane.preparation.scratch import begin_of


class RowCheck(Protocol):
    """Looks at each row by itself."""

    code: str

    def find(self, block: Block) -> Iterator[Hit]:
        """The rows that it finds, in order, each once."""


@runtime_checkable
class Mending(Protocol):
    """A check that can put right what it finds."""

    def mend(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row without what was found."""


@dataclass
class Judged:
    """A block as it is to be kept, the rows that each check has found, and those that one leaves out."""

    block: Block
    found: list[tuple[str, list[int]]] = field(default_factory=list)
    left_out: dict[int, str] = field(default_factory=dict)  # row → check


class Judging:
    """The checks of single rows, in the order of precedence."""

    def __init__(self, format: str, findings: Findings, too_long: TooLong) -> None:
        self._format, self._findings = format, findings
        self._checks: tuple[RowCheck, ...] = (
            HiddenCharacters(),
            Secrets(),
            PersonalData(),
            EmptyAnswers(format),
            too_long,
        )

    def judge(self, block: Block, file: str, lines: Sequence[int]) -> Judged:
        """Look at each row of a block; `lines` says where they stand in the file."""
        judged = Judged(block)
        for check in self._checks:
            hits = [hit for hit in check.find(judged.block) if hit.row not in judged.left_out]
            if not hits:
                continue
            judged.found.append((check.code, [hit.row for hit in hits]))
            self._note(check.code, judged.block, hits, file, lines)
            choice = self._findings.choices[check.code]
            if choice == Choice.FIX and isinstance(check, Mending):
                self._mend(judged, check.code, check, hits)
            elif choice == Choice.DROP:
                judged.left_out.update((hit.row, check.code) for hit in hits)
        return judged

    def _note(self, code: str, block: Block, hits: list[Hit], file: str, lines: Sequence[int]) -> None:
        self._findings.count(code, len(hits))
        for hit in hits:
            params = hit.params or {}
            self._findings.tally(code, "kinds", params.get("kinds", []))
            if self._findings.wants_place(code):
                excerpt = shown(begin_of(block.strings[hit.row]))
                self._findings.add_place(code, Place(file, lines[hit.row], excerpt, params, hit.field))

    def _mend(self, judged: Judged, code: str, check: Mending, hits: list[Hit]) -> None:
        """A new block with the rows mended; one that is no sound row any more is left out as it was."""
        block = judged.block
        rows, texts, lengths = list(block.rows), list(block.texts), list(block.lengths)
        for hit in hits:
            row = check.mend(rows[hit.row])
            try:
                check_row(self._format, row)
                texts[hit.row] = written(row)
            except RowsInvalid:
                judged.left_out[hit.row] = code
                continue
            rows[hit.row], lengths[hit.row] = row, characters(row)
        judged.block = Block(block.first, rows, texts, lengths)
