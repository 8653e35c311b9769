"""A number in one field of a JSON answer is near the right one."""

from kit import checking
from kit.checking import Case, Check, Found, found


def make(field: str, value: float | None = None, tolerance: float = 0.0) -> Check:
    """1 within `tolerance` of `value`, or of the expected answer's field without one; then falling to 0 at twice it."""

    def check(answer: str, case: Case) -> Found:
        wanted = value if value is not None else _number(case.expected, field)
        if wanted is None:
            return found(0, "reference_without_field", field=field)
        given = _number(answer, field)
        if given is None:
            return found(0, "field_missing", field=field)
        if checking.near(given, wanted, tolerance):
            return found(1, "field_right", field=field)
        return found(2 - abs(given - wanted) / tolerance if tolerance else 0, "field_wrong", field=field)

    return check


def _number(text: str, field: str) -> float | None:
    try:
        return checking.number(checking.field_of(text, field))
    except (ValueError, LookupError):
        return None
