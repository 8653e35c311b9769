"""What differs between two texts, word by word: pieces that stayed, were taken away or were added."""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff
from itertools import takewhile

SAME, ADDED, REMOVED = "same", "added", "removed"

_WRITTEN_WITHOUT_SPACES = "\u3040-\u30ff\u3400-\u9fff"  # each sign is a word here
_WORDS = re.compile(rf"(?:[{_WRITTEN_WITHOUT_SPACES}]|[^\W{_WRITTEN_WITHOUT_SPACES}]+|[^\w\s])\s*|\s+")
_MOST = 500  # words that differ, of a text
_LONGEST = 100_000  # characters of a text; of longer ones parts are shown
_SHOWN = 2_000  # characters of each of those parts
_MOST_PAIRS = 4_000  # of equal words: to find the longest runs takes their number times that of the runs

Piece = tuple[str, str]  # kind, text


@dataclass(frozen=True)
class Compared:
    """Two texts as one."""

    pieces: list[Piece]  # what stayed, what was removed, what was added, in reading order
    is_whole: bool = False  # it would take too long to say which words differ: all between the first and the last


def by_lines(old: str, new: str) -> list[str]:
    """What differs between two texts, as lines with a sign before them."""
    return list(unified_diff(old.splitlines(), new.splitlines(), lineterm=""))[2:]


def compare(old: str, new: str) -> Compared:
    """Two texts word by word, in milliseconds whatever stands in them."""
    if max(len(old), len(new)) > _LONGEST:
        return _of_long(old, new)
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    begin = _common(before, after)
    end = _common(before[begin:][::-1], after[begin:][::-1])
    gone, come = before[begin : len(before) - end], after[begin : len(after) - end]
    is_whole = max(len(gone), len(come)) > _MOST or _equal_pairs(gone, come) > _MOST_PAIRS
    changed = [(REMOVED, gone), (ADDED, come)] if is_whole else _by_runs(gone, come)
    parts = [(SAME, before[:begin]), *changed, (SAME, before[len(before) - end :])]
    return Compared(_joined(parts), is_whole)


def _of_long(old: str, new: str) -> Compared:
    """What stands between the first and the last character that differ, and something around it."""
    if old == new:
        return Compared([(SAME, f"{new[:_SHOWN]}…")])
    least = min(len(old), len(new))
    begin = bisect(range(least), 0, key=lambda count: old[: count + 1] != new[: count + 1])
    end = bisect(range(least - begin), 0, key=lambda count: old[len(old) - count - 1 :] != new[len(new) - count - 1 :])
    gone, come = old[begin : len(old) - end], new[begin : len(new) - end]
    parts = [(REMOVED, [_begin(gone)]), (ADDED, [_begin(come)])]
    before, after = old[max(0, begin - _SHOWN) : begin], old[len(old) - end :]
    before = f"…{before}" if begin > _SHOWN else before
    return Compared(_joined([(SAME, [before]), *parts, (SAME, [_begin(after)])]), is_whole=True)


def _begin(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _common(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _equal_pairs(one: list[str], other: list[str]) -> int:
    counts = Counter(other)
    return sum(counts[word] for word in one)


def _by_runs(gone: list[str], come: list[str]) -> list[tuple[str, list[str]]]:
    found = []
    for kind, low, high, from_, to in SequenceMatcher(None, gone, come, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append((SAME, gone[low:high]))
        else:
            found += [(REMOVED, gone[low:high]), (ADDED, come[from_:to])]
    return found


def _joined(parts: list[tuple[str, list[str]]]) -> list[Piece]:
    """Without empty ones; what stayed twice in a row is one."""
    found: list[Piece] = []
    for kind, words in parts:
        text = "".join(words)
        if text and found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + text)
        elif text:
            found.append((kind, text))
    return found
