"""Which columns of a stranger's records make which field of a dataset row, and the row that they make.

What suggests itself goes by the names that people give columns, then by what stands in them. What a mapping makes of a
record depends on the two alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.domain import column_names as names
from control_plane.domain import columns as tables
from control_plane.domain import conversations, generated
from control_plane.domain.errors import RowFieldMissing, RowFieldTypeWrong, RowsInvalid
from control_plane.domain.preparation import Column, Mapping
from control_plane.domain.rows import (
    ANSWERS,
    FEEDBACK,
    FORMATS,
    PREFERENCE,
    SCHEMA,
    TOOLS,
    check_row,
    from_messages,
    with_texts,
)
from control_plane.domain.tools import are_called, opened

CHAT, PROMPT_COMPLETION, TEXT = "chat", "prompt_completion", "text"

_GOOD = ("true", "1", "yes", "good", "ja", "gut", "richtig", "wahr", "是", "好", "正确", "对")
_BAD = ("false", "0", "-1", "no", "bad", "nein", "schlecht", "falsch", "否", "不好", "错误", "错")
# asked without their names, as the datasets from which the names come do it
_SPOKEN = (names.PROMPT, names.SYSTEM)
_SPOKEN_NAMES = ("input", "输入", "eingabe")


def propose(columns: Sequence[Column], samples: Sequence[Dictionary[str, Any]]) -> Mapping:
    """The mapping that suggests itself; its format is empty where none does."""
    filled = [column for column in columns if column.kind != tables.EMPTY and column.name != generated.FIELD]
    given = _Given(filled, names.by_role([column.name for column in filled]), samples)
    ways = (_compared, _judged, _conversation, _question_and_schema, _question_and_answer, _free_text)
    return next((found for way in ways if (found := way(given))), Mapping())


def apply(mapping: Mapping, fields: Dictionary[str, Any]) -> dict[str, Any]:
    """The row in the shape in which it is kept. Raises a RowsInvalid (without `file` and `line`) that names columns."""
    return of_texts(text_columns(mapping), fields) or made(mapping, fields)


def made(mapping: Mapping, fields: Dictionary[str, Any]) -> dict[str, Any]:
    """The same for any record. Raises as `apply` does."""
    try:
        parts = {part: _made(mapping.format, part, of, fields) for part, of in mapping.parts.items() if of}
        row = with_texts(from_messages(mapping.format, parts))
        check_row(mapping.format, row)
    except RowsInvalid as problem:
        _in_their_words(mapping, problem)
        raise
    return {part: row[part] for part in FORMATS[mapping.format]}


# ---- what a mapping makes


def text_columns(mapping: Mapping) -> list[tuple[str, str]]:
    """The fields of a row, each with its column, where each can be the text of a single one; else empty."""
    parts = FORMATS[mapping.format] if mapping.format in (PROMPT_COMPLETION, TEXT) else ()
    columns = [(part, *mapping.parts.get(part, ())) for part in parts]
    return [(one[0], one[1]) for one in columns] if all(len(one) == 2 for one in columns) else []


def of_texts(columns: Sequence[tuple[str, str]], fields: Dictionary[str, Any]) -> dict[str, Any] | None:
    """The row where each field is the text of its column, as most are: nothing is to be made, and it is sound."""
    row = {}
    for part, column in columns:
        value = fields.get(column)
        if not isinstance(value, str) or not value or value.isspace():
            return None
        row[part] = value
    return row


def _made(format: str, part: str, columns: Sequence[str], fields: Dictionary[str, Any]) -> Any:
    """The value of one field. Raises RowFieldMissing, RowFieldTypeWrong."""
    for column in columns:
        if column not in fields and len(columns) == 1:
            raise RowFieldMissing(field=column)
    values = {column: fields.get(column) for column in columns}
    if part == "messages":
        return _joined(values)
    if part in ("tools", "schema"):
        return values[columns[0]]
    if part == "label":
        return _judgement(columns[0], values[columns[0]])
    if len(values) > 1:
        return _object(values) if part in ANSWERS else _listing(values)
    value = _extracted(values[columns[0]])
    if format in (PREFERENCE, FEEDBACK) and conversations.are_messages(value):
        return conversations.messages(value)
    return value if part in ANSWERS and isinstance(value, dict | list) else tables.as_text(value)


def _extracted(value: Any) -> Any:
    """The first of the answers that SQuAD and its kin list with the places in the text where each begins."""
    if isinstance(value, dict) and value.keys() == {"text", "answer_start"} and value["text"]:
        return value["text"][0] if isinstance(value["text"], list) else value["text"]
    return value


def _joined(values: dict[str, Any]) -> Any:
    """One conversation of all columns; of a single one whatever stands there, which the row's check then judges."""
    parts = [_spoken(name, value) for name, value in values.items() if tables.is_filled(value)]
    if len(parts) == 1 or not all(isinstance(part, list) for part in parts):
        return parts[0] if parts else []
    return [message for part in parts for message in part]


def _spoken(column: str, value: Any) -> Any:
    """Messages; a system's words in a column of their own are the first of them."""
    if names.role_of(column) == names.SYSTEM and isinstance(value, str):
        return [{"role": "system", "content": value}]
    return conversations.messages(value)


def _judgement(column: str, value: Any) -> bool:
    word = tables.as_text(value).strip().lower().removesuffix(".0")
    if word not in _GOOD + _BAD:
        raise RowFieldTypeWrong(field=column, expected="true / false")
    return word in _GOOD


def _object(values: dict[str, Any]) -> str:
    """An answer with the columns as keys; an empty cell is null. Without any filled one there is no answer."""
    kept = {name: value if tables.is_filled(value) else None for name, value in values.items()}
    return json.dumps(kept, ensure_ascii=False) if any(value is not None for value in kept.values()) else ""


def _listing(values: dict[str, Any]) -> str:
    """A question of several columns: each with its name on a line, or, of an instruction and its input, without."""
    told = {name: tables.as_text(value) for name, value in values.items() if tables.is_filled(value)}
    if all(_is_spoken(name) for name in values):
        return "\n\n".join(told.values())
    return "\n".join(f"{name}: {value}" for name, value in told.items())


def _is_spoken(name: str) -> bool:
    return names.role_of(name) in _SPOKEN or name.lower() in _SPOKEN_NAMES


def _in_their_words(mapping: Mapping, problem: RowsInvalid) -> None:
    """Name the columns of the file where the check of the row named its field."""
    said = str(problem.params.get("field", ""))
    part = said.split(".")[0].split("[")[0]
    if columns := mapping.parts.get(part):
        problem.params["field"] = ", ".join(columns) + said.removeprefix(part)


# ---- what suggests itself


@dataclass(frozen=True)
class _Given:
    columns: list[Column]  # that have values
    roles: dict[str, list[str]]  # role → columns whose names say so
    samples: Sequence[Dictionary[str, Any]]

    def first(self, role: str) -> str:
        return next(iter(self.roles.get(role, [])), "")

    def question(self) -> list[str]:
        """The columns that make what is asked, in the file's order; the system's words first."""
        asked = [*self.roles.get(names.PROMPT, [])[:1], *self.roles.get(names.CONTEXT, [])]
        ordered = [column.name for column in self.columns if column.name in asked]
        return self.roles.get(names.SYSTEM, []) + ordered if ordered else []

    def values(self, name: str) -> list[Any]:
        return [value for one in self.samples if tables.is_filled(value := one.get(name))]

    def hold_messages(self, name: str) -> bool:
        return bool(name) and all(map(conversations.are_messages, self.values(name) or [None]))


def _compared(given: _Given) -> Mapping | None:
    chosen, rejected = given.first(names.CHOSEN), given.first(names.REJECTED)
    if not (chosen and rejected):
        return None
    asked = given.question() or given.roles.get(names.MESSAGES, [])[:1]
    parts = {"chosen": [chosen], "rejected": [rejected]}
    return Mapping(PREFERENCE, {"prompt": asked} | parts if asked else parts)


def _judged(given: _Given) -> Mapping | None:
    label, asked = given.first(names.LABEL), given.question()
    if not label or not all(_is_judgement(value) for value in given.values(label)):
        return None
    if messages := _messages(given):
        return Mapping(FEEDBACK, {"completion": [messages], "label": [label]})
    answer = given.first(names.COMPLETION)
    return Mapping(FEEDBACK, {"prompt": asked, "completion": [answer], "label": [label]}) if asked and answer else None


def _conversation(given: _Given) -> Mapping | None:
    if messages := _messages(given):
        parts = {"messages": [*given.roles.get(names.SYSTEM, []), messages]}
        tools = given.first(names.TOOLS)
        if tools:
            return Mapping(TOOLS, parts | {"tools": [tools]})
        talks = map(conversations.messages, given.values(messages))
        return Mapping(TOOLS if any(map(are_called, talks)) else CHAT, parts)
    asked, answer = given.first(names.PROMPT), given.first(names.COMPLETION)
    if given.hold_messages(asked) and given.hold_messages(answer):
        return Mapping(CHAT, {"messages": [asked, answer]})
    return None


def _question_and_schema(given: _Given) -> Mapping | None:
    """A question and the form of its answer, where no answer is given."""
    asked, schema = given.question(), given.first(names.SCHEMA)
    if not asked or not schema or given.first(names.COMPLETION) or not all(map(_is_object, given.values(schema))):
        return None
    return Mapping(SCHEMA, {"prompt": asked, "schema": [schema]})


def _question_and_answer(given: _Given) -> Mapping | None:
    asked, answer = given.question(), given.first(names.COMPLETION)
    return Mapping(PROMPT_COMPLETION, {"prompt": asked, "completion": [answer]}) if asked and answer else None


def _free_text(given: _Given) -> Mapping | None:
    """The text, by its name or as the longest, is asked about; what stands beside it is the answer."""
    aside = given.roles.get(names.ASIDE, [])
    useful = [column for column in given.columns if column.name not in aside]
    texts = [column.name for column in useful if column.kind in (tables.TEXT, tables.MIXED)]
    answers = [name for name in given.roles.get(names.COMPLETION, []) if name in texts][:1]
    candidates = [name for name in texts if name not in answers]
    if not candidates:
        return None
    named = [name for name in (given.first(names.PROMPT), given.first(names.TEXT)) if name]
    asked = named[0] if named else max(candidates, key=lambda name: _length(given.values(name)))
    rest = answers or [column.name for column in useful if column.name != asked]
    if not rest:
        return Mapping(TEXT, {"text": [asked]})
    return Mapping(PROMPT_COMPLETION, {"prompt": [asked], "completion": rest})


def _messages(given: _Given) -> str:
    """The column of conversations, by its name or by what stands in it; empty if there is none."""
    named = given.roles.get(names.MESSAGES, [])
    others = [column.name for column in given.columns if not names.role_of(column.name)]
    return next((name for name in (*named, *others) if given.hold_messages(name)), "")


def _is_judgement(value: Any) -> bool:
    return tables.as_text(value).strip().lower().removesuffix(".0") in _GOOD + _BAD


def _is_object(value: Any) -> bool:
    return isinstance(opened(value), dict)


def _length(values: list[Any]) -> float:
    return sum(len(tables.as_text(value)) for value in values) / len(values) if values else 0.0
