"""The number at the end of the answer is the right one, whatever stands before it."""

from kit import checking
from kit.checking import Case, Check, Found, found


def make(value: float | None = None, tolerance: float = 0.0) -> Check:
    """1 where the answer's last number is within `tolerance` of `value`, or of the expected answer's last number."""

    def check(answer: str, case: Case) -> Found:
        wanted = [value] if value is not None else checking.numbers_in(case.expected)
        given = checking.numbers_in(answer)
        if not wanted:
            return found(0, "reference_without_number")
        if not given:
            return found(0, "no_number")
        right = checking.near(given[-1], wanted[-1], tolerance)
        return found(1, "number_right") if right else found(0, "number_wrong", number=given[-1])

    return check
