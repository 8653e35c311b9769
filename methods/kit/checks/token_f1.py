"""The answer has the words of the expected one, in any order."""

from collections import Counter

from kit import checking
from kit.checking import Case, Check, Found, found


def make() -> Check:
    """F1 of the words, as SQuAD counts it (Rajpurkar et al., 2016), without taking away articles."""

    def check(answer: str, case: Case) -> Found:
        given, wanted = checking.words(answer), checking.words(case.expected)
        common = (Counter(given) & Counter(wanted)).total()
        return found(checking.overlap(common, len(given), len(wanted)), "words_common", common=common)

    return check
