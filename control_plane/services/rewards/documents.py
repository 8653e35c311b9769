"""A reward's document held against the catalogue of checks: each one known, with parameters that fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match

from control_plane.context import ControlPlane
from control_plane.domain.errors import RewardParameterMissing, RewardParameterUnfit, RewardParameterUnknown
from control_plane.domain.manifest import schema_of_check
from control_plane.domain.rewards import document
from control_plane.services import method_folders

_SIGNS = {"minimum": "≥ {}", "maximum": "≤ {}", "exclusiveMinimum": "> {}", "exclusiveMaximum": "< {}",
          "minLength": "≥ {} ▯", "maxLength": "≤ {} ▯", "minItems": "≥ {}", "maxItems": "≤ {}"}  # fmt: skip


def read(cp: ControlPlane, given: str | Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """The document that was given, in its canonical form.

    Raises what `domain/rewards/document.py::read` does, RewardParameterUnknown, RewardParameterMissing,
    RewardParameterUnfit.
    """
    known = method_folders.checks(cp)
    checks = document.read(given, known)
    for number, one in enumerate(checks, 1):
        _fit(number, one["check"], schema_of_check(known[one["check"]]), one["parameters"])
    return document.canonical(checks)


def _fit(number: int, check: str, schema: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in schema["properties"]:
            known = list(schema["properties"])
            raise RewardParameterUnknown(number=number, check=check, parameter=name[:80], known=known)
    for name in schema["required"]:
        if name not in given:
            raise RewardParameterMissing(number=number, check=check, parameter=name)
    fault = best_match(Draft202012Validator(schema).iter_errors(given))
    if fault is not None:
        place = ".".join(str(part) for part in fault.absolute_path)
        raise RewardParameterUnfit(number=number, check=check, parameter=place, wanted=_wanted(fault))
    if "schema" in schema["properties"]:
        try:
            Draft202012Validator.check_schema(given["schema"])
        except SchemaError as problem:
            said = f"JSON Schema ({problem.message[:200]})"
            raise RewardParameterUnfit(number=number, check=check, parameter="schema", wanted=said) from problem


def _wanted(fault: ValidationError) -> str:
    """What a schema takes at this place, in signs and words of JSON that every language shares."""
    schema = fault.schema if isinstance(fault.schema, Mapping) else {}
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kinds = schema.get("type", [])
    bounds = [sign.format(schema[rule]) for rule, sign in _SIGNS.items() if rule in schema]
    return ", ".join([" | ".join([kinds] if isinstance(kinds, str) else kinds), *bounds])
