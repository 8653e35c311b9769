"""The answer does not say the same again and again."""

from kit import checking
from kit.checking import Case, Check, Found, found


def make(words: int = 3) -> Check:
    """The share of runs of so many words that are different from each other; 1 for an answer that is shorter."""

    def check(answer: str, _case: Case) -> Found:
        given = checking.words(answer)
        runs = [tuple(given[start : start + words]) for start in range(len(given) - words + 1)]
        different = len(set(runs))
        return found(different / len(runs) if runs else 1, "runs_different", different=different, runs=len(runs))

    return check
