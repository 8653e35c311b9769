"""Edits of the rows of one part of a dataset version, and how they are carried out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from control_plane.domain import generated


@dataclass(frozen=True)
class Edits:
    """Rows of a part, by their numbers from 1, that are others, gone, or new at its end; each row as its JSON."""

    split: str  # train | test
    changed: dict[str, str] = field(default_factory=dict)  # number → row
    removed: list[int] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.changed) + len(self.removed) + len(self.added)


def edited(lines: Iterable[bytes], edits: Edits) -> Iterator[bytes]:
    """The lines of the part as they are to be. A row that a model has made stays marked as such."""
    instead = {int(number): _line(row) for number, row in edits.changed.items()}
    removed = set(edits.removed)
    for number, line in enumerate(lines, 1):
        if number not in removed:
            yield generated.kept(line, instead[number]) if number in instead else line
    yield from map(_line, edits.added)


def _line(row: str) -> bytes:
    return row.encode("utf-8", "replace") + b"\n"
