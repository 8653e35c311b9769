"""What a request for a completion (the OpenAI protocol) may say, looked at before an engine is asked.

An engine ignores some of what it cannot do, and says the rest in words of its own; here each refusal names the field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from control_plane.domain.errors import (
    EchoUnsupported,
    ParameterMissing,
    ParameterNotListed,
    ParameterOutOfRange,
    ParameterTypeWrong,
    ParameterUnsupported,
    PartUnsupported,
    ToolsUnsupported,
)

ROLES = ("system", "developer", "user", "assistant", "tool")
FORMATS = ("text", "json_object", "json_schema")
CHOICES = ("none", "auto", "required")
_MOST_TOKENS = 2**31 - 1

Request = Mapping[str, Any]

_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_FIELDS = {
    "stream": ("boolean",),
    "temperature": ("number",),
    "top_p": ("number",),
    "frequency_penalty": ("number",),
    "presence_penalty": ("number",),
    "max_tokens": ("integer",),
    "max_completion_tokens": ("integer",),
    "n": ("integer",),
    "seed": ("integer",),
    "stop": ("string", "array"),
    "logit_bias": ("object", "array"),
    "stream_options": ("object",),
    "response_format": ("object",),
    "top_logprobs": ("integer",),
}
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "max_tokens": (1, _MOST_TOKENS),
    "max_completion_tokens": (1, _MOST_TOKENS),
    "top_logprobs": (0, 20),
}
# what the engines ignore without a word, and the values that ask for nothing
_IGNORED: Mapping[str, tuple[Any, ...]] = {
    "best_of": (1,),
    "suffix": ("",),
    "functions": ([],),
    "function_call": ("none",),
    "modalities": (["text"],),
    "audio": (),
    "web_search_options": (),
}


def check_chat(asked: Request, slots: int) -> None:
    """Whether an engine with `slots` slots can take a chat completion as it is meant. Raises ParameterInvalid."""
    _check_fields(asked, slots)
    _check(asked, "logprobs", "boolean")
    messages = _needed(asked, "messages", "array")
    if not messages:
        raise ParameterMissing(parameter="messages")
    for number, message in enumerate(messages):
        _check_message(f"messages[{number}]", message)
    _check_tools(asked)


def check_text(asked: Request, slots: int) -> None:
    """The same of the continuation of a text. Raises ParameterInvalid, EchoUnsupported."""
    _check_fields(asked, slots)
    if asked.get("echo"):
        raise EchoUnsupported(parameter="echo")
    if not isinstance(asked.get("logprobs"), bool):
        _check(asked, "logprobs", "integer")
        _in_range("logprobs", asked.get("logprobs"), 0, 20)
    prompt = asked.get("prompt")
    if prompt is None or prompt == []:
        raise ParameterMissing(parameter="prompt")
    if not _is_prompt(prompt):
        raise ParameterTypeWrong(parameter="prompt", expected=["string", "array"])


def forces_tool(asked: Request) -> bool:
    """Whether the answer has to call a tool."""
    return asked.get("tool_choice") not in (None, "none", "auto")


def with_forced_tool(asked: Request, properties: bytes) -> dict[str, Any]:
    """The request as an engine honours it, whose `properties` (GET /props) say what its chat template knows.

    A tool that is named is required as the only one there is. Raises ToolsUnsupported.
    """
    if not _knows_tools(properties):
        raise ToolsUnsupported(parameter="tool_choice")
    choice = asked["tool_choice"]
    if not isinstance(choice, dict):
        return dict(asked)
    name = choice["function"]["name"]
    tools = [tool for tool in asked["tools"] if tool["function"]["name"] == name]
    return {**asked, "tools": tools, "tool_choice": "required"}


def _knows_tools(properties: bytes) -> bool:
    try:
        known = json.loads(properties)["chat_template_caps"]
        return bool(known["supports_tools"] and known["supports_tool_calls"])
    except (ValueError, KeyError, TypeError):  # another engine
        return False


def _check_fields(asked: Request, slots: int) -> None:
    for name, kinds in _FIELDS.items():
        _check(asked, name, *kinds)
    for name, (least, most) in _RANGES.items():
        _in_range(name, asked.get(name), least, most)
    _in_range("n", asked.get("n"), 1, slots)
    for name, harmless in _IGNORED.items():
        if asked.get(name) is not None and asked[name] not in harmless:
            raise ParameterUnsupported(parameter=name)
    form = asked.get("response_format")
    if form is not None:
        _listed("response_format.type", form.get("type"), FORMATS)


def _check_message(place: str, message: Any) -> None:
    if not isinstance(message, dict):
        raise ParameterTypeWrong(parameter=place, expected=["object"])
    role = _needed(message, "role", "string", place=f"{place}.")
    _listed(f"{place}.role", role, ROLES)
    content = message.get("content")
    if content is None and role != "assistant":
        raise ParameterMissing(parameter=f"{place}.content")
    _check(message, "content", "string", "array", place=f"{place}.")
    for number, part in enumerate(content if isinstance(content, list) else ()):
        _check_part(f"{place}.content[{number}]", part)
    _check(message, "tool_calls", "array", place=f"{place}.")


def _check_part(place: str, part: Any) -> None:
    if not isinstance(part, dict):
        raise ParameterTypeWrong(parameter=place, expected=["object"])
    kind = _needed(part, "type", "string", place=f"{place}.")
    if kind != "text":
        raise PartUnsupported(parameter=place, kind=kind)
    _needed(part, "text", "string", place=f"{place}.")


def _check_tools(asked: Request) -> None:
    _check(asked, "tools", "array")
    tools = asked.get("tools") or []
    for number, tool in enumerate(tools):
        place = f"tools[{number}]"
        if not isinstance(tool, dict):
            raise ParameterTypeWrong(parameter=place, expected=["object"])
        _listed(f"{place}.type", tool.get("type"), ("function",))
        function = _needed(tool, "function", "object", place=f"{place}.")
        _needed(function, "name", "string", place=f"{place}.function.")
        _check(function, "parameters", "object", place=f"{place}.function.")
    choice = asked.get("tool_choice")
    if choice is None:
        return
    if isinstance(choice, dict):
        _listed("tool_choice.type", choice.get("type"), ("function",))
        function = _needed(choice, "function", "object", place="tool_choice.")
        name = _needed(function, "name", "string", place="tool_choice.function.")
        _listed("tool_choice.function.name", name, tuple(tool["function"]["name"] for tool in tools))
    else:
        _check(asked, "tool_choice", "string", "object")
        _listed("tool_choice", choice, CHOICES)
    if forces_tool(asked) and not tools:
        raise ParameterMissing(parameter="tools")


def _is_prompt(value: Any) -> bool:
    """A text, a list of token ids, or a list of such."""
    if isinstance(value, str):
        return True
    if not isinstance(value, list) or not value:
        return False
    return _are_tokens(value) or all(isinstance(one, str) or _are_tokens(one) for one in value)


def _are_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_KINDS["integer"](one) and one >= 0 for one in value)


def _needed(values: Request, name: str, *kinds: str, place: str = "") -> Any:
    if values.get(name) is None:
        raise ParameterMissing(parameter=f"{place}{name}")
    _check(values, name, *kinds, place=place)
    return values[name]


def _check(values: Request, name: str, *kinds: str, place: str = "") -> None:
    value = values.get(name)
    if value is not None and not any(_KINDS[kind](value) for kind in kinds):
        raise ParameterTypeWrong(parameter=f"{place}{name}", expected=list(kinds))


def _in_range(name: str, value: Any, least: float, most: float) -> None:
    if value is not None and not least <= value <= most:
        raise ParameterOutOfRange(parameter=name, value=value, range=f"≥ {least}, ≤ {most}")


def _listed(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value is None:
        raise ParameterMissing(parameter=name)
    if value not in allowed:
        raise ParameterNotListed(parameter=name, value=str(value)[:64], allowed=list(allowed))
