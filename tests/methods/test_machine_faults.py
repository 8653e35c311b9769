"""The sample rows of the machine faults: no sentence in both parts, and each row is said in each language."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CASE = ROOT / "control_plane" / "cases" / "machine_faults"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASE / name).read_text(encoding="utf-8").splitlines()]


def sentences(name: str) -> set[str]:
    prefix = "Turn this report into a JSON record: "
    reports = [row["prompt"].removeprefix(prefix) for row in rows(name)]
    return {sentence.strip(" .") for report in reports for sentence in report.split(". ")}


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
