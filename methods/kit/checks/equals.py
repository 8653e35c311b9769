"""The answer is the expected one."""

from kit import checking
from kit.checking import Case, Check, Found, found


def make(ignore_case: bool = False) -> Check:
    """1 for the same JSON, whatever the order of keys, or, where one is no JSON, the same text but for its ends."""

    def check(answer: str, case: Case) -> Found:
        is_same = same(answer, case.expected)
        if ignore_case:
            is_same = is_same or same(answer.casefold(), case.expected.casefold())
        return found(1, "as_expected") if is_same else found(0, "not_as_expected")

    return check


def same(answer: str, expected: str) -> bool:
    """Whether both are the same JSON, or, if one is no JSON, the same text."""
    try:
        return checking.canonical(answer) == checking.canonical(expected)
    except ValueError:
        return answer.strip() == expected.strip()
