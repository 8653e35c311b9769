"""The shipped case: its data can be made again byte for byte, and its test part shares no sentence with training."""

import json
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).parents[2]
CASE = ROOT / "control_plane" / "cases" / "machine_faults"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASE / name).read_text(encoding="utf-8").splitlines()]


def sentences(name: str) -> set[str]:
    prefix = "Turn this report into a JSON record: "
    reports = [row["prompt"].removeprefix(prefix) for row in rows(name)]
    return {sentence.strip(" .") for report in reports for sentence in report.split(". ")}


def test_generation_is_reproducible(tmp_path: Path) -> None:
    runpy.run_path(str(CASE / "generate.py"))["write"](tmp_path)
    names = [f"{part}{locale}.jsonl" for part in ("train", "test") for locale in ("", ".de", ".zh")]
    assert sorted(names) == sorted(path.name for path in CASE.glob("*.jsonl"))
    for name in names:
        assert (tmp_path / name).read_bytes() == (CASE / name).read_bytes()


def test_no_sentence_is_in_both_parts() -> None:
    train, test = sentences("train.jsonl"), sentences("test.jsonl")
    assert len(train) > 300
    assert len(test) > 60
    assert not train & test


@pytest.mark.parametrize("locale", ["de", "zh"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_each_row_is_said_in_each_language(part: str, locale: str) -> None:
    """The same machine number, and no word of the English wordings; that it means the same, a person has read."""
    english, said = rows(f"{part}.jsonl"), rows(f"{part}.{locale}.jsonl")
    assert len(said) == len(english)
    machines = {"Roboter", "Motor", "Sensor", "Filter"}  # words that the languages share
    for row, reading in zip(english, said, strict=True):
        for name in ("prompt", "completion"):
            assert re.findall(r"[0-9]+", reading[name]) == re.findall(r"[0-9]+", row[name])
        shared = set(re.findall(r"[A-Za-zäöüß]{4,}", row["prompt"])) & set(
            re.findall(r"[A-Za-zäöüß]{4,}", reading["prompt"])
        )
        assert {word.lower() for word in shared - {"JSON"}} <= {word.lower() for word in machines}
    assert len({reading["prompt"] for reading in said}) > 0.97 * len(said)  # a few wordings fall together


def step(case: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in case["steps"] if one["name"] == name)


def test_every_expected_answer_follows_the_schema() -> None:
    case = tomllib.loads((CASE / "case.toml").read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator(step(case, "evaluate")["parameters"]["schema"])
    answers = [row["completion"] for name in ("train.jsonl", "test.jsonl") for row in rows(name)]
    assert len(answers) == 364
    for answer in answers:
        checker.validate(json.loads(answer))
