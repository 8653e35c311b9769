"""Rows of a dataset as a form: texts as they are, whatever else a field holds as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.rows import FORMATS
from web import words

_FEWEST_LINES, _MOST_LINES, _LINE = 2, 12, 90  # of a text field; characters of a line


@dataclass(frozen=True)
class Cell:
    """One field of a row."""

    control: str
    label: str
    text: str
    is_json: bool

    @property
    def lines(self) -> int:
        """How high the field is drawn."""
        needed = sum(1 + len(line) // _LINE for line in self.text.split("\n"))
        return min(max(needed, _FEWEST_LINES), _MOST_LINES)


@dataclass(frozen=True)
class RowForm:
    """A row with its number, from 1; 0 is one that is to be added."""

    number: int
    fields: list[Cell]
    generated: str = ""  # that a model has made it, in words


def drawn(format: str, rows: Sequence[tuple[int, Mapping[str, Any]]], sent: Mapping[str, str]) -> list[RowForm]:
    """The rows as they are, or as they were sent, and an empty one to add."""
    found = []
    for number, row in [*rows, (0, {})]:
        cells = [_cell(number, name, row.get(name, "")) for name in FORMATS[format]]
        shown = [Cell(one.control, one.label, sent.get(one.control, one.text), one.is_json) for one in cells]
        found.append(RowForm(number, shown, words.generated(row)))
    return found


def changed(format: str, number: int, row: Mapping[str, Any], sent: Mapping[str, str]) -> dict[str, Any] | None:
    """The row with what was sent of it; None where that is what it was. Raises FieldInvalid for what is no JSON."""
    new = dict(row)
    for name in FORMATS[format]:
        cell = _cell(number, name, row.get(name, ""))
        text = sent.get(cell.control, cell.text).replace("\r\n", "\n")
        if text != cell.text.replace("\r\n", "\n"):
            new[name] = _value(format, name, text, cell)
    return new if new != row else None


def texts(format: str, number: int, row: Mapping[str, Any]) -> dict[str, str]:
    """What the form says of a row, by its controls."""
    return {one.control: one.text for one in (_cell(number, name, row.get(name, "")) for name in FORMATS[format])}


def _cell(number: int, name: str, value: Any) -> Cell:
    is_json = not isinstance(value, str) or name in ("messages", "tools", "schema", "label")
    text = json.dumps(value, ensure_ascii=False, indent=1) if not isinstance(value, str) else value
    return Cell(f"row.{number}.{name}", words.field(name), text, is_json)


def _value(format: str, name: str, text: str, cell: Cell) -> Any:
    if not cell.is_json:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise FieldInvalid(field=cell.label, problem=gettext("This is not valid JSON.")) from problem
