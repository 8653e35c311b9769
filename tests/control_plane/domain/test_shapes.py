"""What the answers of a dataset have in common."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from control_plane.domain.shapes import Shape


def schema_of(*answers: Any) -> dict[str, Any] | None:
    shape = Shape()
    for answer in answers:
        shape.take(answer if isinstance(answer, str) else json.dumps(answer))
    return shape.schema()


def test_fields_types_and_what_each_answer_has() -> None:
    answers = [{"name": "pump", "size": 1, "parts": [1]}, {"name": "lathe", "size": 2.5, "note": None}]
    schema = schema_of(*answers, {"name": "saw", "size": 3, "note": "old"})
    assert schema == {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "size"],
        "properties": {
            "name": {"type": "string"},
            "size": {"type": "number"},
            "parts": {"type": "array"},
            "note": {"type": ["null", "string"]},
        },
    }
    for answer in answers:
        jsonschema.validate(answer, schema)


@pytest.mark.parametrize(
    "answers",
    [(), ("plain words",), ({"a": 1}, "plain words"), ([1, 2],), ({},), ({str(key): 1 for key in range(101)},)],
)
def test_without_a_common_structure_there_is_none(answers: tuple[Any, ...]) -> None:
    assert schema_of(*answers) is None


def test_after_an_answer_that_is_none_nothing_is_gathered() -> None:
    assert schema_of("plain words", {"a": 1}) is None
