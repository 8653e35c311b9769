"""The names of a table's columns: its first row, made distinct; or made up, where the first row is data already."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_LONGEST = 100  # characters of a name
_NUMBER = re.compile(r"[-+]?\d[\d.,\s]*%?")


def headings(first: Sequence[str], notes: Counter[str]) -> tuple[list[str], bool]:
    """A name for each column, and whether the first row is a record as well: one of its cells is a number, or long."""
    cells = [cell.strip() for cell in first]
    if not all(map(_may_be_name, cells)):
        notes["no_heading"] += 1
        return [f"column {number}" for number in range(1, len(cells) + 1)], True
    return distinct(cells, notes), False


def _may_be_name(cell: str) -> bool:
    return len(cell) <= _LONGEST and "\n" not in cell and not _NUMBER.fullmatch(cell)


def distinct(cells: list[str], notes: Counter[str]) -> list[str]:
    """Columns without a name are numbered, names that come twice likewise."""
    names: dict[str, None] = {}
    for number, cell in enumerate(cells, 1):
        base = cell or f"column {number}"
        name, more = base, 2
        while name in names:
            name, more = f"{base} ({more})", more + 1
        notes["headings_twice"] += name != base
        names[name] = None
    return list(names)
