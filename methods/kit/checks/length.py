"""The answer is neither too short nor too long."""

from kit import checking
from kit.checking import Case, Check, Found, found


def make(minimum: int = 0, maximum: int = 200, unit: str = "words") -> Check:
    """1 from `minimum` to `maximum` words or characters; below, the share of it; above, falling to 0 at twice."""

    def check(answer: str, _case: Case) -> Found:
        length = len(checking.words(answer)) if unit == "words" else len(answer.strip())
        if length < minimum:
            return found(length / minimum, "too_short", length=length)
        if length > maximum:
            return found(2 - length / maximum if maximum else 0, "too_long", length=length)
        return found(1, "length_right", length=length)

    return check
