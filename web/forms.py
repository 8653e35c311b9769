"""Draws a form from a method's parameter schema, and reads it back.

The schema is the method's manifest in the reader's language (docs/developers/methods.md), so a parameter is described
in one file and nothing here knows any of them. Whether a value is allowed is the service's to say; this module only
turns text into the type that the schema names. Numbers stand with the reader's own decimal sign, and are read with it
or with a point; what could mean a thousand to somebody is refused.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Schema = Mapping[str, Any]
Kind = Literal["number", "integer", "select", "boolean", "text", "multiline", "lines", "json", "checks"]
Level = Literal["guided", "standard", "expert"]

PREFIX = "parameter."
LEVELS: tuple[Level, ...] = ("guided", "standard", "expert")
_SIMPLE: tuple[Kind, ...] = ("boolean", "integer", "number")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

# 1,000 or 1.000: a thousand to those whose decimal sign is the other one
_THOUSANDS = {",": re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}"), ".": re.compile(r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}")}


class FormData(Protocol):
    """What a browser sent: several values a name, as werkzeug's MultiDict has them."""

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True)
class Field:
    """One parameter as a control: `control` is its name and id in the page, `value` the text it starts with."""

    name: str
    control: str
    kind: Kind
    label: str
    help: str
    level: Level
    value: str
    options: Sequence[str] = ()
    attributes: Mapping[str, object] = field(default_factory=dict)
    visible_if: str = ""
    error: str = ""
    checks: Sequence[Any] = ()  # of a list of checks: what web/check_list.py draws
    known: Sequence[tuple[str, str]] = ()  # … and what may be added: (name, title)


@dataclass(frozen=True)
class Group:
    """Fields under one heading; `level` is the lowest at which one of them shows."""

    name: str
    title: str
    level: Level
    fields: Sequence[Field]


def layout(
    schema: Schema,
    titles: Mapping[str, str],
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    decimal: str = ".",
    prefix: str = PREFIX,
) -> list[Group]:
    """The groups of a form, in the order in which the schema first names them.

    `titles` gives each group's heading; `values` (parameters by name, typed or as the text that could not be read) go
    before the schema's defaults; `errors` are codes of `read` or sentences of a service, by parameter. `decimal` is the
    reader's decimal sign; `prefix` stands before each name in the page.
    """
    members: dict[str, list[Field]] = {}
    for name, parameter in schema.get("properties", {}).items():
        value = (values or {}).get(name, parameter.get("default"))
        drawn = _field(schema, name, prefix + name, _local(value, decimal), (errors or {}).get(name, ""))
        members.setdefault(parameter.get("x-group", "basics"), []).append(drawn)
    return [
        Group(name, titles.get(name, name), min((item.level for item in fields), key=LEVELS.index), fields)
        for name, fields in members.items()
    ]


def filled(schema: Schema, values: Mapping[str, Any], decimal: str = ".") -> dict[str, str]:
    """What each control holds when parameters have these values and the others their defaults."""
    complete = {name: values.get(name, one.get("default")) for name, one in schema.get("properties", {}).items()}
    return {
        item.control: item.value for group in layout(schema, {}, complete, decimal=decimal) for item in group.fields
    }


def read(
    schema: Schema, form: FormData, decimal: str = ".", prefix: str = PREFIX
) -> tuple[dict[str, Any], dict[str, str]]:
    """The parameters that the form holds, typed, and a code for each text that is not of its parameter's type.

    An empty control leaves its parameter out, so that the schema's default (or its complaint) holds; an empty text is
    a value unless the parameter is required. Codes: not_a_number, not_an_integer, not_a_choice, not_json.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for name, parameter in schema.get("properties", {}).items():
        sent = form.getlist(prefix + name)
        if not sent:
            continue
        text = sent[-1]  # A checkbox sends its "true" after the hidden "false" that stands for an empty one.
        try:
            if text.strip() or _empty_is_a_value(schema, name):
                values[name] = parsed(parameter, text, decimal)
        except Unreadable as unreadable:
            errors[name] = unreadable.code
    return values, errors


def texts(schema: Schema, form: FormData, prefix: str = PREFIX) -> dict[str, str]:
    """What was typed, by parameter: shows a form again as it was sent. Pass it to `layout` as its values."""
    sent = {name: form.getlist(prefix + name) for name in schema.get("properties", {})}
    return {name: entries[-1] for name, entries in sent.items() if entries}


class Unreadable(ValueError):
    """A text is not of its parameter's type; `code` as `read` gives it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _types(parameter: Schema) -> tuple[str, ...]:
    named = parameter.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def _kind(parameter: Schema) -> Kind:
    types = _types(parameter)
    if "enum" in parameter:
        return "select"
    for simple in _SIMPLE:
        if simple in types and set(types) <= {simple, "null"}:
            return simple
    if types == ("array",) and parameter.get("items", {}).get("type") == "string":
        return "lines"
    if "string" in types and set(types) <= {"string", "null"}:
        return "multiline" if parameter.get("x-multiline") else "text"
    return "json"


def _field(schema: Schema, name: str, control: str, value: object, error: str) -> Field:
    parameter = schema["properties"][name]
    kind = _kind(parameter)
    condition = parameter.get("x-visible-if")
    return Field(
        name=name,
        control=control,
        kind=kind,
        label=parameter.get("title", name),
        help=parameter.get("description", ""),
        level=parameter.get("x-level", "guided"),
        value=_text(value, kind),
        options=[_text(choice, kind) for choice in parameter.get("enum", ())],
        attributes=_attributes(parameter, kind, name in schema.get("required", ())) | _unreadable(kind, value),
        visible_if=json.dumps(_condition(condition)) if condition else "",
        error=error,
    )


def _local(value: object, decimal: str) -> object:
    """A number as text with the reader's decimal sign; anything else as it is."""
    return json.dumps(value).replace(".", decimal) if isinstance(value, float) else value


def _condition(condition: Mapping[str, object]) -> dict[str, list[str]]:
    values = {name: value if isinstance(value, list) else [value] for name, value in condition.items()}
    return {name: [_text(one, "select") for one in wanted] for name, wanted in values.items()}


def _unreadable(kind: Kind, value: object) -> dict[str, object]:
    """A number control would silently empty a text that is no number: such a text stays visible in a text control."""
    wrong = kind == "integer" and isinstance(value, str) and not _INTEGER.fullmatch(value)
    return {"type": "text"} if wrong else {}


def _attributes(parameter: Schema, kind: Kind, required: bool) -> dict[str, object]:
    """The HTML attributes that let the browser help: they never refuse what the schema allows."""
    attributes: dict[str, object] = {"required": required}
    if kind == "number":  # a number control takes the decimal sign of the browser's language, not of the page's
        attributes |= {"type": "text", "inputmode": "decimal", "autocomplete": "off"}
    elif kind == "integer":
        attributes |= {"type": "number", "inputmode": "numeric", "step": 1}
        attributes |= {"min": parameter.get("minimum", parameter.get("exclusiveMinimum"))}
        attributes |= {"max": parameter.get("maximum", parameter.get("exclusiveMaximum"))}
    else:
        attributes |= {"type": "text", "minlength": parameter.get("minLength"), "maxlength": parameter.get("maxLength")}
    return {key: value for key, value in attributes.items() if value is not None and value is not False}


def _text(value: object, kind: Kind) -> str:
    """A value as a control shows it; a text stays as it was typed."""
    if value is None:
        return ""
    if kind == "lines" and isinstance(value, list):
        return "\n".join(map(str, value))
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, indent=2 if kind == "json" else None)


def _empty_is_a_value(schema: Schema, name: str) -> bool:
    parameter = schema["properties"][name]
    if "null" in _types(parameter):
        return True
    return _kind(parameter) in ("text", "multiline", "select") and name not in schema.get("required", ())


def parsed(parameter: Schema, text: str, decimal: str) -> object:
    """A text as a value of the type that its parameter's schema names. Raises Unreadable."""
    kind = _kind(parameter)
    if kind == "select":
        return _choice(parameter["enum"], text)
    if not text.strip() and "null" in _types(parameter):
        return None
    if kind in ("text", "multiline", "lines"):
        return _lines(text) if kind == "lines" else text.replace("\r\n", "\n")
    if kind == "boolean":
        return _boolean(text.strip())
    if kind == "number":
        return _number(text.strip(), decimal)
    return _integer(text.strip()) if kind == "integer" else _json(text.strip())


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _choice(choices: Sequence[object], text: str) -> object:
    for choice in choices:
        if _text(choice, "select") == text:
            return choice
    raise Unreadable("not_a_choice")


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise Unreadable("not_a_choice")
    return text == "true"


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text) or len(text) > 30:  # Longer than any count, and quick to refuse.
        raise Unreadable("not_an_integer")
    return int(text)


def _number(text: str, decimal: str) -> float:
    foreign = "." if decimal == "," else ","
    if _THOUSANDS[foreign].fullmatch(text):
        raise Unreadable("not_a_number")
    text = text.replace(",", ".")
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise Unreadable("not_a_number")
    return number


def _json(text: str) -> object:
    def refuse(_: str) -> object:
        raise Unreadable("not_json")

    try:
        return json.loads(text, parse_constant=refuse)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Unreadable("not_json") from error
