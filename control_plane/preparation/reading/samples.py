"""The first records as they are shown: as they stand, but where they are very long."""

from __future__ import annotations

import json
from typing import Any

_LARGE = 16_384  # characters of a record that is shown whole
_LONG = 1_000  # characters of a text in one that is not
_NAME = 200  # characters of a field's name likewise
_MANY = 50  # parts of a list or an object likewise
_DEEP = 20  # levels likewise


def shortened(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records, of large ones only so much as a page can show."""
    return [record if _is_small(record) else _cut(record, 0) for record in records]


def _is_small(record: dict[str, Any]) -> bool:
    return len(json.dumps(record, ensure_ascii=False)) <= _LARGE


def _cut(value: Any, level: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= _LONG else value[: _LONG - 1] + "…"
    if not isinstance(value, dict | list):
        return value
    if level >= _DEEP:
        return "…"
    if isinstance(value, list):
        return [_cut(part, level + 1) for part in value[:_MANY]]
    return {name[:_NAME]: _cut(part, level + 1) for name, part in list(value.items())[:_MANY]}
