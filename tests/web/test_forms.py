"""The form of a method: drawn from its schema, read back by type, in every language alike."""

import json
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from web import forms

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["reference"],
    "properties": {
        "reference": {"type": "string", "title": "Reference", "minLength": 1},
        "mode": {"type": "string", "enum": ["lora", "full"], "default": "lora", "title": "Mode", "x-level": "standard"},
        "rank": {"type": "integer", "default": 16, "minimum": 1, "maximum": 256, "x-group": "adapter",
                 "x-level": "expert", "x-visible-if": {"mode": "lora"}},
        "learning_rate": {"type": "number", "default": 0.00001, "exclusiveMinimum": 0, "maximum": 0.1,
                          "description": "How far each step goes", "x-group": "adapter", "x-level": "standard"},
        "shuffle": {"type": "boolean", "default": True},
        "answer": {"type": ["object", "null"], "default": None, "title": "Answer"},
        "bits": {"enum": [4, 8], "default": 8},
    },
}  # fmt: skip
DEFAULTS = {name: item["default"] for name, item in SCHEMA["properties"].items() if "default" in item}


def sent(*pairs: tuple[str, str]) -> MultiDict[str, str]:
    return MultiDict((forms.PREFIX + name, text) for name, text in pairs)


def as_a_browser_would(groups: list[forms.Group]) -> MultiDict[str, str]:
    """Every control of the form, also those that its level hides."""
    form: MultiDict[str, str] = MultiDict()
    for item in (item for group in groups for item in group.fields):
        if item.kind == "boolean":
            form.add(item.control, "false")
        if item.kind != "boolean" or item.value == "true":
            form.add(item.control, item.value)
    return form


def fields(groups: list[forms.Group]) -> dict[str, forms.Field]:
    return {item.name: item for group in groups for item in group.fields}


def test_groups_keep_the_order_of_the_schema_and_show_from_their_lowest_level() -> None:
    groups = forms.layout(SCHEMA, {"adapter": "Adapter"})
    assert [(group.name, group.title, group.level) for group in groups] == [
        ("basics", "basics", "guided"),
        ("adapter", "Adapter", "standard"),
    ]
    assert [item.name for item in groups[1].fields] == ["rank", "learning_rate"]


def test_each_type_becomes_its_control() -> None:
    kinds = {name: item.kind for name, item in fields(forms.layout(SCHEMA, {})).items()}
    assert kinds == {
        "reference": "text", "mode": "select", "rank": "integer", "learning_rate": "number", "shuffle": "boolean",
        "answer": "json", "bits": "select",
    }  # fmt: skip


def test_the_browser_is_told_the_range_and_never_a_narrower_one() -> None:
    drawn = fields(forms.layout(SCHEMA, {}))
    assert drawn["rank"].attributes == {"type": "number", "inputmode": "numeric", "step": 1, "min": 1, "max": 256}
    assert drawn["learning_rate"].attributes == {"type": "text", "inputmode": "decimal", "autocomplete": "off"}
    assert drawn["reference"].attributes["required"] is True


def test_a_condition_is_data_for_the_page() -> None:
    assert json.loads(fields(forms.layout(SCHEMA, {}))["rank"].visible_if) == {"mode": ["lora"]}


def test_an_untouched_form_gives_the_defaults_back() -> None:
    values, errors = forms.read(SCHEMA, as_a_browser_would(forms.layout(SCHEMA, {})))
    assert errors == {}
    assert values == DEFAULTS


def test_given_values_survive_the_round_trip() -> None:
    given = {"reference": " ü ", "mode": "full", "rank": 8, "learning_rate": 3e-7, "shuffle": False,
             "answer": {"type": "object", "é": [1]}, "bits": 4}  # fmt: skip
    values, errors = forms.read(SCHEMA, as_a_browser_would(forms.layout(SCHEMA, {}, given)))
    assert (values, errors) == (given, {})


@pytest.mark.parametrize(("text", "value"), [("0,001", 0.001), ("2,5", 2.5), ("-0,25", -0.25), ("0.001", 0.001)])
def test_a_decimal_comma_is_read_where_it_can_mean_nothing_else(text: str, value: float) -> None:
    assert forms.read(SCHEMA, sent(("learning_rate", text))) == ({"learning_rate": value}, {})


@pytest.mark.parametrize("value", [0.001, 1.125, 1000.5, 1.5e-7, -0.25])
@pytest.mark.parametrize("decimal", [".", ","])
def test_what_a_form_shows_in_the_readers_numbers_it_reads_back(value: float, decimal: str) -> None:
    drawn = forms.layout(SCHEMA, {}, {"learning_rate": value}, decimal=decimal)
    shown = fields(drawn)["learning_rate"]
    assert {".", ","} & set(shown.value) == {decimal}
    assert shown.attributes["type"] == "text"  # a number control would speak the browser's language
    assert forms.read(SCHEMA, as_a_browser_would(drawn), decimal)[0]["learning_rate"] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("0,001", 0.001), ("0.001", 0.001), ("1,000", 1.0), ("2.5", 2.5), ("1.000", None), ("1.0,5", None)],
)
def test_who_writes_commas_may_write_points_too_where_they_mean_no_thousand(text: str, value: float | None) -> None:
    read = ({}, {"learning_rate": "not_a_number"}) if value is None else ({"learning_rate": value}, {})
    assert forms.read(SCHEMA, sent(("learning_rate", text)), ",") == read


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("rank", "1.5", "not_an_integer"),
        ("rank", "1_000", "not_an_integer"),
        ("rank", "٣", "not_an_integer"),
        ("rank", "9" * 5000, "not_an_integer"),
        ("learning_rate", "1,000", "not_a_number"),  # one, or a thousand?
        ("learning_rate", "1,000.5", "not_a_number"),
        ("learning_rate", "nan", "not_a_number"),
        ("learning_rate", "1e999", "not_a_number"),
        ("mode", "dora", "not_a_choice"),
        ("bits", "4.0", "not_a_choice"),
        ("shuffle", "yes", "not_a_choice"),
        ("answer", "{", "not_json"),
        ("answer", "NaN", "not_json"),
        ("answer", "[" * 100_000, "not_json"),
    ],
)
def test_a_text_of_another_type_is_named_and_left_out(name: str, text: str, code: str) -> None:
    assert forms.read(SCHEMA, sent((name, text))) == ({}, {name: code})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("learning_rate", "1e-3", 0.001), ("learning_rate", "2", 2.0), ("rank", " 7 ", 7), ("rank", "0", 0),
     ("bits", "4", 4)],
)  # fmt: skip
def test_numbers_are_read_and_their_range_is_left_to_the_service(name: str, text: str, value: object) -> None:
    assert forms.read(SCHEMA, sent((name, text))) == ({name: value}, {})


def test_what_is_empty_or_was_not_sent_is_left_to_the_schema() -> None:
    assert forms.read(SCHEMA, sent(("rank", ""), ("reference", ""))) == ({}, {})
    assert forms.read(SCHEMA, sent()) == ({}, {})
    assert forms.read(SCHEMA, sent(("answer", ""))) == ({"answer": None}, {})


def test_an_emptied_checkbox_is_false() -> None:
    assert forms.read(SCHEMA, sent(("shuffle", "false"))) == ({"shuffle": False}, {})
    assert forms.read(SCHEMA, sent(("shuffle", "false"), ("shuffle", "true"))) == ({"shuffle": True}, {})


def test_a_wrong_form_comes_back_as_it_was_typed() -> None:
    form = sent(("learning_rate", "ten"), ("answer", "{"))
    values, errors = forms.read(SCHEMA, form)
    drawn = fields(forms.layout(SCHEMA, {}, {**DEFAULTS, **values, **forms.texts(SCHEMA, form)}, errors))
    assert (drawn["learning_rate"].value, drawn["learning_rate"].error) == ("ten", "not_a_number")
    assert drawn["learning_rate"].attributes["type"] == "text"  # A number control would show it as empty.
    assert (drawn["answer"].value, drawn["answer"].error) == ("{", "not_json")
