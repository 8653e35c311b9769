"""What a prompt can say, what is refused and where, and what a model is asked with it."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane.domain.errors import PromptEmpty, PromptKeyUnknown, PromptUnreadable, PromptValueUnfit
from control_plane.domain.prompts.prompt import (
    LONGEST,
    LONGEST_TEXT,
    MOST_EXAMPLES,
    Decoding,
    Example,
    Prompt,
    as_data,
    digest,
    messages,
    parse,
    read,
)

WHOLE = {
    "system": "Answer in one word.",
    "examples": [{"prompt": "Pump 1 is hot.", "completion": "bearing"}],
    "decoding": {"temperature": 0.0, "max_tokens": 20},
}
QUESTION = {"role": "user", "content": "Pump 2 is wet."}


def test_what_is_read_is_written_again() -> None:
    prompt = read(WHOLE)
    assert prompt == Prompt("Answer in one word.", (Example("Pump 1 is hot.", "bearing"),), Decoding(0.0, 20))
    assert as_data(prompt) == WHOLE
    assert read(as_data(prompt)) == prompt


def test_the_hash_is_of_what_is_said_alone() -> None:
    first = parse('{"system": "a\\r\\nb", "examples": []}')
    assert digest(first) == digest(parse('{"decoding": {},   "system": "a\\nb"}'))
    assert digest(first) != digest(read({"system": "a b"}))
    two = [{"prompt": "a", "completion": "b"}, {"prompt": "c", "completion": "d"}]
    assert digest(read({"examples": two})) != digest(read({"examples": two[::-1]}))  # the order is part of it


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"system": 3}, "system"),
        ({"system": "a\x00"}, "system"),
        ({"system": "a" * (LONGEST_TEXT + 1)}, "system"),
        ({"examples": {}}, "examples"),
        ({"examples": [{"prompt": "a", "completion": "b"}] * (MOST_EXAMPLES + 1)}, "examples"),
        ({"examples": ["a"]}, "examples[1]"),
        ({"examples": [{"prompt": "a", "completion": "b"}, {"prompt": "a"}]}, "examples[2].completion"),
        ({"examples": [{"prompt": "", "completion": "b"}]}, "examples[1].prompt"),
        ({"examples": [{"prompt": "a" * LONGEST_TEXT, "completion": "b"}] * 6}, "system + examples"),
        ({"system": "a", "decoding": []}, "decoding"),
        ({"system": "a", "decoding": {"temperature": -0.1}}, "decoding.temperature"),
        ({"system": "a", "decoding": {"temperature": True}}, "decoding.temperature"),
        ({"system": "a", "decoding": {"temperature": float("nan")}}, "decoding.temperature"),
        ({"system": "a", "decoding": {"max_tokens": 1.5}}, "decoding.max_tokens"),
        ({"system": "a", "decoding": {"max_tokens": 0}}, "decoding.max_tokens"),
        ({"system": "a", "decoding": {"max_tokens": "20"}}, "decoding.max_tokens"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(document: Any, place: str) -> None:
    assert LONGEST < 6 * LONGEST_TEXT
    with pytest.raises(PromptValueUnfit) as refused:
        read(document)
    assert refused.value.params["place"] == place


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"sytem": "a"}, "sytem"),
        ({"examples": [{"prompt": "a", "answer": "b"}]}, "examples[1].answer"),
        ({"system": "a", "decoding": {"top_k": 3}}, "decoding.top_k"),
    ],
)
def test_a_key_that_is_none_is_named(document: Any, place: str) -> None:
    with pytest.raises(PromptKeyUnknown) as refused:
        read(document)
    assert refused.value.params["place"] == place


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"system": NaN}', '"a"'])
def test_what_is_no_object_is_unreadable(text: str) -> None:
    with pytest.raises(PromptUnreadable):
        parse(text)


def test_a_prompt_that_says_nothing_is_none() -> None:
    with pytest.raises(PromptEmpty):
        read({"decoding": {"temperature": 0.0}})


def test_a_model_is_asked_system_then_examples_then_the_question() -> None:
    assert messages(read(WHOLE), [QUESTION]) == [
        {"role": "system", "content": "Answer in one word."},
        {"role": "user", "content": "Pump 1 is hot."},
        {"role": "assistant", "content": "bearing"},
        QUESTION,
    ]


def test_the_askers_system_text_follows_in_the_same_message() -> None:
    asked = [{"role": "system", "content": "In German."}, QUESTION]
    said = messages(read({"system": "Be short."}), asked)
    assert said == [{"role": "system", "content": "Be short.\n\nIn German."}, QUESTION]
    assert asked[0]["content"] == "In German."  # what was given stays as it was
    examples = [{"prompt": "a", "completion": "b"}]
    assert [one["role"] for one in messages(read({"examples": examples}), asked)] == [
        "system", "user", "assistant", "user",
    ]  # fmt: skip
