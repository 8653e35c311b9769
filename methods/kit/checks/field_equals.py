"""One field of a JSON answer has a value."""

from kit import checking
from kit.checking import Case, Check, Found, found


def make(field: str, value: str = "") -> Check:
    """1 where the field at the dotted path `field` equals `value`, or the expected answer's field without one."""

    def check(answer: str, case: Case) -> Found:
        try:
            wanted = value or checking.as_text(checking.field_of(case.expected, field))
        except (ValueError, LookupError, RecursionError):
            return found(0, "reference_without_field", field=field)
        try:
            same = checking.as_text(checking.field_of(answer, field)) == wanted
        except (ValueError, LookupError, RecursionError):
            return found(0, "field_missing", field=field)
        return found(1, "field_right", field=field) if same else found(0, "field_wrong", field=field)

    return check
