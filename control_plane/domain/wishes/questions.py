"""What a wish leaves open, as questions with choices; what is chosen changes form, answers, checks and prompt.

Until somebody decides, `Question.chosen` is what the examples do; where they say nothing, the plainest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.wishes import kinds
from control_plane.domain.wishes.examples import Example
from control_plane.domain.wishes.fields import Field
from control_plane.domain.wishes.kinds import Kind

# question → its choices, the plainest first
CHOICES: Mapping[str, tuple[str, ...]] = {
    "missing": ("null", "leave_out", "empty"),
    "several": ("main", "first", "list"),
    "other": ("nearest", "other"),
    "quantity": ("as_written", "same_quantity"),
    "number": ("exact", "near"),
    "steps": ("only", "way"),
    "unit": ("keep", "drop"),
    "language": ("keep", "follow"),
}
OTHER = {"en": "other", "de": "Sonstiges", "zh": "其他"}
MOST = 10  # nobody reads more

_OTHERS = frozenset(
    (
        "other",
        "others",
        "misc",
        "none",
        "unknown",
        "sonstiges",
        "andere",
        "keine",
        "unbekannt",
        "其他",
        "其它",
        "未知",
        "无",
    )
)
_UNITS = re.compile(
    r"([nµum]?m|[ck]m|[mkµ]?g|[mµ]?l|[mnµ]?mol|%|°c|k|[kmg]?pa|bar|k?n|v|a|k?w|h|min|m?s)(/([mµ]?l|[mnµ]?mol|m[23]?|h|s))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Question:
    """One thing to decide; `key` names it for good, `code` and `field` make its sentence."""

    key: str
    code: str
    field: str  # as people call it; empty: the whole answer
    choices: tuple[str, ...]
    chosen: str


def asked(
    kind: Kind, form: Sequence[Field], examples: Sequence[Example], decided: Mapping[str, str]
) -> tuple[Question, ...]:
    """What is to decide, with what was decided. Raises FieldInvalid for a choice that there is not."""
    found = tuple(_open(kind, form, examples))[:MOST]
    return tuple(_decided(one, decided) for one in found)


def _decided(question: Question, decided: Mapping[str, str]) -> Question:
    choice = decided.get(question.key, question.chosen)
    if choice not in question.choices:
        raise FieldInvalid(field=question.key, problem=" | ".join(question.choices))
    return replace(question, chosen=choice)


def _open(kind: Kind, form: Sequence[Field], examples: Sequence[Example]) -> Iterator[Question]:
    pair = quantity(form, kind.records)
    if kind.name == kinds.RECORD:
        yield from (_missing(one, kind.records) for one in form if one.may_lack)
        if pair is not None:
            yield _question("quantity", pair[0], CHOICES["quantity"])
        elif any("number" in one.types for one in form):
            yield _question("number", None, CHOICES["number"])
    sets = [one for one in form if one.values and not (pair and one == pair[1])]
    yield from (_several(one) for one in sets)
    yield from (_question("other", one, CHOICES["other"]) for one in sets if not _has_other(one))
    if kind.name == kinds.NUMBER:
        is_way = kind.reason == "answers_end_in_numbers"
        yield _question("steps", None, CHOICES["steps"], "way" if is_way else "only")
        if not is_way and all(kinds.unit_of(one.answer) for one in examples):
            yield _question("unit", None, CHOICES["unit"])
    if kind.name == kinds.TEXT or any(one.is_open_text for one in form):
        yield _question("language", None, CHOICES["language"])


def quantity(form: Sequence[Field], records: Sequence[Mapping[str, Any]]) -> tuple[Field, Field] | None:
    """The one field with a number and the one with its unit, if there is just one of each."""
    numbers = [one for one in form if set(one.types) <= {"integer", "number"}]
    units = [one for one in form if one.types == ("string",) and _are_units([row.get(one.name) for row in records])]
    return (numbers[0], units[0]) if len(numbers) == len(units) == 1 else None


def applied(form: Sequence[Field], questions: Sequence[Question], language: str) -> tuple[Field, ...]:
    """The fields as the decisions leave them."""
    made = []
    chosen = {one.key: one.chosen for one in questions}
    for field in form:
        lack = chosen.get(f"missing:{field.name}", "")
        if lack:
            as_text = lack == "empty"
            field = replace(field, required=lack != "leave_out", nullable=lack == "null", may_be_empty=as_text)
        if chosen.get(f"other:{field.name}") == "other":
            field = replace(field, values=(*field.values, OTHER[language]))
        if chosen.get(f"several:{field.name}") == "list":
            field = replace(field, is_list=True)
        made.append(field)
    return tuple(made)


def rewritten(record: Mapping[str, Any], form: Sequence[Field], questions: Sequence[Question]) -> dict[str, Any]:
    """A right answer as the decisions want it written."""
    chosen = {one.key: one.chosen for one in questions}
    made = dict(record)
    for field in form:
        lack = chosen.get(f"missing:{field.name}")
        if lack and made.get(field.name) in (None, ""):
            made.pop(field.name, None)
            if lack != "leave_out":
                made[field.name] = None if lack == "null" else ""
        value = made.get(field.name)
        if chosen.get(f"several:{field.name}") == "list" and isinstance(value, str) and value:
            made[field.name] = [value]
    order = [field.name for field in form if field.name in made]
    return {name: made[name] for name in [*order, *(name for name in made if name not in order)]}


def _missing(field: Field, records: Sequence[Mapping[str, Any]]) -> Question:
    choices = CHOICES["missing"] if field.types == ("string",) and not field.is_list else ("null", "leave_out")
    ways = {
        "leave_out": sum(field.name not in one for one in records),
        "null": sum(field.name in one and one[field.name] is None for one in records),
        "empty": sum(one.get(field.name) == "" for one in records),
    }
    most = max(choices, key=lambda one: ways[one])
    return _question("missing", field, choices, most if ways[most] else "")


def _several(field: Field) -> Question:
    if field.is_list:
        return _question("several", field, ("list",))
    return _question("several", field, CHOICES["several"] if field.name else CHOICES["several"][:2])


def _question(code: str, field: Field | None, choices: tuple[str, ...], chosen: str = "") -> Question:
    key = code if field is None else f"{code}:{field.name}"
    return Question(key, code, field.label if field else "", choices, chosen or choices[0])


def _has_other(field: Field) -> bool:
    return any(value.casefold() in _OTHERS for value in field.values)


def _are_units(values: Sequence[Any]) -> bool:
    texts = [one for one in values if isinstance(one, str) and one]
    return bool(texts) and all(_UNITS.fullmatch(one.replace("\u03bc", "\u00b5")) for one in texts)
