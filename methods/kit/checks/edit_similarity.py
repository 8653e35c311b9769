"""The answer is spelled nearly as the expected one."""

from collections import defaultdict

from kit.checking import Case, Check, Found, found

MOST = 4000  # characters of each side that are compared


def make() -> Check:
    """1 less the edits (a character put in, taken out, exchanged) for each character of the longer text."""

    def check(answer: str, case: Case) -> Found:
        given, wanted = answer.strip()[:MOST], case.expected.strip()[:MOST]
        edits = distance(given, wanted)
        return found(1 - edits / (max(len(given), len(wanted)) or 1), "edits", edits=edits)

    return check


def distance(first: str, second: str) -> int:
    """The Levenshtein distance, a column of the table at a time as bits (Myers, 1999; Hyyrö, 2003)."""
    if not first:
        return len(second)
    places: defaultdict[str, int] = defaultdict(int)
    for place, character in enumerate(first):
        places[character] |= 1 << place
    every, last = (1 << len(first)) - 1, 1 << (len(first) - 1)
    up, down, edits = every, 0, len(first)
    for character in second:
        matched = places[character]
        diagonal = (((matched & up) + up) ^ up) | matched | down
        higher, lower = (down | ~(diagonal | up)) & every, up & diagonal
        edits += bool(higher & last) - bool(lower & last)
        higher = (higher << 1 | 1) & every
        up, down = ((lower << 1) | ~(diagonal | higher)) & every, higher & diagonal
    return edits
