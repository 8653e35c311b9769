"""Rows that a model has made: known by their mark wherever they go, and never held out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain import generated
from control_plane.domain.datasets import Scan, held_out

MARK = {"by": "deployment faults", "key": "00", "version": 1, "row": 1, "model": "h"}


def pair(number: int, **more: Any) -> dict[str, Any]:
    return {"prompt": f"p{number}", "completion": f"c{number}", **more}


def scanned(rows: list[dict[str, Any]], **options: Any) -> Scan:
    scan = Scan("train.jsonl", 10_000, **options)
    for row in rows:
        scan.take(json.dumps(row).encode())
    return scan


def variation(of: dict[str, Any], number: int) -> dict[str, Any]:
    return generated.marked(pair(number), scanned([of]).keys[0], 7, 3, "deployment faults", "h")


@pytest.mark.parametrize(
    ("value", "is_mark"),
    [
        *((value, True) for value in (True, MARK, json.dumps(MARK), "true", " Yes ", "WAHR", "是", 1, 1.0, "1", "1.0")),
        *((value, False) for value in (False, "false", "nein", 0, "0.0", "", " ", None, {})),
    ],
)
def test_what_is_a_mark(value: object, is_mark: bool) -> None:
    assert (generated.mark_of(pair(1, generated=value)) is not None) == is_mark
    assert scanned([pair(1, generated=value)]).facts()["generated"] == is_mark


@pytest.mark.parametrize("value", ["maybe", "2026-01-05", 2, {"by": 3}, ["yes"], '{"a":' * 1300, '{"by": 3}'])
def test_what_is_not_understood_is_refused_and_not_taken_for_a_persons(value: object) -> None:
    scan = scanned([pair(1), pair(2, generated=value)])
    assert scan.problem is not None and scan.problem.code == "row_field_type_wrong"
    assert (scan.problem.params["line"], scan.problem.params["field"]) == (2, "generated")
    assert generated.mark_of(pair(1, generated=value)) is None


@given(st.sets(st.integers(0, 19)), st.floats(0.05, 0.5), st.integers(0, 99))
def test_neither_a_made_row_nor_its_source_is_held_out(sources: set[int], share: float, seed: int) -> None:
    rows = [pair(number) for number in range(20)]
    rows += [variation(rows[number], 100 + number) for number in sources]
    scan = scanned(rows)
    chosen = held_out(scan.groups, share, seed, scan.never_held_out())
    assert not {number for number in chosen if number >= 20 or number in sources}
    assert bool(chosen) == (len(sources) < 19)


def test_of_compared_answers_all_about_its_question_stay_together() -> None:
    rows: list[dict[str, Any]] = [{"prompt": f"p{n % 5}", "chosen": f"a{n}", "rejected": "b"} for n in range(20)]
    rows[7]["generated"] = True
    scan = scanned(rows)
    for seed in range(30):
        assert not {2, 7, 12, 17} & held_out(scan.groups, 0.4, seed, scan.never_held_out())


def test_a_held_out_file_with_a_made_row_is_refused() -> None:
    problem = scanned([pair(1), pair(2, generated=MARK)], examines=True).problem
    assert problem is not None and problem.code == "row_generated" and problem.params["line"] == 2


@pytest.mark.parametrize("key", [None, "no hex", 5, ""])
def test_a_mark_of_nowhere_names_no_source(key: object) -> None:
    assert generated.source_of(MARK | {"key": key}) == b""


def test_a_line_in_its_place_keeps_the_mark() -> None:
    old, new = (json.dumps(row).encode() + b"\n" for row in (pair(1, generated=MARK), pair(2)))
    assert json.loads(generated.kept(old, new)) == pair(2, generated=MARK)
    assert generated.kept(new, new) == new
    assert generated.kept(json.dumps(pair(1, generated="no")).encode(), new) == new
