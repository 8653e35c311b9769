"""The answer does not contain certain texts."""

from kit.checking import Case, Check, Found, found


def make(texts: list[str], ignore_case: bool = True) -> Check:
    """The share of `texts` that do not stand in the answer."""
    unwanted = [text.casefold() if ignore_case else text for text in texts]

    def check(answer: str, _case: Case) -> Found:
        given = answer.casefold() if ignore_case else answer
        there = [text for text, one in zip(texts, unwanted, strict=True) if one in given]
        if there:
            return found(1 - len(there) / len(unwanted), "text_there", text=there[0][:100])
        return found(1, "texts_avoided")

    return check
