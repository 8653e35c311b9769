"""The form of an answer, field by field: inferred from the examples and from what the paragraph says of each field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from control_plane.domain.shapes import TYPES, Shape
from control_plane.domain.wishes import paragraph
from control_plane.domain.wishes.paragraph import Said

MOST_VALUES = 30
_LONGEST_VALUE = 40
_MOST_LABEL = 40

# kinds of text that are told by how they look: name → regular expression for the whole of it
PATTERNS: Mapping[str, str] = {
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "date_dotted": r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}",
    "time": r"[0-9]{1,2}:[0-9]{2}",
    "email": r"[^@ ]+@[^@ ]+\.[^@ ]+",
    "number": r"-?[0-9]+([.,][0-9]+)?",
}
_CODE = re.compile(r"([A-Za-zÄÖÜ]{0,6})([-_/# ]?)([0-9]{2,})")  # K-20417: letters, a sign, digits


@dataclass(frozen=True)
class Field:
    """One field of the answers; the one without a name is the whole answer."""

    name: str
    types: tuple[str, ...]  # of JSON, without null
    required: bool = True
    nullable: bool = False
    values: tuple[str, ...] = ()  # the only ones that there are; empty: any
    pattern: str = ""  # a name of PATTERNS, or `code`
    expression: str = ""  # what the whole text must match
    is_list: bool = False  # of such values
    may_be_empty: bool = False  # the empty text stands for nothing
    may_lack: bool = False  # it need not be there: how that is written is to be decided
    description: str = ""
    inner: Mapping[str, Any] | None = None  # the schema of an object

    @property
    def label(self) -> str:
        """What people call it: the paragraph's words, where they are few."""
        return self.description if 0 < len(self.description) <= _MOST_LABEL else self.name

    @property
    def is_open_text(self) -> bool:
        """Whether any text may stand there."""
        return self.types == ("string",) and not self.values and not self.expression


def inferred(answers: Sequence[Mapping[str, Any]], text: str) -> tuple[Field, ...]:
    """The fields of answers that are records, in the order in which they come; none where there is no common form."""
    shape = Shape()
    for answer in answers:
        shape.take_fields({name: TYPES[type(part)] for name, part in answer.items()})
    schema = shape.schema()
    if schema is None:
        return ()
    said = paragraph.about(text, list(schema["properties"]))
    return tuple(
        _field(
            name,
            one["type"],
            name in schema["required"],
            [row[name] for row in answers if name in row],
            text,
            said[name],
        )
        for name, one in schema["properties"].items()
    )


def closed(values: Sequence[str], text: str, said: Said) -> tuple[str, ...]:
    """The only values that there are, as far as examples and paragraph tell; empty where any may come.

    Values that come again, that the paragraph lists, or that it names one and all.
    """
    seen = list(dict.fromkeys(values))
    if not seen or any(not one.strip() or len(one) > _LONGEST_VALUE or "\n" in one for one in seen):
        return ()
    known = {one.casefold() for one in seen}
    listed = [one for one in said.values or paragraph.between(text, seen) if one]
    more = tuple(one for one in listed if one.casefold() not in known)
    if len(listed) > len(more):  # at least one of them stands in the examples
        return tuple(seen) + more
    comes_again = len(seen) > 1 and 2 * len(seen) <= len(values) + 1 and len(values) > len(seen)
    is_named = len(seen) > 1 and paragraph.names_all(text, seen)
    return tuple(seen) if (comes_again or is_named) and len(seen) <= MOST_VALUES else ()


def schema(fields: Iterable[Field]) -> dict[str, Any]:
    """The JSON schema of records with these fields."""
    kept = list(fields)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [one.name for one in kept if one.required],
        "properties": {one.name: property_of(one) for one in kept},
    }


def property_of(field: Field) -> dict[str, Any]:
    """What the schema says of one field."""
    one = dict(field.inner) if field.inner else _typed(field)
    if field.is_list:
        one = {"type": "array", "items": one, "minItems": 1}
    if field.nullable:
        kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
        one["type"] = [*kinds, "null"]
        if "enum" in one:
            one["enum"] = [*one["enum"], None]
    return one | ({"description": field.description} if field.description else {})


def _typed(field: Field) -> dict[str, Any]:
    one: dict[str, Any] = {"type": field.types[0] if len(field.types) == 1 else list(field.types)}
    if field.values:
        one["enum"] = [*field.values, *([""] if field.may_be_empty else [])]
    elif field.expression:
        one["pattern"] = f"^({field.expression})?$" if field.may_be_empty else f"^{field.expression}$"
    return one


def broken(fields: Iterable[Field], answer: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields in which an answer breaks the form, each with what stands there; None for what is missing."""
    known = {one.name: one for one in fields}
    for name, one in known.items():
        if name not in answer:
            if one.required:
                yield name, None
        elif not fits(one, answer[name]):
            yield name, answer[name]
    yield from ((name, value) for name, value in answer.items() if name not in known)


def fits(field: Field, value: Any) -> bool:
    """Whether a value may stand in a field."""
    if value is None:
        return field.nullable
    if field.is_list:
        return (
            isinstance(value, list) and bool(value) and all(fits(replace(field, is_list=False), one) for one in value)
        )
    kind = TYPES[type(value)]
    if kind not in field.types and not (kind == "integer" and "number" in field.types):
        return False
    return not isinstance(value, str) or _text_fits(field, value)


def _text_fits(field: Field, text: str) -> bool:
    if text == "" and field.may_be_empty:
        return True
    if field.values:
        return text in field.values
    return not field.expression or re.fullmatch(field.expression, text) is not None


def as_data(field: Field) -> dict[str, Any]:
    """The field as JSON can hold it."""
    return asdict(field) | {"types": list(field.types), "values": list(field.values)}


def _field(name: str, kinds: str | list[str], required: bool, values: Sequence[Any], text: str, said: Said) -> Field:
    types = [kinds] if isinstance(kinds, str) else list(kinds)
    nullable = "null" in types
    types = [one for one in types if one != "null"] or ["string"]
    if set(types) == {"integer", "number"}:
        types = ["number"]
    texts = [one for one in values if isinstance(one, str) and one]
    is_empty = any(one == "" for one in values)
    found = Field(
        name=name,
        types=tuple(types),
        required=required,
        nullable=nullable,
        may_be_empty=is_empty,
        may_lack=said.may_lack or nullable or is_empty or not required,
        description=said.words,
        inner=_inner(values) if types == ["object"] else None,
    )
    if types == ["array"]:
        return _list(found, [one for value in values if isinstance(value, list) for one in value], text, said)
    if types != ["string"]:
        return found
    pattern, expression = _pattern(texts)
    if pattern:
        return replace(found, pattern=pattern, expression=expression)
    return replace(found, values=closed(texts, text, said))


def _list(found: Field, items: Sequence[Any], text: str, said: Said) -> Field:
    kinds = sorted({TYPES[type(one)] for one in items})
    if kinds != ["string"]:
        return replace(found, inner={"type": "array"})
    return replace(found, types=("string",), is_list=True, values=closed(items, text, said))


def _inner(values: Sequence[Any]) -> dict[str, Any]:
    shape = Shape()
    for one in values:
        if isinstance(one, dict):
            shape.take_fields({name: TYPES[type(part)] for name, part in one.items()})
    return shape.schema() or {"type": "object"}


def _pattern(texts: Sequence[str]) -> tuple[str, str]:
    """What all texts look like, and its expression; two at least, for one says nothing."""
    if len(set(texts)) < 2:
        return "", ""
    for name, expression in PATTERNS.items():
        if all(re.fullmatch(expression, one) for one in texts):
            return name, expression
    parts = [_CODE.fullmatch(one) for one in texts]
    shared = {(one[1], one[2]) for one in parts if one}
    if all(parts) and len(shared) == 1:
        letters, sign = shared.pop()
        return "code", f"{re.escape(letters)}{re.escape(sign)}[0-9]+"
    return "", ""
