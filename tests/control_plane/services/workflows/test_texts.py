"""Workflows as YAML and JSON: what is read is what was written, and no text can hurt."""

from __future__ import annotations

import json
import string
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from control_plane.domain import errors
from control_plane.domain.workflows import reading, spec
from control_plane.services.workflows import texts

_LETTERS = some.characters(blacklist_categories=("Cs", "Cc"))
_NAMES = some.text(string.ascii_lowercase, min_size=1, max_size=8).map(lambda text: f"p_{text}")
_SCALARS = (
    some.none()
    | some.booleans()
    | some.integers(-(2**53), 2**53)
    | some.floats(allow_nan=False, allow_infinity=False, width=32)
    | some.text(_LETTERS, max_size=12).filter(lambda text: "${" not in text)
    | some.sampled_from(["no", "on", "1e-4", "0x1f", "12:30", "~", "null", "true", "2026-01-01", "", " a", "#", "- b"])
)
_VALUES = some.recursive(
    _SCALARS, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(_NAMES, inner, max_size=3), max_leaves=8
)
_STEPS = some.builds(
    lambda parameters, retry, at_least, title: {
        "name": "train",
        "method": "sft",
        "title": title,
        "parameters": parameters,
        "retry": retry,
        "gate": [{"evaluation": "exam.marks", "at_least": at_least}],
    },
    some.dictionaries(_NAMES, _VALUES, max_size=4),
    some.none() | some.builds(lambda times: {"times": times}, some.integers(1, 10)),
    some.floats(-1, 1),
    some.text(_LETTERS, max_size=20).filter(lambda text: "${" not in text),
)
_SPECS = some.builds(
    lambda step, title, default, axis: {
        "name": "notes",
        "title": title,
        "parameters": {"rate": {"type": "number", "default": default}},
        "matrix": {"base": axis},
        "steps": [step, {"name": "exam", "method": "score", "parameters": {"base": "${base}"}}],
    },
    _STEPS,
    some.text(_LETTERS, max_size=20),
    some.floats(-1e6, 1e6),
    some.lists(_VALUES, min_size=1, max_size=3),
)


@given(_SPECS)
@settings(max_examples=150)
def test_a_form_yaml_and_json_say_the_same(data: dict[str, Any]) -> None:
    found = reading.parse(data)
    for form in texts.FORMS:
        again = texts.read(texts.write(found, form)).spec
        assert again == found
        assert spec.digest(again) == spec.digest(found)
        assert texts.write(again, form) == texts.write(found, form)


TEXT = """\
# what a colleague wrote
name: notes
parameters:
  rate: {type: number, default: 1e-4}
steps:
- name: data
  kind: data
  dataset: on
- name: train
  method: sft
  title: no
  inputs:
    dataset: data.dataset
  parameters:
    rate: ${rate}
    note: "12"
    long: |
      two
      lines
"""


def test_yaml_is_read_as_its_writers_mean_it() -> None:
    found = texts.read(TEXT).spec
    assert found.parameters["rate"].default == 0.0001
    assert found.steps[0]["dataset"] == "on"
    assert found.steps[1]["title"] == "no"
    assert found.steps[1]["parameters"] == {"rate": "${rate}", "note": "12", "long": "two\nlines\n"}


@pytest.mark.parametrize(
    ("old", "new", "error", "line"),
    [
        ("title: no", "titel: no", errors.WorkflowKeyUnknown, 11),
        ("dataset: data.dataset", "dataset: rows.dataset", errors.WorkflowStepUnknown, 13),
        ("  method: sft\n", "", errors.WorkflowKeyMissing, 9),
        ("default: 1e-4", "default: quick", errors.WorkflowValueUnfit, 4),
        ("  title: no", "  title: [no", errors.WorkflowUnreadable, 12),
        ("  title: no", "  name: again", errors.WorkflowUnreadable, 11),  # twice the same key
        ("  title: no", "  title: !!python/object:os.system no", errors.WorkflowUnreadable, 11),
        ("  title: no", "  title: *other", errors.WorkflowUnreadable, 11),
        ("  title: no", "  title: 1e999", errors.WorkflowUnreadable, 11),
        ("name: notes", "name: notes\n---\nname: others", errors.WorkflowUnreadable, 3),
        ("name: notes", "name: \x07", errors.WorkflowUnreadable, 1),
        (TEXT, "", errors.WorkflowUnreadable, 1),
        (TEXT, "\tname: notes", errors.WorkflowUnreadable, 1),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, error: type[Exception], line: int) -> None:
    with pytest.raises(error) as refused:
        texts.read(TEXT.replace(old, new, 1))
    assert refused.value.params["line"] == line  # type: ignore[attr-defined]


def test_an_anchor_repeats_what_it_names() -> None:
    text = TEXT.replace("{type: number, default: 1e-4}", "&it {type: number, default: 1e-4}\n  other: *it")
    found = texts.read(text).spec
    assert found.parameters["other"].default == found.parameters["rate"].default


@pytest.mark.parametrize(
    "text",
    [
        "a" * (texts.LONGEST + 1),
        "[" * 50_000,
        "- " * 40_000,
        "a: " + "{b: " * 5_000,
        "\n".join(["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]),
        "&a [*a]",
        "{" + ", ".join(f"p{n}: &a{n} {'[' * 24}{f'*a{n - 1}' if n else 1}{']' * 24}" for n in range(26)) + "}",
        "[&a " + "x" * 60_000 + ", *a, *a]",
        r'name: "\UFFFFFFFF"',
        json.dumps({"name": "notes", "steps": [{"name": "x"}] * 9_000}),
    ],
)
def test_no_text_costs_much(text: str) -> None:
    begun = time.monotonic()
    with pytest.raises(errors.WorkflowInvalid):
        texts.read(text)
    assert time.monotonic() - begun < 30  # seconds, also on a machine that does much else


def test_the_line_of_what_is_missing_is_that_of_where_it_would_stand() -> None:
    line = texts.read(TEXT).line
    assert (line(("steps", 1, "inputs", "dataset")), line(("steps", 1, "gate"))) == (13, 9)
