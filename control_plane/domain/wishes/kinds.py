"""What kind of task a wish is, told by the answers of its examples."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from control_plane.domain import documents
from control_plane.domain.errors import WishAnswersMixed
from control_plane.domain.wishes import fields
from control_plane.domain.wishes.examples import Example
from control_plane.domain.wishes.paragraph import Said

RECORD, CLASS, NUMBER, EXTRACT, TEXT = "record", "class", "number", "extract", "text"

_NUMBER = re.compile(r"[-+−]?[0-9]+(?:[.,’' ][0-9]{3})*(?:[.,][0-9]+)?")
_UNIT = re.compile(r"\s?[^\d\s=+*/]{1,12}(?:/[^\d\s]{1,6})?")
_WAY = re.compile(r"[=+*/×÷]|####")
_SHORT_WORDS, _SHORT = 8, 60


@dataclass(frozen=True)
class Kind:
    """The kind, why it is that (a code of `words.KINDS`), and what was read on the way."""

    name: str
    reason: str
    records: tuple[dict[str, Any], ...] = ()  # of RECORD: the answers
    values: tuple[str, ...] = ()  # of CLASS: the answers that there are
    params: dict[str, Any] = field(default_factory=dict)


def of(examples: Sequence[Example], text: str) -> Kind:
    """The kind of task. Raises WishAnswersMixed where some answers are records and some are not."""
    read = [_record(one.answer) for one in examples]
    records = tuple(one for one in read if one is not None)
    if records:
        if len(records) < len(read):
            few = [number for number, one in enumerate(read, 1) if (one is None) == (2 * len(records) >= len(read))]
            raise WishAnswersMixed(number=few[0])
        return Kind(RECORD, "answers_are_records", records=records)
    answers = [one.answer for one in examples]
    if all(is_number(one) for one in answers):
        return Kind(NUMBER, "answers_are_numbers")
    if all(_WAY.search(one) and last_number(one) for one in answers):
        return Kind(NUMBER, "answers_end_in_numbers")
    values = fields.closed(answers, text, Said())
    if values:
        return Kind(CLASS, "answers_are_few", values=values, params={"count": len(values)})
    if all(
        len(one) <= _SHORT and one.casefold() in each.prompt.casefold()
        for one, each in zip(answers, examples, strict=True)
    ):
        return Kind(EXTRACT, "answers_stand_in_questions")
    return Kind(TEXT, "answers_are_free")


def is_number(answer: str) -> bool:
    """Whether it is one number and at most a unit."""
    found = _NUMBER.match(answer.strip())
    if found is None:
        return False
    rest = answer.strip()[found.end() :]
    return not rest or _UNIT.fullmatch(rest) is not None


def unit_of(answer: str) -> str:
    """What stands after a number that is the whole answer."""
    found = _NUMBER.match(answer.strip())
    return answer.strip()[found.end() :].strip() if found else ""


def last_number(answer: str) -> str:
    """The last number of a text, as it is written; empty without one."""
    found = _NUMBER.findall(answer)
    return found[-1] if found and answer.rstrip(" .€$%").endswith(found[-1]) else ""


def _record(answer: str) -> dict[str, Any] | None:
    try:
        value = documents.parse(answer)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
