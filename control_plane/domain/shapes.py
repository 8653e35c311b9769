"""What the answers of a dataset have in common, as a JSON schema: the structure that a model is to learn from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control_plane.domain import documents

MOST_FIELDS = 100
TYPES: Mapping[type, str] = {
    str: "string", bool: "boolean", int: "integer", float: "number",
    list: "array", dict: "object", type(None): "null",
}  # fmt: skip


@dataclass
class Shape:
    """Looks at one answer after the other; as soon as one is no JSON object, there is no common structure."""

    answers: int = 0
    seen: Counter[str] = field(default_factory=Counter)  # field → answers that have it
    types: dict[str, set[str]] = field(default_factory=dict)
    is_common: bool = True

    def take(self, answer: str) -> None:
        """The next answer, as text."""
        if not self.is_common:
            return
        try:
            value = documents.parse(answer)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            self.is_common = False
            return
        self.take_fields({name: TYPES[type(part)] for name, part in value.items()})

    def take_fields(self, fields: Mapping[str, str], times: int = 1) -> None:
        """So many answers that have these fields, each with the name of its JSON type."""
        self.answers += times
        for name, kind in fields.items():
            self.seen[name] += times
            self.types.setdefault(name, set()).add(kind)
        self.is_common = self.is_common and len(self.seen) <= MOST_FIELDS

    def schema(self) -> dict[str, Any] | None:
        """A JSON schema that all answers keep to: their fields and types; None without a common structure.

        Required is what every answer has. No values are listed: that an answer is among those seen is not structure.
        """
        if not (self.is_common and self.seen):
            return None
        return {
            "type": "object",
            "additionalProperties": False,
            "required": [name for name, count in self.seen.items() if count == self.answers],
            "properties": {name: {"type": _written(self.types[name])} for name in self.seen},
        }


def _written(types: set[str]) -> str | list[str]:
    if types == {"integer", "number"}:
        return "number"
    return sorted(types) if len(types) > 1 else next(iter(types))
