"""Tools and their calls, in the shapes that they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from control_plane.domain import columns, mapping
from control_plane.domain.datasets import Scan
from control_plane.domain.errors import (
    RowEndsWrong,
    RowFieldMissing,
    RowFieldNotText,
    RowFieldTypeWrong,
    RowRoleUnknown,
)
from control_plane.domain.preparation import Column, Mapping
from control_plane.domain.rows import TOOLS, answer, recognise
from web import draft_form

FUNCTION = {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}
TOOL = {"type": "function", "function": FUNCTION}
ASKED, GIVEN = {"role": "user", "content": "Is it hot?"}, {"role": "tool", "content": "90 °C", "tool_call_id": "c1"}
SAID = {"role": "assistant", "content": "Yes."}
CALL = {"type": "function", "function": {"name": "look", "arguments": {"at": "pump"}}}
KEPT = [ASKED, {"role": "assistant", "content": "", "tool_calls": [{"id": "c1"} | CALL]}, GIVEN, SAID]


def openai() -> dict[str, Any]:
    """A row as OpenAI takes it: arguments as a text, no content beside a call."""
    written = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "pump"}'}}
    call = {"role": "assistant", "content": None, "tool_calls": [written]}
    return {"messages": [ASKED, call, GIVEN, SAID], "tools": [TOOL]}


def scanned(row: dict[str, Any]) -> dict[str, Any]:
    scan = Scan("f.jsonl", 1 << 20)
    line = scan.take(json.dumps(row).encode() + b"\n")
    if scan.problem:
        raise scan.problem
    assert scan.format == TOOLS
    return json.loads(line)


def test_openai_s_shape_is_kept_with_its_arguments_opened() -> None:
    kept = scanned(openai())
    assert kept == {"messages": KEPT, "tools": [TOOL]}
    assert scanned(kept) == kept
    assert scanned({**openai(), "tools": json.dumps([FUNCTION])}) == kept
    assert answer(TOOLS, kept) == "Yes."
    assert json.loads(answer(TOOLS, {**kept, "messages": KEPT[:2]}) or "") == [CALL["function"]]


def test_sharegpt_s_shape_is_mapped_to_it() -> None:
    turns = [
        {"from": "human", "value": "Is it hot?"},
        {"from": "function_call", "value": json.dumps(CALL["function"])},
        {"from": "observation", "value": "90 °C"},
        {"from": "gpt", "value": "Yes."},
    ]
    record = {"conversations": turns, "tools": json.dumps([FUNCTION]), "system": "Be brief."}
    kinds = {"conversations": columns.LIST, "tools": columns.TEXT, "system": columns.TEXT}
    found = mapping.propose([Column(name, kind, 1) for name, kind in kinds.items()], [record])
    assert found == Mapping(TOOLS, {"messages": ["system", "conversations"], "tools": ["tools"]})
    row = mapping.apply(found, record)
    first, *others = row["messages"]
    assert first == {"role": "system", "content": "Be brief."}
    assert [one["role"] for one in others] == ["user", "assistant", "tool", "assistant"]
    assert (others[1]["tool_calls"], row["tools"]) == ([CALL], [TOOL])
    assert mapping.apply(found, {**record, "tools": ""})["tools"] == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tools": "look"}, RowFieldTypeWrong),
        ({"tools": [{"type": "function"}]}, RowFieldTypeWrong),
        ({"messages": [ASKED, {"role": "assistant", "content": "", "tool_calls": ["look"]}]}, RowFieldTypeWrong),
        ({"messages": [ASKED, {"role": "assistant", "content": 5, "tool_calls": [CALL]}]}, RowFieldNotText),
        ({"messages": [ASKED, {"role": "oracle", "content": "a"}, SAID]}, RowRoleUnknown),
        ({"messages": [ASKED, {"role": "user", "tool_calls": [CALL]}, SAID]}, RowFieldMissing),
        ({"messages": KEPT[:3]}, RowEndsWrong),
    ],
)
def test_what_is_no_conversation_with_tools_is_named(change: dict[str, Any], problem: type[Exception]) -> None:
    with pytest.raises(problem):
        scanned({**openai(), **change})


def test_arguments_that_are_no_object_are_named_with_their_place() -> None:
    row = openai()
    row["messages"][1]["tool_calls"][0]["function"]["arguments"] = "{at pump"
    with pytest.raises(RowFieldTypeWrong) as problem:
        scanned(row)
    assert problem.value.params["field"] == "messages[1].tool_calls[0]"


def test_calls_tell_of_tools_where_no_field_does() -> None:
    row = {"messages": openai()["messages"]}
    assert scanned(row) == {"messages": KEPT, "tools": []}
    found = mapping.propose([Column("messages", columns.LIST, 1)], [{"messages": [ASKED, SAID]}, row])
    assert found == Mapping(TOOLS, {"messages": ["messages"]})
    assert mapping.apply(found, row) == {"messages": KEPT, "tools": []}
    assert draft_form.missing(found) == []
    assert mapping.apply(found, {"messages": [ASKED, SAID]})["tools"] == []


def test_a_conversation_without_tools_stays_one() -> None:
    assert recognise({"messages": [ASKED, SAID]}) == "chat"
