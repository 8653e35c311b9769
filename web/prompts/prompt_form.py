"""A prompt as a form: its texts, its examples one below the other, its decoding; or all of it as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from control_plane.domain.prompts import prompt as prompts
from control_plane.domain.prompts.prompt import Prompt

_EMPTY = 2  # examples that the form has beyond those that are there
_NAMES = ("temperature", "max_tokens")


def read(form: Mapping[str, str]) -> Prompt:
    """What a form says. Raises PromptInvalid's kinds, with the place."""
    if "json" in form:
        return prompts.parse(form["json"])
    return prompts.read(_document(form))


def written(prompt: Prompt) -> str:
    """A prompt as JSON that people read."""
    return json.dumps(prompts.as_data(prompt), ensure_ascii=False, indent=2)


def fields(prompt: Prompt) -> dict[str, Any]:
    """What the form is filled in with."""
    decoding = prompt.decoding.given
    return {
        "system": prompt.system,
        "examples": [(one.prompt, one.completion) for one in prompt.examples] + [("", "")] * _EMPTY,
        **{name: f"{decoding[name]:g}" if name in decoding else "" for name in _NAMES},
    }


def sent(form: Mapping[str, str]) -> dict[str, Any]:
    """The same of what was typed, right or wrong, so that nothing is lost."""
    said = _examples(form)
    return {
        "system": form.get("system", ""),
        "examples": [(one["prompt"], one["completion"]) for one in said] + [("", "")] * _EMPTY,
        **{name: form.get(name, "") for name in _NAMES},
    }


def _document(form: Mapping[str, str]) -> dict[str, Any]:
    decoding = {name: _number(form[name].strip()) for name in _NAMES if form.get(name, "").strip()}
    return {"system": form.get("system", "").strip(), "examples": _examples(form), "decoding": decoding}


def _examples(form: Mapping[str, str]) -> list[dict[str, str]]:
    """Those with a text in either half, in the form's order."""
    found = []
    for number in range(1, prompts.MOST_EXAMPLES + _EMPTY + 1):
        halves = {half: form.get(f"{half}.{number}", "").strip("\r\n") for half in ("prompt", "completion")}
        if any(text.strip() for text in halves.values()):
            found.append(halves)
    return found


def _number(text: str) -> float | str:
    """A number, with either decimal sign; what is none stays as it is, and is refused with its place."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text
