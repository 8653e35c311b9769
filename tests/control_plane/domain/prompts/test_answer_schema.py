"""Which schemas answers can be held to, and what is refused with its place instead of being left out silently."""

from __future__ import annotations

import json
from typing import Any

import pytest

from control_plane.domain.errors import SchemaUnfit, SchemaUnreadable
from control_plane.domain.prompts import answer_schema

TICKET = {
    "title": "A ticket",
    "type": "object",
    "properties": {
        "category": {"enum": ["billing", "fault"]},
        "urgency": {"type": "integer", "minimum": 1, "maximum": 5},
        "customer": {"type": ["string", "null"], "maxLength": 20},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}, "maxItems": 5},
        "other": {"anyOf": [{"type": "number"}, {"const": "none"}]},
    },
    "required": ["category", "urgency"],
    "additionalProperties": False,
    "$defs": {"part": {"type": "object", "properties": {"name": {"type": "string", "description": "…"}}}},
}


def test_what_a_grammar_can_say_is_taken() -> None:
    assert answer_schema.parse(json.dumps(TICKET)) == TICKET


@pytest.mark.parametrize("text", ["", "[]", "{}", '"a"', "{", '{"type": NaN}', "null"])
def test_what_is_no_schema_is_unreadable(text: str) -> None:
    with pytest.raises(SchemaUnreadable):
        answer_schema.parse(text)


def test_a_schema_that_is_too_long_is_refused() -> None:
    with pytest.raises(SchemaUnreadable):
        answer_schema.checked({"enum": ["a" * 100] * 1_000})


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"not": {"type": "string"}}, "#/not"),
        ({"type": "array", "uniqueItems": True}, "#/uniqueItems"),
        ({"type": "string", "pattern": "a+"}, "#/pattern"),
        ({"type": "text"}, "#/type"),
        ({"type": []}, "#/type"),
        ({"properties": {"a": {"type": "number", "minimum": 0}}}, "#/properties/a/minimum"),
        ({"type": "integer", "minimum": 0.5}, "#/minimum"),
        ({"properties": {"a": {"multipleOf": 2}}}, "#/properties/a/multipleOf"),
        ({"properties": []}, "#/properties"),
        ({"properties": {"a": False}}, "#/properties/a"),
        ({"required": ["a"]}, "#/required/a"),
        ({"required": [1]}, "#/required"),
        ({"enum": []}, "#/enum"),
        ({"anyOf": []}, "#/anyOf"),
        ({"anyOf": [{}, {"if": {}}]}, "#/anyOf/1/if"),
        ({"items": {"maxLength": 10**6}}, "#/items/maxLength"),
        ({"additionalProperties": "no"}, "#/additionalProperties"),
        ({"$ref": "https://example.org/a.json"}, "#/$ref"),
        ({"$ref": "#/$defs/a", "$defs": {"b": {}}}, "#/$ref"),
        ({"$ref": 3}, "#/$ref"),
    ],
)
def test_what_the_engine_would_leave_out_is_refused_with_its_place(schema: Any, place: str) -> None:
    with pytest.raises(SchemaUnfit) as refused:
        answer_schema.checked(schema)
    assert refused.value.params["place"] == place
    assert refused.value.params["known"]
