"""The fields of a JSON answer have the values of the expected answer's."""

from typing import Any

from kit import checking
from kit.checking import Case, Check, Found, found

EMBEDDED = 0.5  # of the score, for JSON with text around it


def make(fields: list[str] | None = None, strict: bool = False) -> Check:
    """The share of fields that are right, among `fields` (dotted paths), or all that either side has at the top."""

    def check(answer: str, case: Case) -> Found:
        try:
            wanted = checking.parse(case.expected)
        except ValueError:
            return found(0, "reference_not_json")
        value, part = _read(answer, strict)
        if part == 0 or not isinstance(value, dict) or not isinstance(wanted, dict):
            return found(0, "not_json" if part == 0 else "no_object")
        names = fields or [*wanted, *(key for key in value if key not in wanted)]
        right = [name for name in names if _at(value, name, fields) == _at(wanted, name, fields)]
        score = part * (len(right) / len(names) if names else 1)
        return found(score, "fields_right", right=len(right), fields=len(names))

    return check


def _read(answer: str, strict: bool) -> tuple[Any, float]:
    """(The JSON value, what part of the score it can have)."""
    try:
        return checking.parse(answer), 1.0
    except ValueError:
        if strict:
            return None, 0.0
    try:
        return checking.embedded(answer), EMBEDDED
    except ValueError:
        return None, 0.0


def _at(value: Any, name: str, fields: list[str] | None) -> str | None:
    """The value in one spelling, so that 1 and true differ; None where it is missing."""
    try:
        return repr(checking.as_text(checking.at(value, name) if fields else value[name]))
    except (LookupError, RecursionError):
        return None
