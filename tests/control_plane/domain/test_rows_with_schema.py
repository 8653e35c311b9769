"""Questions with the form of their answers: recognised, mapped, and named where the form is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from control_plane.domain import columns, mapping
from control_plane.domain.datasets import Scan
from control_plane.domain.errors import RowFieldEmpty, RowFieldTypeWrong
from control_plane.domain.preparation import Column, Mapping
from control_plane.domain.rows import SCHEMA, answer, recognise

FORM = {"type": "object", "required": ["part"]}
ROW = {"prompt": "What broke?", "schema": FORM}


def scanned(row: dict[str, Any]) -> dict[str, Any]:
    scan = Scan("f.jsonl", 1 << 20)
    line = scan.take(json.dumps(row).encode() + b"\n")
    if scan.problem:
        raise scan.problem
    assert scan.format == SCHEMA
    return json.loads(line)


def test_a_schema_is_kept_as_the_object_that_it_is() -> None:
    assert scanned(ROW) == ROW
    assert scanned(ROW | {"schema": json.dumps(FORM)}) == ROW
    assert answer(SCHEMA, ROW) is None
    assert recognise(ROW | {"completion": "The seal."}) == "prompt_completion"


def test_a_column_of_schemas_beside_a_question_suggests_itself() -> None:
    record = {"Frage": "Was ist kaputt?", "Schema": json.dumps(FORM)}
    given = [Column(name, columns.TEXT, 1) for name in record]
    found = mapping.propose(given, [record])
    assert found == Mapping(SCHEMA, {"prompt": ["Frage"], "schema": ["Schema"]})
    assert mapping.apply(found, record) == {"prompt": "Was ist kaputt?", "schema": FORM}
    assert mapping.propose(given, [record | {"Schema": "gothic"}]).format != SCHEMA
    with pytest.raises(RowFieldTypeWrong) as problem:
        mapping.apply(found, record | {"Schema": "gothic"})
    assert problem.value.params["field"] == "Schema"


@pytest.mark.parametrize(
    ("schema", "problem"), [("{", RowFieldTypeWrong), ([FORM], RowFieldTypeWrong), ({}, RowFieldEmpty)]
)
def test_what_is_no_schema_is_named(schema: Any, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        scanned({"prompt": "What broke?", "schema": schema})
