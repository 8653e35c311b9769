"""The columns of records that somebody brought: what they are called and what stands in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from control_plane.domain.preparation import Column

TEXT, NUMBER, BOOLEAN, LIST, OBJECT, MIXED, EMPTY = "text", "number", "boolean", "list", "object", "mixed", "empty"

_EXAMPLES = 3
_EXAMPLE = 80  # characters
_MOST = 500  # columns; of records with more, those are not shown
_LONGEST = 200  # characters of a name likewise
_KINDS = ((bool, BOOLEAN), (str, TEXT), (int | float, NUMBER), (list, LIST), (dict, OBJECT))


def columns_of(records: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns, in the order in which they come up."""
    values: dict[str, list[Any]] = {}
    for record in records:
        for name, value in record.items():
            if name in values or (len(values) < _MOST and len(name) <= _LONGEST):
                values.setdefault(name, []).append(value)
    return [_column(name, list(filter(is_filled, given))) for name, given in values.items()]


def is_filled(value: Any) -> bool:
    """Whether a cell says anything."""
    return bool(value.strip()) if isinstance(value, str) else value not in (None, [], {})


def as_text(value: Any) -> str:
    """A value of JSON as a text: texts as they are, nothing as the empty text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _column(name: str, values: list[Any]) -> Column:
    kinds = {_kind(value) for value in values}
    kind = EMPTY if not kinds else kinds.pop() if len(kinds) == 1 else MIXED
    examples = list(dict.fromkeys(_example(value) for value in values[:_EXAMPLES]))
    return Column(name, kind, len(values), examples)


def _kind(value: Any) -> str:
    return next(kind for of, kind in _KINDS if isinstance(value, of))


def _example(value: Any) -> str:
    text = as_text(value)
    return text if len(text) <= _EXAMPLE else text[: _EXAMPLE - 1] + "…"
