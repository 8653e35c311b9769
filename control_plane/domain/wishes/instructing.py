"""The first system prompt of a wish: its own words, the form of the answer, and what was decided, in its language."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from control_plane.domain.wishes import kinds
from control_plane.domain.wishes.examples import Example
from control_plane.domain.wishes.fields import Field
from control_plane.domain.wishes.kinds import Kind
from control_plane.domain.wishes.phrases import PHRASES
from control_plane.domain.wishes.questions import OTHER, Question

_JOINED = {"en": ", ", "de": ", ", "zh": "、"}
_COLON = {"en": ": ", "de": ": ", "zh": "："}


def prompt(
    text: str,
    language: str,
    kind: Kind,
    form: Sequence[Field],
    questions: Sequence[Question],
    examples: Sequence[Example],
) -> str:
    """What a model is told before each question."""
    say, chosen = PHRASES[language], {one.key: one.chosen for one in questions}
    lines = [text, ""]
    if kind.name == kinds.RECORD:
        lines += [say["record"], *(_line(one, language, kind, chosen) for one in form)]
    elif kind.name == kinds.CLASS:
        lines.append(say["class"].format(values=_JOINED[language].join(form[0].values)))
    elif kind.name == kinds.NUMBER:
        lines.append(say["way" if chosen.get("steps") == "way" else "number"])
    elif kind.name == kinds.EXTRACT:
        lines.append(say["extract"])
    else:
        words = max(1, round(median(len(one.answer.split()) for one in examples)))
        lines.append(say["text"].format(words=words))
    return "\n".join([*lines, *_rules(language, questions)])


def _rules(language: str, questions: Sequence[Question]) -> list[str]:
    say, found = PHRASES[language], []
    for one in questions:
        field = one.field or say["answer"]
        if one.code == "several":
            found.append(say["several_list" if one.chosen == "list" else one.chosen].format(field=field))
        elif one.code == "other":
            found.append(say[one.chosen].format(field=field, value=OTHER[language]))
        elif one.code == "quantity":
            found.append(say[one.chosen])
        elif one.code == "unit":
            found.append(say["drop" if one.chosen == "drop" else "keep_unit"])
        elif one.code == "language" and one.chosen == "follow":
            found.append(say["follow"])
    return found


def _line(field: Field, language: str, kind: Kind, chosen: dict[str, str]) -> str:
    """- customer_number: code like K-20417, null if there is none (customer number)"""
    say, parts = PHRASES[language], [_form(field, language, kind)]
    if lack := chosen.get(f"missing:{field.name}", ""):
        parts.append(say[lack])
    told = (
        f" ({field.description})" if field.description and field.description.casefold() != field.name.casefold() else ""
    )
    return f"- {field.name}{_COLON[language]}{_JOINED[language].join(parts)}{told}"


def _form(field: Field, language: str, kind: Kind) -> str:
    say = PHRASES[language]
    if field.values:
        return say["list_of" if field.is_list else "one_of"].format(values=_JOINED[language].join(field.values))
    if field.is_list or field.types == ("array",):
        return say["list"]
    if field.pattern == "code":
        sample = next((one[field.name] for one in kind.records if one.get(field.name)), "")
        return say["code"].format(sample=sample)
    if field.pattern:
        return say["number_text" if field.pattern == "number" else field.pattern]
    return " / ".join(say["number_type" if one == "number" else one] for one in field.types)
