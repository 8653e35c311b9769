"""The answer is JSON."""

from kit import checking
from kit.checking import Case, Check, Found, found

EMBEDDED, SIGN = 0.5, 0.1  # JSON with other text around it; for each of an opening and a closing bracket


def make(strict: bool = False) -> Check:
    """1 for an answer that is JSON as a whole; less for what comes near, unless `strict`."""

    def check(answer: str, _case: Case) -> Found:
        try:
            checking.parse(answer)
        except ValueError:
            return found(0, "not_json") if strict else _near(answer.strip())
        return found(1, "is_json")

    return check


def _near(text: str) -> Found:
    try:
        checking.embedded(text)
    except ValueError:
        return found(SIGN * (text[:1] in ("{", "[")) + SIGN * (text[-1:] in ("}", "]")), "not_json")
    return found(EMBEDDED, "json_and_more")
