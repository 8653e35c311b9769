"""Which mapping suggests itself, and what it makes of a record."""

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain.columns import columns_of
from control_plane.domain.errors import RowsInvalid
from control_plane.domain.mapping import apply, propose
from control_plane.domain.preparation import Mapping

TURNS = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
SHAREGPT = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]


def made(record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The format that suggests itself, and the row."""
    mapping = propose(columns_of([record]), [record])
    return mapping.format, apply(mapping, record)


@pytest.mark.parametrize(
    ("record", "format", "row"),
    [
        ({"prompt": "q", "completion": "a", "n": 1}, "prompt_completion", {"prompt": "q", "completion": "a"}),
        ({"Question": "q", "Answer": 3}, "prompt_completion", {"prompt": "q", "completion": "3"}),
        ({"Frage": "q", "Antwort": "a"}, "prompt_completion", {"prompt": "q", "completion": "a"}),
        ({"问题": "q", "回答": "a"}, "prompt_completion", {"prompt": "q", "completion": "a"}),
        (
            {"instruction": "do", "input": "this", "output": "a"},
            "prompt_completion",
            {"prompt": "do\n\nthis", "completion": "a"},
        ),
        ({"instruction": "do", "input": "", "output": "a"}, "prompt_completion", {"prompt": "do", "completion": "a"}),
        ({"input": "q", "target": {"x": 1}}, "prompt_completion", {"prompt": "q", "completion": '{"x": 1}'}),
        (
            {"context": "c", "question": "q", "answer": "a"},
            "prompt_completion",
            {"prompt": "context: c\nquestion: q", "completion": "a"},
        ),
        (
            {"id": 1, "context": "c", "question": "q", "answers": {"text": ["a", "b"], "answer_start": [1, 5]}},
            "prompt_completion",
            {"prompt": "context: c\nquestion: q", "completion": "a"},
        ),
        ({"problem": "q", "solution": "a"}, "prompt_completion", {"prompt": "q", "completion": "a"}),
        ({"prompt": "q", "reference_answer": "a"}, "prompt_completion", {"prompt": "q", "completion": "a"}),
        ({"messages": TURNS}, "chat", {"messages": TURNS}),
        ({"conversations": SHAREGPT}, "chat", {"messages": TURNS}),
        (
            {"system": "Be brief.", "conversations": SHAREGPT},
            "chat",
            {"messages": [{"role": "system", "content": "Be brief."}, *TURNS]},
        ),
        ({"system": "", "conversations": SHAREGPT}, "chat", {"messages": TURNS}),
        ({"id": 1, "thread": SHAREGPT}, "chat", {"messages": TURNS}),
        ({"messages": '[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]'}, "chat", None),
        ({"prompt": TURNS[:1], "completion": TURNS[1:]}, "chat", {"messages": TURNS}),
        ({"text": "t", "url": "u", "timestamp": "now"}, "text", {"text": "t"}),
        ({"text": "t", "label": "pump"}, "prompt_completion", {"prompt": "t", "completion": "pump"}),
        (
            {"prompt": "q", "chosen": "a", "rejected": "b"},
            "preference",
            {"prompt": "q", "chosen": "a", "rejected": "b"},
        ),
        (
            {"chosen": TURNS, "rejected": [TURNS[0], {"role": "assistant", "content": "b"}]},
            "preference",
            {"prompt": TURNS[:1], "chosen": "a", "rejected": "b"},
        ),
        (
            {"conversations": SHAREGPT[:1], "chosen": SHAREGPT[1], "rejected": {"from": "gpt", "value": "b"}},
            "preference",
            {"prompt": TURNS[:1], "chosen": "a", "rejected": "b"},
        ),
        (
            {"prompt": "q", "chosen": TURNS, "rejected": [TURNS[0], {"role": "assistant", "content": "b"}], "score": 1},
            "preference",
            {"prompt": TURNS[:1], "chosen": "a", "rejected": "b"},
        ),
        (
            {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
            "preference",
            {"prompt": TURNS[:1], "chosen": "a", "rejected": "b"},
        ),
        (
            {"prompt": "q", "completion": "a", "label": "true"},
            "unpaired_preference",
            {"prompt": "q", "completion": "a", "label": True},
        ),
        (
            {"Frage": "q", "Antwort": "a", "Bewertung": "schlecht"},
            "unpaired_preference",
            {"prompt": "q", "completion": "a", "label": False},
        ),
        (
            {"messages": TURNS, "label": 1},
            "unpaired_preference",
            {"prompt": TURNS[:1], "completion": "a", "label": True},
        ),
        (
            {"Nr": 1, "Notiz": "Die Pumpe ist sehr heiß.", "Teil": "Pumpe", "Wert": 3.5, "Rest": None},
            "prompt_completion",
            {"prompt": "Die Pumpe ist sehr heiß.", "completion": '{"Teil": "Pumpe", "Wert": 3.5}'},
        ),
    ],
)
def test_the_usual_shapes_are_known(record: dict[str, Any], format: str, row: dict[str, Any] | None) -> None:
    assert made(record) == (format, row or {"messages": TURNS})


@pytest.mark.parametrize("record", [{"n": 1, "m": 2}, {"a": None}, {"x": [1, 2]}])
def test_nothing_is_proposed_where_nothing_suggests_itself(record: dict[str, Any]) -> None:
    assert propose(columns_of([record]), [record]).format == ""


def test_an_empty_cell_before_a_conversation_is_no_message() -> None:
    mapping = Mapping("chat", {"messages": ["system", "conversations"]})
    assert apply(mapping, {"system": " ", "conversations": SHAREGPT}) == {"messages": TURNS}


def test_an_empty_cell_of_an_answer_is_null_and_an_answer_of_none_is_empty() -> None:
    mapping = Mapping("prompt_completion", {"prompt": ["Notiz"], "completion": ["Teil", "Ort"]})
    assert apply(mapping, {"Notiz": "n", "Teil": "", "Ort": "x"})["completion"] == '{"Teil": null, "Ort": "x"}'
    with pytest.raises(RowsInvalid) as caught:
        apply(mapping, {"Notiz": "n", "Teil": "", "Ort": None})
    assert (caught.value.code, caught.value.params["field"]) == ("row_field_empty", "Teil, Ort")


@pytest.mark.parametrize(
    ("format", "parts", "fields", "code", "field"),
    [
        ("text", {"text": ["Inhalt"]}, {"Inhalt": " "}, "row_field_empty", "Inhalt"),
        ("text", {"text": ["Inhalt"]}, {"x": "y"}, "row_field_missing", "Inhalt"),
        ("chat", {"messages": ["Chat"]}, {"Chat": "hello"}, "row_field_type_wrong", "Chat"),
        ("chat", {"messages": ["Chat"]}, {"Chat": [{"role": "user"}]}, "row_field_missing", "Chat[0].content"),
        ("chat", {"messages": ["C"]}, {"C": [{"from": "alien", "value": "x"}]}, "row_role_unknown", ""),
        ("chat", {}, {"C": "x"}, "row_field_missing", "messages"),
        (
            "unpaired_preference",
            {"prompt": ["q"], "completion": ["a"], "label": ["gut?"]},
            {"q": "q", "a": "a", "gut?": "vielleicht"},
            "row_field_type_wrong",
            "gut?",
        ),
    ],
)
def test_what_does_not_fit_names_the_column(
    format: str, parts: dict[str, list[str]], fields: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(RowsInvalid) as caught:
        apply(Mapping(format, parts), fields)
    assert caught.value.code == code
    assert caught.value.params.get("field", "") == field


def test_columns_tell_what_stands_in_them() -> None:
    columns = columns_of([{"a": "x" * 100, "b": 1, "c": None}, {"a": "y", "b": "z", "d": [1]}])
    assert [(one.name, one.kind, one.filled) for one in columns] == [
        ("a", "text", 2),
        ("b", "mixed", 2),
        ("c", "empty", 0),
        ("d", "list", 1),
    ]
    assert columns[0].examples == ["x" * 79 + "…", "y"]


PAIRS = Mapping("prompt_completion", {"prompt": ["a"], "completion": ["b"]})
VALUES = st.none() | st.integers(0, 9) | st.sampled_from(["x", "", " ", "\u3000", "\x1c", "\x85 y"])


def outcome(fields: dict[str, Any]) -> Any:
    try:
        return apply(PAIRS, fields)
    except RowsInvalid as problem:
        return problem.code, problem.params


@given(st.fixed_dictionaries({}, optional={"a": VALUES, "b": VALUES}))
def test_the_short_way_for_texts_ends_where_the_long_one_does(fields: dict[str, Any]) -> None:
    short = outcome(fields)
    with patch("control_plane.domain.mapping.of_texts", return_value=None):
        assert outcome(fields) == short
