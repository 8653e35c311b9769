"""How callers ask for what a deployment carries, and what an engine is then asked."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane.domain.errors import NothingCarried, ParameterMissing, ParameterNotListed
from control_plane.domain.prompts.carried import PROMPT, SCHEMA, applied, split
from control_plane.domain.prompts.prompt import Decoding, Prompt

ASKED = {"model": "lab/faults+prompt", "messages": [{"role": "user", "content": "Hot?"}], "stream": True}
SHORT = Prompt("Be short.", decoding=Decoding(0.5, 20))
FORM = {"type": "object"}


def asked(*wanted: str, prompt: Prompt | None = SHORT, schema: dict[str, Any] = FORM, **more: Any) -> dict[str, Any]:
    return applied(ASKED | more, frozenset(wanted), "faults", prompt, schema)


@pytest.mark.parametrize(
    ("model", "name", "wanted"),
    [
        ("faults", "faults", set()),
        ("faults+prompt", "faults", {PROMPT}),
        ("faults+schema+prompt", "faults", {PROMPT, SCHEMA}),
        ("+prompt", "", {PROMPT}),
    ],
)
def test_what_is_wanted_stands_behind_the_name(model: str, name: str, wanted: set[str]) -> None:
    assert split(model) == (name, wanted)


@pytest.mark.parametrize("model", ["faults+", "faults+promt", "faults+prompt+x"])
def test_what_there_is_not_is_refused(model: str) -> None:
    with pytest.raises(ParameterNotListed):
        split(model)


def test_without_a_wish_nothing_changes() -> None:
    assert asked() == ASKED


def test_a_prompt_comes_before_the_question_with_its_decoding() -> None:
    found = asked(PROMPT)
    assert found["messages"] == [{"role": "system", "content": "Be short."}, *ASKED["messages"]]  # type: ignore[misc]
    assert (found["temperature"], found["max_tokens"], found["model"]) == (0.5, 20, "faults")
    assert found["stream"] is True and "response_format" not in found


def test_what_the_caller_says_goes_first() -> None:
    found = asked(PROMPT, SCHEMA, temperature=0, max_completion_tokens=5, response_format={"type": "text"})
    assert found["temperature"] == 0 and "max_tokens" not in found and found["max_completion_tokens"] == 5
    assert found["response_format"] == {"type": "text"}
    assert asked(PROMPT, temperature=None)["temperature"] == 0.5


def test_a_schema_is_the_form_of_the_answer() -> None:
    form = asked(SCHEMA)["response_format"]
    assert form == {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": FORM}}
    assert asked(SCHEMA)["messages"] == ASKED["messages"]


def test_what_is_not_carried_is_said() -> None:
    with pytest.raises(NothingCarried) as refused:
        asked(PROMPT, prompt=None)
    assert refused.value.params == {"parameter": "model", "suffix": "+prompt", "deployment": "faults"}
    with pytest.raises(NothingCarried):
        asked(SCHEMA, schema={})
    with pytest.raises(ParameterMissing):
        applied({"model": "x", "prompt": "Once"}, frozenset({PROMPT}), "faults", SHORT, FORM)
