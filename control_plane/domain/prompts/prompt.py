"""A prompt: what is said to a model before the question, and how it then answers.

As JSON: {"system": "…", "examples": [{"prompt": "…", "completion": "…"}, …],
"decoding": {"temperature": 0.0, "max_tokens": 256}}. What is empty or not given is left out of the canonical form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from control_plane.domain import documents
from control_plane.domain.errors import PromptEmpty, PromptKeyUnknown, PromptUnreadable, PromptValueUnfit

LONGEST_TEXT = 20_000  # characters of the system text, and of each half of an example
LONGEST = 100_000  # characters of all together
MOST_EXAMPLES = 32
HOTTEST = 2.0
MOST_TOKENS = 32_768

_KEYS = ("system", "examples", "decoding")
_EXAMPLE = ("prompt", "completion")
_DECODING = ("temperature", "max_tokens")

Message = dict[str, Any]  # as OpenAI's chat completions have it: role, content …


@dataclass(frozen=True)
class Example:
    """A question and the answer that it should get."""

    prompt: str
    completion: str


@dataclass(frozen=True)
class Decoding:
    """How an answer is drawn; None: as whoever asks says."""

    temperature: float | None = None  # 0: always the likeliest word
    max_tokens: int | None = None  # of one answer

    @property
    def given(self) -> dict[str, float | int]:
        """What is said, by its name in OpenAI's requests."""
        told = {"temperature": self.temperature, "max_tokens": self.max_tokens}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True)
class Prompt:
    """What is said before the question. It never changes; another one is another version."""

    system: str = ""
    examples: tuple[Example, ...] = ()  # in the order in which a model reads them
    decoding: Decoding = Decoding()


def parse(text: str) -> Prompt:
    """The prompt that a JSON text says. Raises PromptInvalid's kinds, with the place."""
    try:
        document = documents.parse(text)
    except ValueError as problem:
        raise PromptUnreadable(problem=str(problem)[:200]) from problem
    return read(document)


def read(document: Any) -> Prompt:
    """The prompt that plain data says. Raises PromptKeyUnknown, PromptValueUnfit (each with its place), PromptEmpty."""
    if not isinstance(document, Mapping):
        raise PromptUnreadable(problem='{"system": "…"}')
    _known(document, _KEYS, "")
    system = _text(document.get("system", ""), "system")
    given = document.get("examples", [])
    if not isinstance(given, list) or len(given) > MOST_EXAMPLES:
        raise PromptValueUnfit(place="examples", wanted=f"[{{prompt, completion}}, …], ≤ {MOST_EXAMPLES}")
    examples = tuple(_example(one, f"examples[{number}]") for number, one in enumerate(given, 1))
    if not system and not examples:
        raise PromptEmpty
    if len(system) + sum(len(one.prompt) + len(one.completion) for one in examples) > LONGEST:
        raise PromptValueUnfit(place="system + examples", wanted=f"≤ {LONGEST}")
    return Prompt(system, examples, _decoding(document.get("decoding", {})))


def as_data(prompt: Prompt) -> dict[str, Any]:
    """The prompt as plain data in its canonical form; `read` reads it again."""
    found: dict[str, Any] = {"system": prompt.system} if prompt.system else {}
    if prompt.examples:
        found["examples"] = [{"prompt": one.prompt, "completion": one.completion} for one in prompt.examples]
    return found | ({"decoding": prompt.decoding.given} if prompt.decoding.given else {})


def digest(prompt: Prompt) -> str:
    """The sha256 of the canonical form: two that say the same have the same."""
    whole = json.dumps(as_data(prompt), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def messages(prompt: Prompt, conversation: Sequence[Mapping[str, Any]]) -> list[Message]:
    """What a model is asked: the system text, the examples as turns that have been, then the conversation.

    A system text that the conversation begins with follows the prompt's in one message: many templates take only one.
    """
    asked = [dict(message) for message in conversation]
    system = [prompt.system] if prompt.system else []
    if asked and asked[0].get("role") == "system" and isinstance(asked[0].get("content"), str):
        system.append(asked.pop(0)["content"])
    begun: list[Message] = [{"role": "system", "content": "\n\n".join(system)}] if system else []
    for one in prompt.examples:
        begun.append({"role": "user", "content": one.prompt})
        begun.append({"role": "assistant", "content": one.completion})
    return begun + asked


def _example(given: Any, place: str) -> Example:
    if not isinstance(given, Mapping):
        raise PromptValueUnfit(place=place, wanted="{prompt, completion}")
    _known(given, _EXAMPLE, place)
    halves = [_text(given.get(half, ""), f"{place}.{half}") for half in _EXAMPLE]
    for half, text in zip(_EXAMPLE, halves, strict=True):
        if not text:
            raise PromptValueUnfit(place=f"{place}.{half}", wanted=f"1 … {LONGEST_TEXT}")
    return Example(*halves)


def _decoding(given: Any) -> Decoding:
    if not isinstance(given, Mapping):
        raise PromptValueUnfit(place="decoding", wanted="{temperature, max_tokens}")
    _known(given, _DECODING, "decoding")
    heat, most = given.get("temperature"), given.get("max_tokens")
    if heat is not None and not (_is_number(heat) and 0 <= heat <= HOTTEST):
        raise PromptValueUnfit(place="decoding.temperature", wanted=f"0 … {HOTTEST:g}")
    if most is not None and not (_is_number(most) and most == int(most) and 1 <= most <= MOST_TOKENS):
        raise PromptValueUnfit(place="decoding.max_tokens", wanted=f"1 … {MOST_TOKENS}")
    return Decoding(None if heat is None else float(heat), None if most is None else int(most))


def _text(given: Any, place: str) -> str:
    """A text with one kind of line break. Raises PromptValueUnfit where it is none or too long."""
    if not isinstance(given, str) or "\x00" in given or len(given) > LONGEST_TEXT:
        raise PromptValueUnfit(place=place, wanted=f"“…”, ≤ {LONGEST_TEXT}")
    return documents.well_formed(given).replace("\r\n", "\n")


def _known(given: Mapping[str, Any], keys: Sequence[str], place: str) -> None:
    for key in given:
        if key not in keys:
            raise PromptKeyUnknown(place=f"{place}.{key}".lstrip(".")[:80], known=", ".join(keys))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
