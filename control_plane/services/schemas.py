"""Parameters held against their JSON Schema: of a method, of a connector. What is wrong is a sentence of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from control_plane.domain.documents import parse
from control_plane.domain.errors import (
    ParameterInvalid,
    ParameterLengthWrong,
    ParameterMissing,
    ParameterNotListed,
    ParameterOutOfRange,
    ParameterTypeWrong,
)

_SIGNS = {
    "minimum": "≥ ", "exclusiveMinimum": "> ", "maximum": "≤ ", "exclusiveMaximum": "< ",
    "minLength": "≥ ", "maxLength": "≤ ",
}  # fmt: skip


def complete(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters` over the schema's defaults, and within the schema. Raises ParameterInvalid."""
    defaults = {name: one["default"] for name, one in schema.get("properties", {}).items() if "default" in one}
    whole = defaults | {name: _keepable(name, value) for name, value in parameters.items()}
    errors = sorted(Draft202012Validator(schema).iter_errors(whole), key=lambda error: str(error.path))
    if errors:
        raise _parameter_error(errors[0])
    return whole


def _keepable(name: str, value: Any) -> Any:
    """The value as it can be stored and shown again. Raises ParameterInvalid for NaN, say, or endless nesting."""
    try:
        return parse(json.dumps(value))
    except (ValueError, RecursionError) as problem:
        raise ParameterInvalid(parameter=name, problem=str(problem)) from problem


def _parameter_error(error: ValidationError) -> ParameterInvalid:
    """The schema's complaint as one of our sentences, which exist in every language."""
    name = str(error.path[0]) if error.path else ""
    rule, schema = str(error.validator), error.schema if isinstance(error.schema, Mapping) else {}
    if rule == "required":
        required = error.validator_value if isinstance(error.validator_value, list) else []
        given = error.instance if isinstance(error.instance, Mapping) else {}
        return ParameterMissing(parameter=next((item for item in required if item not in given), name))
    if rule in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        return ParameterOutOfRange(parameter=name, value=error.instance, range=_range(schema))
    if rule in ("minLength", "maxLength"):
        return ParameterLengthWrong(parameter=name, range=_range(schema))
    if rule == "enum":
        return ParameterNotListed(parameter=name, value=error.instance, allowed=list(schema["enum"]))
    if rule == "type":
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return ParameterTypeWrong(parameter=name, expected=kinds)
    return ParameterInvalid(parameter=name, problem=error.message[:200])


def _range(schema: Mapping[str, Any]) -> str:
    return ", ".join(f"{sign}{schema[rule]}" for rule, sign in _SIGNS.items() if rule in schema)
