"""What a form for a sweep asks to vary: lists of values and ranges, typed as text or ticked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web import forms
from web.forms import FormData, Group, Schema, Unreadable

PREFIX = "vary."
_RANGE = re.compile(r"\s*(.+?)\s*(?:…|\.\.\.?|\bto\b|\bbis\b|到|至)\s*(.+?)\s*")
_BETWEEN = re.compile(r"\s*;\s*|,\s+|\s+")  # values; a comma alone may stand in a number
_WIDE = 10  # a range over a power of ten or more is drawn from on a logarithmic scale


@dataclass(frozen=True)
class Varied:
    """A parameter that can be varied: what a job of it has, and what was typed or ticked."""

    name: str
    control: str
    label: str
    now: str  # the value that it has otherwise
    options: tuple[tuple[str, bool], ...]  # of a choice: (value, ticked)
    text: str
    error: str
    level: str


def fields(groups: Sequence[Group], sent: FormData, errors: Mapping[str, str]) -> list[Varied]:
    """The parameters that can be varied, in the form's order: numbers, choices and switches."""
    return [_field(one, sent, errors) for group in groups for one in group.fields if one.kind in _OPTIONS]


_OPTIONS = {"number": (), "integer": (), "select": None, "boolean": ("true", "false")}


def _field(one: forms.Field, sent: FormData, errors: Mapping[str, str]) -> Varied:
    control = PREFIX + one.name
    given = sent.getlist(control)
    options = one.options if one.kind == "select" else _OPTIONS[one.kind] or ()
    return Varied(
        name=one.name,
        control=control,
        label=one.label,
        now=one.value,
        options=tuple((value, value in given) for value in options),
        text="" if options else (given[-1] if given else ""),
        error=errors.get(control, ""),
        level=one.level,
    )


def read(schema: Schema, sent: FormData, decimal: str = ".") -> tuple[dict[str, Any], dict[str, str]]:
    """What is varied, as a sweep takes it, and a code for each control that cannot be read.

    `decimal` is the reader's decimal sign.
    """
    varied: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, parameter in schema.get("properties", {}).items():
        given = [text for text in sent.getlist(PREFIX + name) if text.strip()]
        try:
            if given:
                varied[name] = _values(parameter, given, decimal)
        except Unreadable as unreadable:
            errors[PREFIX + name] = unreadable.code
    return varied, errors


def text_of(given: Any, decimal: str) -> str:
    """A list or a range of values as it is typed."""
    if isinstance(given, Mapping):
        return f"{_typed(given['low'], decimal)} … {_typed(given['high'], decimal)}"
    return "; ".join(_typed(one, decimal) for one in given)


def _typed(value: Any, decimal: str) -> str:
    return value if isinstance(value, str) else json.dumps(value).replace(".", decimal)


def _values(parameter: Schema, given: Sequence[str], decimal: str) -> Any:
    if len(given) > 1 or "enum" in parameter:
        return [forms.parsed(parameter, text, decimal) for text in given]
    text = " ".join(given[0].split())  # long runs of spaces would be searched again and again
    found = _RANGE.fullmatch(text)
    if found is None:
        return list(_list(parameter, text, decimal))
    low, high = (forms.parsed(parameter, text, decimal) for text in found.groups())
    wide = isinstance(low, int | float) and isinstance(high, int | float) and low > 0 and high >= _WIDE * low
    return {"low": low, "high": high} | ({"log": True} if wide else {})


def _list(parameter: Schema, text: str, decimal: str) -> Iterator[object]:
    return (forms.parsed(parameter, part, decimal) for part in _BETWEEN.split(text.strip()) if part)
