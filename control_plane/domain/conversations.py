"""Messages as they come, and the one shape in which they are kept.

They come in OpenAI's shape, in ShareGPT's with `from` and `value`, or as one text as Anthropic has published them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from control_plane.domain import tools

_ROLES: Mapping[str, str] = {
    "human": "user",
    "prompter": "user",
    "user": "user",
    "gpt": "assistant",
    "bot": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "assistant": "assistant",
    "system": "system",
    "observation": tools.ROLE,  # as those call it whose calls are a `function_call`
    "tool": tools.ROLE,
    "function_response": tools.ROLE,
}  # what ShareGPT's kin call who speaks


_SPEAKERS = re.compile(r"\n\n(Human|Assistant): ?")


def are_messages(value: Any) -> bool:
    """Whether it is a message or a list of messages, in either shape, perhaps as its JSON text."""
    told = _parsed(value)
    some = told if isinstance(told, list) else [told]
    return bool(some) and all(isinstance(one, dict) and (_is_openai(one) or _is_sharegpt(one)) for one in some)


def messages(value: Any) -> Any:
    """Messages in OpenAI's shape; the very same value where it is none. Roles that are not known stay."""
    if not are_messages(value):
        return value
    told = _parsed(value)
    return [_message(one) for one in (told if isinstance(told, list) else [told])]


def _is_openai(message: dict[str, Any]) -> bool:
    return "role" in message and ("content" in message or bool(message.get("tool_calls")))


def _is_sharegpt(message: dict[str, Any]) -> bool:
    return "from" in message and "value" in message


def _message(message: dict[str, Any]) -> dict[str, Any]:
    if _is_openai(message):
        return message
    if message["from"] == "function_call" and (calls := tools.called(message["value"])) != message["value"]:
        return {"role": "assistant", "content": "", "tool_calls": calls}
    return {"role": _ROLES.get(str(message["from"]).lower(), message["from"]), "content": message["value"]}


def _parsed(value: Any) -> Any:
    """What the text is in JSON, as a table keeps it, or as turns; the value itself where it is neither."""
    if not isinstance(value, str):
        return value
    if _SPEAKERS.match(value):
        return _turns(value)
    if not value.lstrip().startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _turns(text: str) -> list[dict[str, str]]:
    """The turns of a text in which each begins with an empty line and who speaks."""
    _, *parts = _SPEAKERS.split(text)
    speakers, said = parts[::2], parts[1::2]
    return [
        {"role": "user" if who == "Human" else "assistant", "content": words.strip()}
        for who, words in zip(speakers, said, strict=True)
    ]
