"""The answer is JSON that follows a schema, with something for each key that is right."""

from itertools import islice
from typing import Any

from kit import checking
from kit.checking import Case, Check, Found, found
from kit.events import fail

WHOLE, EMBEDDED = 0.5, 0.25  # JSON by itself, JSON with text around it: as much again for the keys that are right
MOST = 64  # errors that are looked at
SECONDS = 0.1  # for a pattern of the schema


def make(schema: dict[str, Any] | None = None, strict: bool = False) -> Check:
    """1 for an answer that follows `schema`; less for what comes near, unless `strict`. Refuses `schema_invalid`."""
    validator = _validator(schema or {})

    def check(answer: str, _case: Case) -> Found:
        try:
            value = checking.parse(answer)
        except ValueError:
            return found(0, "not_json") if strict else _near(validator, answer.strip())
        wrong, share = _wrong(validator, value)
        if not wrong:
            return found(1, "follows_schema")
        return found(0 if strict else WHOLE + WHOLE * share, "breaks_schema", reason=wrong)

    return check


def _validator(schema: dict[str, Any]) -> Any:
    import jsonschema
    from referencing.jsonschema import EMPTY_REGISTRY

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        fail("schema_invalid", f"The schema for the answers is not valid: {error.message}", reason=error.message)
    # an empty registry: a reference to somewhere else is not followed over the network
    return jsonschema.validators.extend(kind, {"pattern": _pattern})(schema, registry=EMPTY_REGISTRY)


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Any:
    """The keyword `pattern` with a time limit: both the expression and the text come from elsewhere."""
    import jsonschema
    import regex

    try:
        fits = not isinstance(instance, str) or regex.search(pattern, instance, timeout=SECONDS)
    except (TimeoutError, regex.error):
        fits = False
    if not fits:
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


def _wrong(validator: Any, value: Any) -> tuple[str, float]:
    """(What is wrong first, or ""; the share of the schema's keys that are right)."""
    from referencing.exceptions import Unresolvable

    try:
        errors = list(islice(validator.iter_errors(value), MOST))
    except (RecursionError, OverflowError, Unresolvable) as error:
        return type(error).__name__, 0.0
    keys = _keys(validator.schema)
    if not errors or not isinstance(value, dict):
        return (errors[0].message[:200] if errors else ""), 0.0
    missing = {key for key in validator.schema.get("required", ()) if key not in value}
    broken = {str(error.path[0]) for error in errors if error.path} | missing
    other = any(not error.path and error.validator != "required" for error in errors)
    return errors[0].message[:200], max(0.0, 1 - (len(broken) + other) / (len(keys | broken) + 1))


def _keys(schema: dict[str, Any]) -> set[str]:
    return {*schema.get("required", ()), *schema.get("properties", ())}


def _near(validator: Any, text: str) -> Found:
    """Of an answer that is no JSON: JSON within it, else brackets and the names of keys."""
    try:
        wrong, share = _wrong(validator, checking.embedded(text))
        return found(EMBEDDED + EMBEDDED * (share if wrong else 1), "json_and_more")
    except ValueError:
        keys = _keys(validator.schema)
        named = sum(f'"{key}"' in text for key in keys) / (len(keys) or 1)
        return found(EMBEDDED * (text.startswith("{") + text.endswith("}") + named) / 3, "not_json")
