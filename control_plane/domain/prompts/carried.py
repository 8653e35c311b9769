"""How a caller asks for what a deployment carries: by the model's name, `project/deployment+prompt+schema`.

A name holds no plus, so every client of the OpenAI protocol can ask so, also one that can send no other field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control_plane.domain.errors import NothingCarried, ParameterMissing, ParameterNotListed
from control_plane.domain.prompts import prompt as prompts
from control_plane.domain.prompts.prompt import Prompt

PROMPT, SCHEMA = "+prompt", "+schema"
_LENGTHS = ("max_tokens", "max_completion_tokens")


def split(model: str) -> tuple[str, frozenset[str]]:
    """The name of a deployment, and what of the things that it carries is asked for. Raises ParameterNotListed."""
    name, *suffixes = model.split("+")
    wanted = frozenset(f"+{one}" for one in suffixes)
    for one in sorted(wanted):
        if one not in (PROMPT, SCHEMA):
            raise ParameterNotListed(parameter="model", value=one[:64], allowed=[PROMPT, SCHEMA])
    return name, wanted


def applied(
    asked: Mapping[str, Any], wanted: frozenset[str], deployment: str, prompt: Prompt | None, schema: Mapping[str, Any]
) -> dict[str, Any]:
    """A chat completion's request with what is wanted of what the deployment carries.

    What the caller says of decoding and of the answer's form goes before what is carried. Raises NothingCarried,
    ParameterMissing.
    """
    found = dict(asked)
    if not wanted:
        return found
    found["model"] = deployment
    if not isinstance(asked.get("messages"), list):
        raise ParameterMissing(parameter="messages")
    if PROMPT in wanted:
        if prompt is None:
            raise NothingCarried(parameter="model", suffix=PROMPT, deployment=deployment)
        found["messages"] = prompts.messages(prompt, asked["messages"])
        given = prompt.decoding.given
        if any(asked.get(name) is not None for name in _LENGTHS):
            given.pop("max_tokens", None)
        found |= {name: value for name, value in given.items() if asked.get(name) is None}
    if SCHEMA in wanted:
        if not schema:
            raise NothingCarried(parameter="model", suffix=SCHEMA, deployment=deployment)
        if asked.get("response_format") is None:
            form = {"name": "answer", "strict": True, "schema": dict(schema)}
            found["response_format"] = {"type": "json_schema", "json_schema": form}
    return found
