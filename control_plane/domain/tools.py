"""Tools in a conversation: what the model may call, its calls, and what they gave; in the shapes that they come in.

They are kept as OpenAI writes them, a call's arguments as the object that they are: chat templates make JSON of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from control_plane.domain.errors import RowFieldNotText, RowFieldTypeWrong

ROLE = "tool"  # of a message with what a call gave

_TOOL = '[{type: "function", function: {name, parameters}}, …]'
_CALL = "{function: {name, arguments: {…}}}"


def settled(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its tools and calls in the one shape; what is in none of the known ones stays, to be refused.

    Without tools, as where the system's words tell of them, there are none.
    """
    messages = row.get("messages")
    new = row | {"tools": _tools(row.get("tools"))}
    if isinstance(messages, list):
        new["messages"] = [_message(one) if isinstance(one, dict) else one for one in messages]
    return new


def called(value: Any) -> Any:
    """What ShareGPT calls a function call, `{name, arguments}` or its JSON text, as calls; else the value itself."""
    told = opened(value)
    some = told if isinstance(told, list) else [told]
    if not all(isinstance(one, dict) and "name" in one for one in some):
        return value
    return [_call(one) for one in some]


def are_called(messages: Any) -> bool:
    """Whether a conversation has calls of tools, or what they gave."""
    turns = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    return any(calls_of(one) or one.get("role") == ROLE for one in turns)


def calls_of(message: Mapping[str, Any]) -> Any:
    """The calls of an assistant's message; nothing of others."""
    return message.get("tool_calls") if message.get("role") == "assistant" else None


def said(message: Mapping[str, Any]) -> str:
    """What the model is to write: its words, or, where it has none, its calls as JSON."""
    calls = [one["function"] for one in calls_of(message) or ()]
    return str(message["content"]) or json.dumps(calls, ensure_ascii=False)


def check(value: Any) -> None:
    """Raise RowFieldTypeWrong unless it is a list of functions; it may be empty."""
    if not isinstance(value, list) or not all(map(_is_function, value)):
        raise RowFieldTypeWrong(field="tools", expected=_TOOL)


def check_calls(place: str, message: Mapping[str, Any]) -> None:
    """Raise RowFieldTypeWrong or RowFieldNotText unless these are calls; words beside them may be empty."""
    calls = message["tool_calls"]
    for number, one in enumerate(calls if isinstance(calls, list) else [None]):
        if not _is_function(one) or not isinstance(one["function"].get("arguments"), dict):
            raise RowFieldTypeWrong(field=f"{place}.tool_calls[{number}]", expected=_CALL)
    if not isinstance(message["content"], str):
        raise RowFieldNotText(field=f"{place}.content")


def _is_function(value: Any) -> bool:
    function = value.get("function") if isinstance(value, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str) and bool(function["name"])


def _tools(value: Any) -> Any:
    told = opened(value) or []
    if not isinstance(told, list):
        return told
    bare = [isinstance(one, dict) and "function" not in one and "name" in one for one in told]
    return [{"type": "function", "function": one} if is_bare else one for one, is_bare in zip(told, bare, strict=True)]


def _message(message: dict[str, Any]) -> dict[str, Any]:
    calls = calls_of(message)
    if not isinstance(calls, list) or not calls:
        return {name: value for name, value in message.items() if name != "tool_calls" or value}
    settled_calls = [_call(one) for one in calls]
    return message | {"content": message.get("content") or "", "tool_calls": settled_calls}


def _call(call: Any) -> Any:
    """A call with its arguments opened; one that is none stays."""
    function = call.get("function", call) if isinstance(call, dict) else None
    if not isinstance(function, dict) or "name" not in function:
        return call
    kept = {"id": call["id"]} if "id" in call else {}
    arguments = opened(function.get("arguments", {}))
    return kept | {"type": "function", "function": {"name": function["name"], "arguments": arguments}}


def opened(value: Any) -> Any:
    """What a text is in JSON; the value itself where it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError):
        return value
