"""One row of a dataset: which format it is in, the shape in which it is kept, and whether it is sound.

Formats are called as TRL calls them. Rows that say which answer is better come in several usual shapes, with texts or
with messages; they are kept in one, so that a method reads one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from control_plane.domain import tools
from control_plane.domain.errors import (
    RowAnswersSame,
    RowBeginningsDiffer,
    RowEndsWrong,
    RowFieldEmpty,
    RowFieldMissing,
    RowFieldNotText,
    RowFieldTypeWrong,
    RowPromptEndsWrong,
    RowRoleUnknown,
)

SCHEMA = "prompt_schema"  # what reinforcement learns from: a question, and the form that its answer is to have
PREFERENCE, FEEDBACK, TOOLS = "preference", "unpaired_preference", "chat_with_tools"

# format → the fields that each row has: texts, but for `messages`, `tools`, `label`, a `prompt` that may be messages
FORMATS: Mapping[str, tuple[str, ...]] = {
    "chat": ("messages",),
    TOOLS: ("messages", "tools"),
    PREFERENCE: ("prompt", "chosen", "rejected"),
    "prompt_completion": ("prompt", "completion"),
    "text": ("text",),
    SCHEMA: ("prompt", "schema"),
    FEEDBACK: ("prompt", "completion", "label"),
}
OPTIONAL = ("tools",)  # fields that a file need not have
ANSWERS = ("completion", "chosen", "rejected")  # the texts that a model is to write, or not to
ROLES = ("system", "user", "assistant")


def recognise(row: Mapping[str, Any]) -> str:
    """The format that the row's fields belong to; empty if none.

    A `label` makes a judged answer of it only where it looks like a judgement: others have columns of that name, too.
    """
    if _is_judgement(row.get("label")) and ("messages" in row or {"prompt", "completion"} <= row.keys()):
        return FEEDBACK
    if "messages" in row and ("tools" in row or tools.are_called(row["messages"])):
        return TOOLS
    if {"chosen", "rejected"} <= row.keys():  # the prompt may stand at the beginning of both
        return PREFERENCE
    return next((name for name, fields in FORMATS.items() if all(part in row for part in fields)), "")


def from_messages(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its answers as texts where they came as messages; the very same row if none did.

    Tools and their calls come in several shapes and are kept in one.

    What stands before an answer in its messages is the prompt. Raises RowsInvalid where that is not one conversation.
    """
    if kind == TOOLS:
        return tools.settled(row)
    if kind == SCHEMA and isinstance(row.get("schema"), str):
        return row | {"schema": tools.opened(row["schema"])}
    if kind == FEEDBACK and "messages" in row and "completion" not in row:
        row = {name: value for name, value in row.items() if name != "messages"} | {"completion": row["messages"]}
    given = [name for name in ANSWERS if _are_messages(row.get(name))] if kind in (PREFERENCE, FEEDBACK) else []
    for name in given:
        _check_messages(name, row[name])
    beginnings = [row[name][:-1] for name in given if len(row[name]) > 1]
    changed = {name: row[name][-1]["content"] for name in given}
    if beginnings:
        begin = changed["prompt"] = beginnings[0]
        prompt = row.get("prompt", begin)
        same = prompt == begin or prompt == begin[-1].get("content")
        if not same or len(beginnings) < len(given) or any(one != begin for one in beginnings):
            raise RowBeginningsDiffer
    return row | changed if changed else row


def with_texts(row: dict[str, Any]) -> dict[str, Any]:
    """The row with each answer that is an object or a list as its JSON text; the very same row if there is none."""
    changed = {
        name: json.dumps(row[name], ensure_ascii=False) for name in ANSWERS if isinstance(row.get(name), dict | list)
    }
    return row | changed if changed else row


def check_row(kind: str, row: Mapping[str, Any]) -> None:
    """Raise a RowsInvalid (without `file` and `line`) unless the row is a sound one of format `kind`."""
    for name in FORMATS[kind]:
        if name not in row:
            raise RowFieldMissing(field=name)
        value = row[name]
        if name == "messages":
            _check_messages(name, value, kind == TOOLS)
        elif name == "schema":
            _check_schema(value)
        elif name == "tools":
            tools.check(value)
        elif name == "label":
            _check_label(value)
        elif name == "prompt" and kind in (PREFERENCE, FEEDBACK) and isinstance(value, list):
            _check_prompt(value)
        else:
            _check_text(name, value)
    if kind == PREFERENCE and row["chosen"].strip() == row["rejected"].strip():
        raise RowAnswersSame


def answer(kind: str, row: Mapping[str, Any]) -> str | None:
    """The text of the row that a model is to write; None where there is only one that it is not to write."""
    if kind == "chat":
        return str(row["messages"][-1]["content"])
    if kind == TOOLS:
        return tools.said(row["messages"][-1])
    if kind == SCHEMA or (kind == FEEDBACK and not row["label"]):
        return None
    return str(row.get("completion", row.get("chosen", "")))


def answers(kind: str, rows: Iterable[Mapping[str, Any]]) -> list[str | None]:
    """The `answer` of each row."""
    if kind == "prompt_completion":  # as most are
        return [row["completion"] for row in rows]
    return [answer(kind, row) for row in rows]


def asked(kind: str, row: Mapping[str, Any]) -> Any:
    """What rows have in common that may not be parted by the split: of compared answers the question, else all."""
    return row["prompt"] if kind in (PREFERENCE, FEEDBACK) else {name: row[name] for name in FORMATS[kind]}


def _is_judgement(value: Any) -> bool:
    return value in (0, 1) or (isinstance(value, str) and value.lower() in ("true", "false"))


def _are_messages(value: Any) -> bool:
    """Whether it is a list of messages and no list that is an answer itself."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(one, dict) and {"role", "content"} <= one.keys() for one in value)


def _check_prompt(messages: list[Any]) -> None:
    _check_turns("prompt", messages)
    if messages[-1]["role"] == "assistant":
        raise RowPromptEndsWrong


def _check_messages(field: str, messages: Any, with_tools: bool = False) -> None:
    if not isinstance(messages, list):
        raise RowFieldTypeWrong(field=field, expected="[{role, content}, …]")
    _check_turns(field, messages, with_tools)
    if messages[-1]["role"] != "assistant":
        raise RowEndsWrong


def _check_turns(field: str, messages: list[Any], with_tools: bool = False) -> None:
    if not messages:
        raise RowFieldEmpty(field=field)
    for number, message in enumerate(messages):
        place = f"{field}[{number}]"
        if not isinstance(message, dict):
            raise RowFieldTypeWrong(field=place, expected="{role, content}")
        for name in ("role", "content"):
            if name not in message:
                raise RowFieldMissing(field=f"{place}.{name}")
        if message["role"] not in ROLES and not (with_tools and message["role"] == tools.ROLE):
            raise RowRoleUnknown(role=str(message["role"])[:40])
        if with_tools and tools.calls_of(message):
            tools.check_calls(place, message)
            continue
        _check_text(f"{place}.content", message["content"])


def _check_schema(value: Any) -> None:
    if not isinstance(value, dict):
        raise RowFieldTypeWrong(field="schema", expected='{"type": "object", …}')
    if not value:
        raise RowFieldEmpty(field="schema")


def _check_label(value: Any) -> None:
    if not isinstance(value, bool):
        raise RowFieldTypeWrong(field="label", expected="true / false")


def _check_text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise RowFieldNotText(field=name)
    if not value.strip():
        raise RowFieldEmpty(field=name)
