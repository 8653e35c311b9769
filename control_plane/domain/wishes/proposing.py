"""What is proposed from a wish: it follows from the text, the examples, what was decided and what was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from control_plane.domain.errors import FieldInvalid, WishAnswersFieldless, WishForbidsExample, WishTooLong
from control_plane.domain.shapes import MOST_FIELDS
from control_plane.domain.wishes import examples as samples
from control_plane.domain.wishes import fields, instructing, kinds, paragraph, questions, rewarding
from control_plane.domain.wishes.examples import Example
from control_plane.domain.wishes.fields import Field
from control_plane.domain.wishes.kinds import Kind
from control_plane.domain.wishes.questions import Question

_LONGEST_DESCRIPTION = 300  # characters
_LONGEST_PROMPT = 8_000
_SHOWN = 80


@dataclass(frozen=True)
class Changes:
    """What people changed of a proposal: field → {description, values, may_lack}; and the prompt, if they wrote one."""

    fields: Mapping[str, Mapping[str, Any]]
    prompt: str = ""


@dataclass(frozen=True)
class Proposal:
    """What a good answer is, as far as it is understood."""

    language: str
    kind: str
    reason: str  # a code, with what its sentence needs
    reason_params: Mapping[str, Any]
    fields: tuple[Field, ...]
    schema: Mapping[str, Any] | None  # of answers that are records
    checks: Sequence[Mapping[str, Any]]
    questions: tuple[Question, ...]
    prompt: str
    examples: tuple[Example, ...]  # with their answers as it was decided that they be written


NOTHING = Changes({})


def propose(
    text: str, examples: Sequence[Example], decided: Mapping[str, str] | None = None, changes: Changes = NOTHING
) -> Proposal:
    """The proposal for a wish. Raises WishInvalid, FieldInvalid; each names its place."""
    said = paragraph.checked(text)
    given = samples.checked(examples)
    language = paragraph.language(said)
    kind = kinds.of(given, said)
    form = tuple(_changed(one, changes.fields.get(one.name, {})) for one in _form(kind, said))
    asked = questions.asked(kind, form, given, decided or {})
    form = questions.applied(form, asked, language)
    kept = tuple(_rewritten(one, kind, form, asked) for one in given)
    for number, one in enumerate(kept, 1):
        _check(number, one, kind, form)
    if len(changes.prompt) > _LONGEST_PROMPT:
        raise WishTooLong(place="prompt", length=len(changes.prompt), most=_LONGEST_PROMPT)
    return Proposal(
        language=language,
        kind=kind.name,
        reason=kind.reason,
        reason_params=kind.params,
        fields=form,
        schema=fields.schema(form) if kind.name == kinds.RECORD else None,
        checks=rewarding.checks(kind, form, asked, kept, language),
        questions=asked,
        prompt=changes.prompt.strip() or instructing.prompt(said, language, kind, form, asked, kept),
        examples=kept,
    )


def _form(kind: Kind, text: str) -> tuple[Field, ...]:
    if kind.name == kinds.CLASS:
        return (Field("", ("string",), values=kind.values),)
    if kind.name != kinds.RECORD:
        return ()
    form = fields.inferred(kind.records, text)
    if not form:
        raise WishAnswersFieldless(most=MOST_FIELDS)
    return form


def _changed(field: Field, change: Mapping[str, Any]) -> Field:
    """The field with what people changed of it. Raises FieldInvalid."""
    place = field.name or "answer"
    if "description" in change:
        description = " ".join(str(change["description"]).split())
        if len(description) > _LONGEST_DESCRIPTION:
            raise FieldInvalid(field=place, problem=f"≤ {_LONGEST_DESCRIPTION}")
        field = replace(field, description=description)
    if "values" in change and (field.types == ("string",)):
        values = tuple(dict.fromkeys(one.strip() for one in change["values"] if one.strip()))
        if len(values) > fields.MOST_VALUES or (not field.name and not values):
            raise FieldInvalid(field=place, problem=f"1 … {fields.MOST_VALUES}")
        field = replace(field, values=values)
        field = replace(field, pattern="", expression="") if values else field
    if "may_lack" in change and field.name:
        field = replace(field, may_lack=bool(change["may_lack"]) or field.may_lack)
    return field


def _rewritten(example: Example, kind: Kind, form: Sequence[Field], asked: Sequence[Question]) -> Example:
    if kind.name == kinds.RECORD:
        record = questions.rewritten(json.loads(example.answer), form, asked)
        return replace(example, answer=json.dumps(record, ensure_ascii=False))
    chosen = {one.code: one.chosen for one in asked}
    if kind.name == kinds.NUMBER and (chosen.get("unit") == "drop" or _loses_way(kind, chosen)):
        return replace(example, answer=_number_of(kind, example.answer))
    return example


def _number_of(kind: Kind, answer: str) -> str:
    return kinds.last_number(
        answer if kind.reason == "answers_end_in_numbers" else answer.removesuffix(kinds.unit_of(answer))
    )


def _loses_way(kind: Kind, chosen: Mapping[str, str]) -> bool:
    return kind.reason == "answers_end_in_numbers" and chosen.get("steps") == "only"


def _check(number: int, example: Example, kind: Kind, form: Sequence[Field]) -> None:
    if kind.name == kinds.RECORD:
        for name, value in fields.broken(form, json.loads(example.answer)):
            told = json.dumps(value, ensure_ascii=False)[:_SHOWN]
            raise WishForbidsExample(number=number, place=name, value=told)
    if kind.name == kinds.CLASS and example.answer not in form[0].values:
        raise WishForbidsExample(number=number, place="answer", value=example.answer[:_SHOWN])
