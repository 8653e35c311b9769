"""A JSON Schema that a deployment's answers are held to while they are written: what the engine's grammar can promise.

llama.cpp turns a schema into a grammar and leaves out, without a word, what a grammar cannot say (`uniqueItems`, `not`,
bounds of fractions …). What it would leave out is refused here, with its place: what is carried is kept to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from control_plane.domain import documents
from control_plane.domain.errors import SchemaUnfit, SchemaUnreadable

LONGEST = 64_000  # characters as JSON
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
_SAID = ("title", "description", "default", "examples", "$schema", "$id", "$comment")  # they ask for nothing
_HELD = (
    "type", "properties", "required", "additionalProperties", "items", "prefixItems", "minItems", "maxItems", "enum",
    "const", "anyOf", "oneOf", "$ref", "$defs", "definitions", "minLength", "maxLength", "minimum", "maximum",
)  # fmt: skip
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems")
_BOUNDS = ("minimum", "maximum")
_NAMED, _LISTED = ("properties", "$defs", "definitions"), ("anyOf", "oneOf", "prefixItems")
_MOST_REPEATED = 1_000  # a grammar spells each repetition out
_SHOWN = 120  # characters of a place


def parse(text: str) -> dict[str, Any]:
    """The schema that a JSON text says. Raises SchemaUnreadable, SchemaUnfit."""
    try:
        schema = documents.parse(text)
    except ValueError as problem:
        raise SchemaUnreadable(problem=str(problem)[:200]) from problem
    return checked(schema)


def checked(schema: Any) -> dict[str, Any]:
    """The schema itself, if answers can be held to all that it says. Raises SchemaUnreadable, SchemaUnfit."""
    if not isinstance(schema, dict) or not schema:
        raise SchemaUnreadable(problem='{"type": "object", …}')
    if len(json.dumps(schema, ensure_ascii=False)) > LONGEST:
        raise SchemaUnreadable(problem=f"≤ {LONGEST}")
    _check(schema, "#", schema)
    return schema


def _check(schema: Any, place: str, root: Mapping[str, Any]) -> None:
    if schema is True:
        return
    if not isinstance(schema, dict):
        raise SchemaUnfit(place=place, known="true, {…}")
    for key in schema:
        if key not in _HELD and key not in _SAID:
            raise SchemaUnfit(place=f"{place}/{key}"[:_SHOWN], known=", ".join(_HELD))
    _check_values(schema, place)
    if "$ref" in schema:
        _found(schema["$ref"], place, root)
    for step, inner in _inside(schema):
        _check(inner, f"{place}/{step}"[:_SHOWN], root)


def _check_values(schema: Mapping[str, Any], place: str) -> None:
    """What each key says by itself, and what they say of each other."""
    for key, (fits, known) in _VALUES.items():
        if key in schema and not fits(schema[key]):
            raise SchemaUnfit(place=f"{place}/{key}", known=known)
    named = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in named:
            raise SchemaUnfit(place=f"{place}/required/{name}"[:_SHOWN], known=", ".join(named) or "–")
    for key in _BOUNDS:
        if key in schema and schema.get("type") != "integer":
            raise SchemaUnfit(place=f"{place}/{key}", known="type: integer")


def _inside(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas in a schema, each with the way to it."""
    for key in _NAMED:
        yield from ((f"{key}/{name}", one) for name, one in schema.get(key, {}).items())
    for key in _LISTED:
        yield from ((f"{key}/{number}", one) for number, one in enumerate(schema.get(key, ())))
    if "items" in schema:
        yield "items", schema["items"]
    if isinstance(schema.get("additionalProperties"), dict):
        yield "additionalProperties", schema["additionalProperties"]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_REPEATED


def _is_bound(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _is_type(value: Any) -> bool:
    kinds = value if isinstance(value, list) else [value]
    return bool(kinds) and all(isinstance(one, str) and one in _TYPES for one in kinds)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_VALUES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "type": (_is_type, ", ".join(_TYPES)),
    "required": (_are_names, '["name", …]'),
    "enum": (lambda value: isinstance(value, list) and bool(value), "[…, …]"),
    "additionalProperties": (lambda value: isinstance(value, bool | dict), "true, false, {…}"),
    **{key: (lambda value: isinstance(value, dict), "{name: {…}}") for key in _NAMED},
    **{key: (lambda value: isinstance(value, list) and bool(value), "[{…}, …]") for key in _LISTED},
    **{key: (_is_count, f"0 … {_MOST_REPEATED}") for key in _COUNTS},
    **{key: (_is_bound, "… -1, 0, 1 …") for key in _BOUNDS},
}


def _found(reference: Any, place: str, root: Mapping[str, Any]) -> None:
    """A reference leads to a place in the schema itself."""
    if isinstance(reference, str) and reference.startswith("#"):
        found: Any = root
        for step in reference[1:].split("/")[1:]:
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return
    raise SchemaUnfit(place=f"{place}/$ref", known="#/$defs/…")
