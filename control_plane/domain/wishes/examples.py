"""The examples of a wish: read from a table that somebody pasted, and looked at before anything is concluded."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.domain import documents
from control_plane.domain.errors import (
    WishAnswersAlike,
    WishExampleEmpty,
    WishExamplesContradict,
    WishExamplesFew,
    WishExamplesMany,
    WishExamplesMissing,
    WishTableUnreadable,
    WishTooLong,
)

FEWEST, MOST = 3, 100
LONGEST = 8_000  # characters of a question or an answer

_QUESTIONS = frozenset(
    ("prompt", "question", "input", "text", "mail", "frage", "eingabe", "anfrage", "eingang", "问题", "输入", "文本")
)
_ANSWERS = frozenset(
    (
        "answer",
        "completion",
        "output",
        "label",
        "result",
        "antwort",
        "ausgabe",
        "ergebnis",
        "答案",
        "回答",
        "输出",
        "结果",
    )
)
_ARROW = re.compile(r"\s*(?:→|=>)\s*")


@dataclass(frozen=True)
class Example:
    """A question as the model will be asked it, and the answer that is right."""

    prompt: str
    answer: str


def checked(given: Sequence[Example]) -> tuple[Example, ...]:
    """The examples without the space around them, each once.

    Raises WishExamplesMissing, WishExamplesMany, WishExampleEmpty, WishTooLong, and as `compared`.
    """
    if not given:
        raise WishExamplesMissing
    if len(given) > MOST:
        raise WishExamplesMany(count=len(given), most=MOST)
    kept = [Example(_plain(one.prompt), _plain(one.answer)) for one in given]
    for number, one in enumerate(kept, 1):
        if not one.prompt or not one.answer:
            raise WishExampleEmpty(number=number)
        if (length := max(len(one.prompt), len(one.answer))) > LONGEST:
            raise WishTooLong(place=number, length=length, most=LONGEST)
    return compared(kept)


def compared(kept: Sequence[Example]) -> tuple[Example, ...]:
    """Examples that are sound one by one, each once.

    Raises WishExamplesContradict, WishExamplesFew, WishAnswersAlike.
    """
    first: dict[str, int] = {}
    for number, one in enumerate(kept):
        earlier = first.setdefault(_asked(one.prompt), number)
        if same(kept[earlier].answer) != same(one.answer):
            raise WishExamplesContradict(first=earlier + 1, second=number + 1)
    found = tuple(kept[number] for number in first.values())
    if len(found) < FEWEST:
        raise WishExamplesFew(count=len(found), least=FEWEST)
    if len({same(one.answer) for one in found}) == 1:
        raise WishAnswersAlike
    return found


def same(answer: str) -> str:
    """An answer in the spelling that it shares with those that say the same: JSON in any order of its keys."""
    try:
        return json.dumps(documents.parse(answer), sort_keys=True, ensure_ascii=False)
    except ValueError:
        return " ".join(answer.split())


def of_table(text: str) -> list[Example]:
    """What was pasted: two columns of a spreadsheet, comma-separated values, `question → answer` lines, or JSON lines.

    A line of headings is left out. Raises WishTableUnreadable.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not lines.strip():
        return []
    if lines.lstrip().startswith("{"):
        return list(_of_json(lines))
    rows = _rows(lines)
    if rows and rows[0][0].strip().casefold() in _QUESTIONS and rows[0][1].strip().casefold() in _ANSWERS:
        rows = rows[1:]
    return [Example(_plain(question), _plain(answer)) for question, answer in rows]


def _rows(text: str) -> list[tuple[str, str]]:
    first = text.split("\n", 1)[0]
    if "\t" not in first and _ARROW.search(first):
        return [_two(number, _ARROW.split(line, 1)) for number, line in _filled(text)]
    wrong = WishTableUnreadable(line=1)
    for delimiter in ("\t",) if "\t" in first else (";", ","):
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=delimiter != "\t"
        )
        try:
            return [_two(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
        except csv.Error:
            wrong = WishTableUnreadable(line=reader.line_num)
        except WishTableUnreadable as problem:
            wrong = problem
    raise wrong


def _two(line: int, cells: Sequence[str]) -> tuple[str, str]:
    kept = list(cells)
    while len(kept) > 2 and not kept[-1].strip():  # a spreadsheet's empty columns
        kept.pop()
    if len(kept) != 2:
        raise WishTableUnreadable(line=line)
    return kept[0], kept[1]


def _of_json(text: str) -> Iterator[Example]:
    for number, line in _filled(text):
        try:
            row: Any = documents.parse(line)
            question = next(row[name] for name in row if name.casefold() in _QUESTIONS)
            answer = next(row[name] for name in row if name.casefold() in _ANSWERS)
        except (ValueError, TypeError, AttributeError, StopIteration):
            raise WishTableUnreadable(line=number) from None
        yield Example(_plain(_text(question)), _plain(_text(answer)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _filled(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _plain(text: str) -> str:
    return documents.well_formed(text.replace("\r\n", "\n").replace("\x00", "")).strip()


def _asked(prompt: str) -> str:
    return " ".join(prompt.split()).casefold()
