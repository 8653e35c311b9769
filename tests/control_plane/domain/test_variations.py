"""What a model's answer to the request for a variation is: a row, or a reason why it is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain import variations
from control_plane.domain.errors import VariationUnreadable
from control_plane.domain.rows import check_row

ROW = {"prompt": "p", "completion": "c"}
CHAT = {"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "c"}]}


@pytest.mark.parametrize(
    ("format", "said", "row"),
    [
        ("prompt_completion", json.dumps(ROW), ROW),
        ("prompt_completion", f"```json\n{json.dumps(ROW)}\n```", ROW),
        ("prompt_completion", json.dumps(ROW | {"note": "x", "generated": True}), ROW),
        ("prompt_completion", '{"prompt": "p", "completion": {"ph": 7}}', {"prompt": "p", "completion": '{"ph": 7}'}),
        ("chat", json.dumps(CHAT), CHAT),
        ("text", '{"text": "t"}', {"text": "t"}),
    ],
)
def test_a_row_is_read(format: str, said: str, row: dict[str, Any]) -> None:
    assert variations.read(format, said) == row


@pytest.mark.parametrize(
    "said",
    ["", "Sure! Here is one:", "[]", "null", '{"prompt": "p"}', '{"prompt": "p", "completion": ""}', '{"prompt": "p"',
     '{"prompt": NaN, "completion": "c"}', "[" * 5_000, '{"prompt": 3, "completion": "c"}'],
)  # fmt: skip
def test_rubbish_is_none(said: str) -> None:
    with pytest.raises(VariationUnreadable):
        variations.read("prompt_completion", said)


@given(st.text())
def test_nothing_else_comes_of_any_text(said: str) -> None:
    for format in variations.ASKABLE:
        try:
            check_row(format, variations.read(format, said))
        except VariationUnreadable:
            continue


@pytest.mark.parametrize("format", variations.ASKABLE)
def test_a_request_holds_the_row_without_its_mark_and_a_schema_of_the_form(format: str) -> None:
    row = {"prompt_completion": ROW, "chat": CHAT, "text": {"text": "t"}}[format]
    system, user = variations.question(format, row | {"generated": True, "id": 7}, "Be brief.")
    assert system["content"].startswith("Be brief.\n")
    assert json.loads(user["content"]) == row
    assert variations.schema(format)["required"] == list(row)
