"""What differs between two texts, word by word: pieces that stayed, were taken away or were added."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

SAME, ADDED, REMOVED = "same", "added", "removed"

_WRITTEN_WITHOUT_SPACES = "\u3040-\u30ff\u3400-\u9fff"  # each sign is a word here
_WORDS = re.compile(rf"\s+|[{_WRITTEN_WITHOUT_SPACES}]|[^\W{_WRITTEN_WITHOUT_SPACES}]+|[^\w\s]")
_MOST = 500  # words of a text; longer ones are shown whole, one below the other

Piece = tuple[str, str]  # kind, text


def pieces(old: str, new: str) -> list[Piece]:
    """The two texts as one: what stayed, what was removed, what was added, in reading order."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > _MOST:
        return [(REMOVED, old), (ADDED, new)] if old != new else [(SAME, new)]
    found: list[Piece] = []
    for kind, low, high, from_, to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append((SAME, "".join(before[low:high])))
            continue
        found += [(REMOVED, "".join(before[low:high]))] if high > low else []
        found += [(ADDED, "".join(after[from_:to]))] if to > from_ else []
    return found
