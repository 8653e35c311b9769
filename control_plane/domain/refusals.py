"""What an engine's refusal means, in words of ours: its own are in one language, and often name no field."""

from __future__ import annotations

import json
import re
from typing import Any

from control_plane.domain.errors import (
    ContextExceeded,
    EngineFailed,
    ParameterUnsupported,
    RequestRefused,
    TemplateRefused,
    TunesmithError,
)

# both engines' words for a prompt that is too long: how long it is, and what there is room for
_TOO_LONG = (
    re.compile(r"request \((\d+) tokens\) exceeds the available context size \((\d+) tokens\)"),
    re.compile(r"Requested tokens \((\d+)\) exceed context window of (\d+)"),
)
_FIELD = re.compile(r"Field '(\w+)'")
# what is in an engine's words, and the field that it is about
_ABOUT = (
    ("JSON schema", "response_format"),
    ("JSON Schema", "response_format"),
    ("response_format", "response_format"),
    ("grammar", "grammar"),
    ("tool", "tools"),
    ("rompt", "prompt"),
    ("messages", "messages"),
)


def refusal(status: int, body: bytes) -> TunesmithError:
    """The error that an engine's answer with an HTTP `status` from 400 on is for whoever asked."""
    text = _message(body)
    for pattern in _TOO_LONG:
        if found := pattern.search(text):
            return ContextExceeded(tokens=int(found[1]), most=int(found[2]))
    if re.search(r"[Jj]inja|conversation roles|chat template", text, re.IGNORECASE) and "JSON schema" not in text:
        return TemplateRefused(parameter="messages")
    if status >= 500:
        return EngineFailed(problem=f"HTTP {status}")
    if found := _FIELD.search(text):
        return ParameterUnsupported(parameter=found[1])
    return next((ParameterUnsupported(parameter=field) for words, field in _ABOUT if words in text), RequestRefused())


def _message(body: bytes) -> str:
    try:
        answer: Any = json.loads(body)
        return str(answer["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return ""
