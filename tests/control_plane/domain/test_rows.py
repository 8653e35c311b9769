"""Formats: how a row's is recognised, and rows that say which answer is better, in each of the shapes they come in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from control_plane.domain.datasets import Scan, held_out
from control_plane.domain.rows import FORMATS, recognise
from control_plane.domain.terms import TERMS

ASKED = {"role": "user", "content": "q"}
RULE = {"role": "system", "content": "s"}
GOOD = {"role": "assistant", "content": "a"}
BAD = {"role": "assistant", "content": "b"}


def taken(*rows: dict[str, Any], format: str = "") -> tuple[Scan, list[dict[str, Any]]]:
    scan = Scan("rows.jsonl", 10_000, format)
    stored = [scan.take(json.dumps(row).encode()) for row in rows]
    return scan, [json.loads(line) for line in stored if line]


@pytest.mark.parametrize(
    ("row", "format"),
    [
        ({"messages": []}, "chat"),
        ({"prompt": "", "completion": "", "source": ""}, "prompt_completion"),
        ({"prompt": "", "chosen": "", "rejected": ""}, "preference"),
        ({"chosen": [], "rejected": []}, "preference"),
        ({"prompt": "", "completion": "", "label": False}, "unpaired_preference"),
        ({"prompt": "", "completion": "", "label": 1}, "unpaired_preference"),  # then refused, not taken for good
        ({"prompt": "", "completion": "", "label": "True"}, "unpaired_preference"),
        ({"messages": [], "label": True}, "unpaired_preference"),
        ({"prompt": "", "completion": "", "label": "bearing"}, "prompt_completion"),
        ({"text": ""}, "text"),
        ({"prompt": ""}, ""),
    ],
)
def test_formats_are_recognised_by_their_fields(row: dict[str, object], format: str) -> None:
    assert recognise(row) == format


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {"prompt": "q", "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [ASKED], "chosen": "a", "rejected": [BAD]},
        {"prompt": "q", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"prompt": [ASKED], "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"chosen": [RULE, ASKED, GOOD], "rejected": [RULE, ASKED, BAD]},
    ],
)
def test_each_usual_shape_of_a_pair_is_kept_as_two_texts(row: dict[str, Any]) -> None:
    scan, (kept,) = taken(row)
    assert (scan.format, kept["chosen"], kept["rejected"]) == ("preference", "a", "b")
    assert kept["prompt"] in ("q", [ASKED], [RULE, ASKED])
    assert scan.facts()["objects"] == 0


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "completion": "a", "label": True},
        {"prompt": [RULE, ASKED], "completion": [GOOD], "label": True},
        {"messages": [RULE, ASKED, GOOD], "label": True},
    ],
)
def test_each_usual_shape_of_a_judged_answer_is_kept_as_one(row: dict[str, Any]) -> None:
    scan, (kept,) = taken(row)
    assert scan.format == "unpaired_preference"
    assert kept == {"prompt": kept["prompt"], "completion": "a", "label": True}
    assert kept["prompt"] in ("q", [RULE, ASKED])


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ({"chosen": "a", "rejected": "b"}, "row_field_missing", "prompt"),
        ({"prompt": "q", "chosen": "a", "rejected": " a"}, "row_answers_same", None),
        ({"prompt": [], "chosen": "a", "rejected": "b"}, "row_field_empty", "prompt"),
        ({"prompt": {"q": 1}, "chosen": "a", "rejected": "b"}, "row_field_not_text", "prompt"),
        ({"prompt": [ASKED, GOOD], "chosen": "a", "rejected": "b"}, "row_prompt_ends_wrong", None),
        ({"prompt": [{"role": "user"}], "chosen": "a", "rejected": "b"}, "row_field_missing", "prompt[0].content"),
        ({"prompt": "q", "chosen": [ASKED], "rejected": [BAD]}, "row_ends_wrong", None),
        ({"prompt": "q", "chosen": [{**GOOD, "role": "robot"}], "rejected": "b"}, "row_role_unknown", None),
        ({"prompt": "other", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}, "row_beginnings_differ", None),
        ({"chosen": [ASKED, GOOD], "rejected": [RULE, ASKED, BAD]}, "row_beginnings_differ", None),
        ({"prompt": "q", "chosen": [ASKED, GOOD], "rejected": "b"}, "", None),
        ({"prompt": "q", "completion": "a", "label": 1}, "row_field_type_wrong", "label"),
        ({"prompt": "q", "completion": "a", "label": "true"}, "row_field_type_wrong", "label"),
        ({"prompt": "q", "completion": "", "label": True}, "row_field_empty", "completion"),
    ],
)
def test_a_faulty_pair_or_judgement_says_what_is_wrong(row: dict[str, Any], code: str, field: str | None) -> None:
    scan, kept = taken(row)
    found = (scan.problem.code, scan.problem.params.get("field")) if scan.problem else ("", None)
    assert found == (code, field)
    assert len(kept) == (not code)
    assert "?" not in str(scan.problem)


def test_an_answer_that_is_a_list_of_objects_is_no_messages() -> None:
    scan, (kept,) = taken({"prompt": "q", "chosen": [{"role": "fitter"}], "rejected": "b"})
    assert json.loads(kept["chosen"]) == [{"role": "fitter"}]
    assert scan.facts()["objects"] == 1


def test_what_a_model_is_to_write_gives_the_structure_and_the_good_are_counted() -> None:
    scan, _ = taken(
        {"prompt": "q", "completion": {"part": "pump"}, "label": True},
        {"prompt": "q", "completion": "I do not know.", "label": False},
    )
    facts = scan.facts()
    assert (facts["good"], facts["duplicates"]) == (1, 0)
    assert facts["answer_schema"]["required"] == ["part"]


def test_answers_to_one_question_stay_on_one_side_of_the_split() -> None:
    rows = [{"prompt": f"q{number % 10}", "chosen": f"a{number}", "rejected": "b"} for number in range(40)]
    scan, _ = taken(*rows)
    chosen = held_out(scan.groups, 0.2, 42)
    asked = {number % 10 for number in chosen}
    assert (len(asked), len(chosen)) == (2, 8)
    assert len(set(scan.keys)) == 40


def test_each_format_has_its_word() -> None:
    assert set(FORMATS) <= set(TERMS)
