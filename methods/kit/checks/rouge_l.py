"""The answer has the words of the expected one in the same order."""

from collections import defaultdict

from kit import checking
from kit.checking import Case, Check, Found, found

MOST = 4000  # words of each side that are compared


def make() -> Check:
    """ROUGE-L: F1 of the longest common subsequence of words (Lin, 2004)."""

    def check(answer: str, case: Case) -> Found:
        given, wanted = checking.words(answer)[:MOST], checking.words(case.expected)[:MOST]
        common = longest_common(given, wanted)
        return found(checking.overlap(common, len(given), len(wanted)), "words_in_order", common=common)

    return check


def longest_common(first: list[str], second: list[str]) -> int:
    """The length of the longest common subsequence, a row of the table at a time as bits (Hyyrö, 2004)."""
    places: defaultdict[str, int] = defaultdict(int)
    for place, word in enumerate(first):
        places[word] |= 1 << place
    every = (1 << len(first)) - 1
    row = every
    for word in second:
        matched = row & places[word]
        row = ((row + matched) | (row - matched)) & every
    return len(first) - row.bit_count()
