"""The answer contains certain texts."""

from kit.checking import Case, Check, Found, found


def make(texts: list[str], ignore_case: bool = True) -> Check:
    """The share of `texts` that stand in the answer."""
    wanted = [text.casefold() if ignore_case else text for text in texts]

    def check(answer: str, _case: Case) -> Found:
        given = answer.casefold() if ignore_case else answer
        missing = [text for text, one in zip(texts, wanted, strict=True) if one not in given]
        if missing:
            return found(1 - len(missing) / len(wanted), "text_missing", text=missing[0][:100])
        return found(1, "texts_there")

    return check
