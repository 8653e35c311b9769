"""The sample data of the shipped cases: made again byte for byte, held-out rows apart, each answer of its own form."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import case_plans
import jsonschema
import pytest
from case_plans import FOLDERS, rows

each_case = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
CASES = {folder.name: folder for folder in FOLDERS}
QUESTIONS = {
    "assay_notes": "Turn this assay note into a JSON record: ",
    "design_briefs": "Turn this design brief into a requirement sheet (JSON): ",
    "alloy_processing": "Turn this processing note into a property table (JSON, SI units): ",
    "customer_mails": "Sort this customer mail (JSON): ",
}
each_of_ours = pytest.mark.parametrize("name", QUESTIONS)


def answers(name: str, part: str) -> list[tuple[str, dict[str, Any]]]:
    """What is asked about, and the answer as it is read."""
    found = rows(CASES[name], f"{part}.jsonl")
    return [(row["prompt"].removeprefix(QUESTIONS[name]), json.loads(row["completion"])) for row in found]


def both(name: str) -> list[tuple[str, dict[str, Any]]]:
    return [*answers(name, "train"), *answers(name, "test")]


@each_case
def test_the_generator_gives_the_very_files(folder: Path, tmp_path: Path) -> None:
    runpy.run_path(str(folder / "generate.py"))["write"](tmp_path)
    kept = {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.jsonl")} == kept
    assert {"train.jsonl", "test.jsonl"} <= set(kept)


@each_case
def test_held_out_rows_are_enough_and_apart(folder: Path) -> None:
    data = case_plans.read(folder).source["dataset"]
    train, test = ([row["prompt"] for row in rows(folder, data[part])] for part in ("train", "test"))
    assert len(train) >= 250
    assert len(test) >= 64
    assert len({*train, *test}) == len(train) + len(test)  # none twice, none in both parts


@each_case
def test_every_expected_answer_follows_the_schema(folder: Path) -> None:
    plan = case_plans.read(folder)
    schemas = [schema for step in plan.of_kind("evaluate") if (schema := step.parameters.get("schema"))]
    for schema in schemas:
        checker = jsonschema.Draft202012Validator(schema)
        for part in ("train", "test"):
            for row in rows(folder, plan.source["dataset"][part]):
                checker.validate(json.loads(row["completion"]))
        with pytest.raises(jsonschema.ValidationError):
            checker.validate({"nothing": "of it"})


@each_of_ours
def test_no_sentence_is_in_both_parts(name: str) -> None:
    def sentences(part: str) -> set[str]:
        found = (re.split(r"(?<=[.!?:])\s+|(?<=[。！？，])", text) for text, _ in answers(name, part))
        return {one.strip() for text in found for one in text if len(one.strip()) > 12}

    train, test = sentences("train"), sentences("test")
    assert len(train) > 40 and len(test) > 15
    assert not train & test


@each_of_ours
def test_every_class_of_answer_is_learned_and_tested(name: str) -> None:
    schema = case_plans.read(CASES[name]).of_kind("evaluate")[0].parameters["schema"]
    for field, form in schema["properties"].items():
        if field in ("unit", "finish", "quench"):  # not every one of these occurs with what is held out
            assert {record[field] for _, record in answers(name, "test")} <= set(form["enum"])
        elif "enum" in form:
            for part in ("train", "test"):
                assert {record[field] for _, record in answers(name, part)} == set(form["enum"])


def test_assay_notes_say_what_their_records_do() -> None:
    spelled = {"nM": "nM|nanomolar", "µM": "µM|uM|micromolar", "mM": "mM"}
    for note, record in both("assay_notes"):
        assert record["target"] in note and record["compound"] in note and record["readout"] in note
        assert re.search(rf"\b{record['concentration']} (?:{spelled[record['unit']]})\b", note), note
        if record["readout"] == "DSF":
            assert record["unit"] != "nM"
    held_out = {record["target"] for _, record in answers("assay_notes", "test")}
    assert not held_out & {record["target"] for _, record in answers("assay_notes", "train")}


def test_design_briefs_say_what_their_sheets_do() -> None:
    for brief, sheet in both("design_briefs"):
        assert sheet["material"] in brief and sheet["norm"] in brief
        size = re.search(r"(\d+) (?:x|by) (\d+) (?:x|by) (\d+) (mm|cm)", brief)
        load = re.search(r"([\d.]+) (k?N)\b", brief)
        assert size and load
        assert [int(one) * {"mm": 1, "cm": 10}[size[4]] for one in size.groups()[:3]] == sheet["dimensions_mm"]
        assert round(float(load[1]) * {"N": 1, "kN": 1000}[load[2]]) == sheet["load_n"]
    norms = [{sheet["norm"] for _, sheet in answers("design_briefs", part)} for part in ("train", "test")]
    assert not norms[0] & norms[1]


def test_alloy_tables_hold_what_the_notes_say_in_si_units() -> None:
    for note, table in both("alloy_processing"):
        heat, hold = re.search(r"(\d+) (°C|K)\b", note), re.search(r"(\d+) (min|h)\b", note)
        strength, percent = re.search(r"([\d.]+) ([MG]Pa)", note), re.search(r"([\d.]+) (?:wt)?%", note)
        assert heat and hold and strength and percent
        assert int(heat[1]) + {"°C": 273, "K": 0}[heat[2]] == table["heat_k"]
        assert int(hold[1]) * {"min": 60, "h": 3600}[hold[2]] == table["hold_s"]
        assert round(float(strength[1]) * {"MPa": 1, "GPa": 1000}[strength[2]]) == table["strength_mpa"]
        assert float(percent[1]) == table["mass_percent"]
        assert table["alloy"] in note and table["quench"] in note
    alloys = [{table["alloy"] for _, table in answers("alloy_processing", part)} for part in ("train", "test")]
    assert not alloys[0] & alloys[1]


def test_a_reply_asks_for_the_number_just_where_a_mail_lacks_it() -> None:
    for mail, keys in both("customer_mails"):
        has_number = re.search(r"\d{5}", mail) is not None
        assert (keys["reply"] == "ask_order_number") == (not has_number and keys["category"] != "account"), mail
    for part in ("train", "test"):
        mails = [mail for mail, _ in answers("customer_mails", part)]
        assert 3 * sum(bool(re.search("[一-鿿]", mail)) for mail in mails) == len(mails)
