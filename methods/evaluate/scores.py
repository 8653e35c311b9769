"""The checks that score one answer: does it follow the schema, and is it the expected one."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from kit.events import fail


def schema_check(schema: dict[str, Any] | None) -> Callable[[str], bool] | None:
    """A check whether a whole answer is JSON that follows the schema; None without a schema (null or {}).

    Strict: nothing but white space may stand around the JSON. Refuses a schema that is none with ``schema_invalid``.
    """
    if not schema:
        return None
    import jsonschema

    validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        fail("schema_invalid", f"The schema for the answers is not valid: {error.message}", reason=error.message)
    checker = validator(schema)

    def check(answer: str) -> bool:
        try:
            return bool(checker.is_valid(parse(answer)))
        except ValueError:
            return False

    return check


def same(answer: str, expected: str) -> bool:
    """Whether both are the same JSON (whatever the order of keys), or, if one is no JSON, the same text."""
    try:
        return canonical(answer) == canonical(expected)
    except ValueError:
        return answer.strip() == expected.strip()


def canonical(text: str) -> str:
    """A JSON text in one spelling; raises ValueError if it is no JSON."""
    return json.dumps(parse(text), sort_keys=True)


def parse(text: str) -> Any:
    """Read a whole text as JSON, strictly: no NaN, no key twice; raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)
