"""The checks of an evaluation: strict JSON, a schema, the expected answer."""

import importlib.util
from pathlib import Path

import pytest
from kit.events import Refusal

_SPEC = importlib.util.spec_from_file_location("scores", Path(__file__).parents[2] / "methods/evaluate/scores.py")
assert _SPEC and _SPEC.loader
scores = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(scores)

SCHEMA = {"type": "object", "required": ["priority"], "properties": {"priority": {"enum": ["high", "low"]}}}


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
    assert scores.schema_check(SCHEMA)(answer) is valid


def test_no_schema_is_no_check_and_a_wrong_one_is_refused() -> None:
    assert scores.schema_check(None) is None
    assert scores.schema_check({}) is None
    with pytest.raises(Refusal) as refused:
        scores.schema_check({"type": "cake"})
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
    assert scores.same(answer, expected) is same
