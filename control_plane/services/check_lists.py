"""Lists of checks among a job's parameters (`x-checks`): each one known, with parameters that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from control_plane.domain.errors import ParameterInvalid, ParameterNotListed
from control_plane.domain.manifest import schema_of_check

_ITEM = {
    "type": "object",
    "required": ["check"],
    "additionalProperties": False,
    "properties": {
        "check": {"type": "string"},
        "weight": {"type": "number", "minimum": 0, "maximum": 1000},
        "parameters": {"type": "object"},
    },
}


def verify(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Refuse a list that names an unknown check or gives one what it does not take.

    Raises ParameterNotListed, ParameterInvalid.
    """
    for name, schema in properties.items():
        if "x-checks" in schema:
            for number, one in enumerate(parameters.get(name) or (), 1):
                _verify_one(name, number, schema["x-checks"], one)


def _verify_one(name: str, number: int, known: Mapping[str, Any], one: Any) -> None:
    _fit(name, f"{number}", _ITEM, one)
    if one["check"] not in known:
        raise ParameterNotListed(parameter=name, value=one["check"], allowed=list(known))
    _fit(name, f"{number}, {one['check']}", schema_of_check(known[one["check"]]), one.get("parameters", {}))


def _fit(name: str, place: str, schema: Mapping[str, Any], value: Any) -> None:
    fault = best_match(Draft202012Validator(schema).iter_errors(value))
    if fault is not None:
        field = ".".join(map(str, fault.absolute_path))
        said = ": ".join(part for part in (place, field, fault.message[:200]) if part)
        raise ParameterInvalid(parameter=name, problem=said)
