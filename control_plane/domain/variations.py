"""Rows that a model makes of others: what it is asked, and what of its answer is a row."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from control_plane.domain import documents
from control_plane.domain.errors import RowsInvalid, VariationUnreadable
from control_plane.domain.rows import FORMATS, ROLES, check_row, from_messages, with_texts

INSTRUCTION = (
    "Write one new example of the same kind as the one you are given. Change the facts, names, numbers and wording, "
    "keep the language, the style and the form of the answer, and make sure that the answer is right."
)
ASKABLE = ("prompt_completion", "chat", "text")  # formats of whose rows variations are made

_FORM = "Answer with one JSON object that has the same fields, and with nothing else."
_FENCE = re.compile(r"\A\s*```\w*\n(.*?)\n?```\s*\Z", re.DOTALL)


def question(format: str, row: Mapping[str, Any], instruction: str) -> list[dict[str, str]]:
    """The messages that ask for a variation of a row."""
    given = json.dumps(content(format, row), ensure_ascii=False)
    return [{"role": "system", "content": f"{instruction}\n{_FORM}"}, {"role": "user", "content": given}]


def schema(format: str) -> dict[str, Any]:
    """The JSON schema of such an answer, for engines that keep to one."""
    text = {"type": "string", "minLength": 1}
    message = {
        "type": "object",
        "properties": {"role": {"enum": list(ROLES)}, "content": text},
        "required": ["role", "content"],
        "additionalProperties": False,
    }
    fields = {name: {"type": "array", "items": message} if name == "messages" else text for name in FORMATS[format]}
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def read(format: str, text: str) -> dict[str, Any]:
    """The row that a model's answer is. Raises VariationUnreadable, or a RowsInvalid without `file` and `line`."""
    fenced = _FENCE.match(text)
    try:
        found = documents.parse(fenced[1] if fenced else text)
    except ValueError as problem:
        raise VariationUnreadable(problem=str(problem)[:200]) from problem
    if not isinstance(found, dict):
        raise VariationUnreadable(problem=_fields(format))
    try:
        row = with_texts(from_messages(format, found))
        check_row(format, row)
    except RowsInvalid as problem:
        raise VariationUnreadable(problem=_fields(format)) from problem
    return content(format, row)


def _fields(format: str) -> str:
    """What such a row has, as one sees it in JSON."""
    return "{" + ", ".join(f'"{name}": …' for name in FORMATS[format]) + "}"


def content(format: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the format alone."""
    return {name: row[name] for name in FORMATS[format]}
