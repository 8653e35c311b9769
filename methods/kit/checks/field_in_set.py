"""One field of a JSON answer has one of several values."""

from kit import checking
from kit.checking import Case, Check, Found, found


def make(field: str, values: list[str]) -> Check:
    """1 where the field at the dotted path `field` has one of `values`."""
    allowed = frozenset(values)

    def check(answer: str, _case: Case) -> Found:
        try:
            given = checking.as_text(checking.field_of(answer, field))
        except (ValueError, LookupError, RecursionError):
            return found(0, "field_missing", field=field)
        return found(1, "field_right", field=field) if given in allowed else found(0, "field_wrong", field=field)

    return check
