"""The metrics of an evaluation: strict JSON by a schema, the expected answer, own checks; how long an answer may be."""

import importlib.util
from typing import Any

import pytest
from kit import lengths
from kit.datasets import Row
from kit.events import Refusal

from method_support import METHODS


def loaded(name: str) -> Any:
    """A module of the method."""
    spec = importlib.util.spec_from_file_location(name, METHODS / "evaluate" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scores = loaded("scores")

SCHEMA = {"type": "object", "required": ["priority"], "properties": {"priority": {"enum": ["high", "low"]}}}


def scored(answer: str, expected: str = "", *given: Any) -> dict[str, float]:
    found: dict[str, float] = scores.Measures(*given).of(answer, Row([{"role": "user", "content": "?"}], expected))
    return found


@pytest.mark.parametrize(
    ("answer", "valid"),
    [
        ('{"priority": "high"}', True),
        (' \n{"priority": "low"}\n', True),
        ('{"priority": "urgent"}', False),
        ('Here it is: {"priority": "high"}', False),
        ('{"priority": "high"} and more', False),
        ('{"priority": "high", "priority": "low"}', False),
        ('{"priority": "high", "x": NaN}', False),
        ("[" * 100_000, False),
        ("", False),
    ],
)
def test_schema_valid_is_strict(answer: str, valid: bool) -> None:
    assert scored(answer, "", SCHEMA)["schema_valid"] == valid


def test_no_schema_is_no_check_and_a_wrong_one_is_refused() -> None:
    assert scores.Measures(None).names == scores.Measures({}).names == ["exact_match"]
    with pytest.raises(Refusal) as refused:
        scores.Measures({"type": "cake"})
    assert refused.value.code == "schema_invalid"


@pytest.mark.parametrize(
    ("answer", "expected", "same"),
    [
        ('{"a": 1, "b": "x"}', '{"b":"x","a":1}', True),
        ('{"a": 1}', '{"a": 2}', False),
        ("  yes ", "yes", True),
        ("yes", "no", False),
        ('{"a": 1', '{"a": 1}', False),
    ],
)
def test_exact_match_compares_values_and_otherwise_text(answer: str, expected: str, same: bool) -> None:
    assert scored(answer, expected, None)["exact_match"] == same


def test_own_checks_are_metrics_beside_the_fixed_ones() -> None:
    asked = [{"check": "json_fields"}, {"check": "contains", "parameters": {"texts": ["a"]}}]
    found = scored('{"a": 1, "b": 2}', '{"a": 1, "b": 3}', SCHEMA, asked)
    assert found == {"schema_valid": 0, "exact_match": 0, "json_fields": 0.5, "contains": 1}
    assert list(found) == scores.Measures(SCHEMA, asked).names


@pytest.mark.parametrize(
    ("asked", "expected", "limit"),
    [
        (0, [], 64),
        (0, [3, 20], 64),
        (0, [48, 50, 12], 100),
        (0, [60, 90], 180),  # of two tokenizers: the longer spelling decides for both
        (0, [9000], 8192),
        (64, [48, 90], 64),
        (8, [48], 8),
    ],
)
def test_an_answer_may_be_twice_as_long_as_the_longest_expected_one(
    asked: int, expected: list[int], limit: int
) -> None:
    assert lengths.limit(asked, expected) == limit


def test_an_answer_without_an_end_was_cut() -> None:
    assert lengths.is_cut([5, 6, 7], [2])
    assert not lengths.is_cut([5, 6, 2], [2])
    assert not lengths.is_cut([5, 2, 0, 0], [1, 2])  # ended, then padded while the others of its batch went on
    assert lengths.is_cut([5, 6, 7], [])
