"""Answers that say nothing: punctuation alone, or what people put where they have no answer.

Source: how spreadsheets, databases and people write a missing value in English, German and Chinese. An answer that is
a label by itself (`none`, `null`) can be meant, so nothing is left out unasked where it is one of few answers.
Cost: a look at answers of at most sixteen characters; longer ones cost their length alone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from control_plane.domain.rows import answers
from control_plane.preparation.blocks import Block, Hit

CODE = "empty_answer"

_LONGEST = 16  # characters
_NOTHING = frozenset(
    (
        *(
            "n/a",
            "na",
            "n.a.",
            "n. a.",
            "nan",
            "null",
            "none",
            "nil",
            "undefined",
            "#n/a",
            "#ref!",
            "#value!",
            "#name?",
        ),
        *("todo", "tbd", "tba", "xxx", "unknown", "#name?", "not available", "no answer"),
        *("k.a.", "k. a.", "keine angabe", "unbekannt", "entfällt", "fehlt"),
        *("无", "暂无", "没有", "未知", "待定", "待补充", "空", "不详", "缺失"),
    )
)
_MARKS = ("P", "Z", "C")  # general categories of Unicode: punctuation, spaces, what is not shown


class EmptyAnswers:
    """Finds them."""

    code = CODE

    def __init__(self, format: str) -> None:
        self._format = format

    def find(self, block: Block) -> Iterator[Hit]:
        """Each row whose answer says nothing; `answer` is what stands there."""
        for number, given in enumerate(answers(self._format, block.rows)):
            if given is not None and len(given) <= _LONGEST and says_nothing(given):
                yield Hit(number, params={"answer": given.strip()})


def says_nothing(text: str) -> bool:
    """Whether an answer says nothing."""
    word = " ".join(text.split()).lower()
    return word in _NOTHING or all(unicodedata.category(one).startswith(_MARKS) for one in word)
