"""What goes to the process that prepares a file, and what comes back, survives JSON."""

import json
from typing import Any

import pytest

from control_plane.domain.preparation import (
    Choice,
    Column,
    Finding,
    Limits,
    Look,
    Mapping,
    Order,
    Place,
    Report,
    Source,
    Split,
    Step,
    read,
    told,
)

ORDER = Order(
    step=Step.SAVE,
    train=Source("notes.xlsx", "/in/train", kind="xlsx", sheet="Notizen"),
    limits=Limits(1 << 20, 1 << 30),
    test=Source("test.csv", delimiter=";"),
    mapping=Mapping("prompt_completion", {"prompt": ["Notiz"], "completion": ["Stoff", "Menge"]}),
    split=Split(0.1, 7, by="Notiz"),
    choices={"duplicates": Choice.DROP},
)
LOOK = Look(
    Source("a.csv"), [Column("x", "number", 3, ["1", "2"])], [{"x": 1}], Mapping(), 3, peculiarities={"crlf": 3}
)
REPORT = Report(
    "text", 3, 2, 0, 1, [Finding("duplicates", 1, Choice.DROP, [Choice.KEEP, Choice.DROP], [Place("a", 3)])], [], {}
)


@pytest.mark.parametrize("value", [ORDER, Order(Step.LOOK, Source("a"), Limits(1, 2)), LOOK, REPORT])
def test_each_value_survives_json(value):
    back = read(type(value), json.loads(json.dumps(told(value))))
    assert back == value
    assert told(back) == told(value)


def test_words_come_back_as_what_they_are():
    back = read(Order, json.loads(json.dumps(told(ORDER))))
    assert back.step is Step.SAVE
    assert back.choices["duplicates"] is Choice.DROP
    with pytest.raises(ValueError, match="burn"):
        read(Order, told(ORDER) | {"choices": {"duplicates": "burn"}})


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (Mapping, {"format": ["text"]}),
        (Mapping, {"format": "text", "parts": {"text": "column"}}),
        (Mapping, {"format": "text", "parts": {"text": [["column"]]}}),
        (Mapping, {"format": "text", "parts": [["text"]]}),
        (Mapping, ["text"]),
        (Split, {"share": "0.2"}),
        (Split, {"share": None}),
        (Split, {"share": True}),
        (Split, {"seed": 1.5}),
        (Split, {"by": ["column"]}),
        (Source, {"name": "f", "delimiter": 5}),
    ],
)
def test_what_is_of_another_type_is_no_such_value(kind: type[Any], written: Any) -> None:
    with pytest.raises(TypeError):
        read(kind, written)


def test_a_whole_number_is_a_number() -> None:
    assert read(Split, {"share": 0}) == Split(share=0)
