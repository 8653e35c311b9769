"""Specs of workflows: what is refused, and where."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from control_plane.domain import errors
from control_plane.domain.workflows import reading, spec

GOOD: dict[str, Any] = {
    "name": "notes",
    "title": "Notes → records",
    "parameters": {"rate": {"type": "number", "default": 0.001, "minimum": 0, "maximum": 1}},
    "matrix": {"base": ["small", "large"]},
    "steps": [
        {"name": "data", "kind": "data", "dataset": "notes@2"},
        {"name": "bring", "method": "import", "parameters": {"reference": "${base}"}},
        {
            "name": "train",
            "method": "sft",
            "inputs": {"base": "bring.model", "dataset": "data.dataset"},
            "parameters": {"rate": "${rate}"},
            "retry": {"times": 2, "after": "any"},
            "gate": {"evaluation": "exam.marks", "verdict": "better"},
        },
        {"name": "exam", "method": "score", "inputs": {"candidate": "bring.model"}, "when": {"rate": [0.001, 0.01]}},
    ],
}


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    place: Any = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return data


def test_a_spec_says_again_what_it_was_made_of() -> None:
    found = reading.parse(GOOD)
    assert spec.as_data(found) == GOOD
    assert reading.parse(spec.as_data(found)) == found
    turned = {key: GOOD[key] for key in reversed(GOOD)}
    assert spec.digest(reading.parse(turned)) == spec.digest(found)
    assert spec.digest(reading.parse(changed(("title",), "other"))) != spec.digest(found)


@pytest.mark.parametrize(
    ("data", "error", "place"),
    [
        ([], errors.WorkflowValueUnfit, "workflow"),
        (changed(("colour",), "green"), errors.WorkflowKeyUnknown, "colour"),
        ({"steps": []}, errors.WorkflowKeyMissing, "workflow"),
        (changed(("name",), "A B"), errors.WorkflowValueUnfit, "name"),
        (changed(("steps",), []), errors.WorkflowKeyMissing, "workflow"),
        (changed(("title",), "a\x00b"), errors.WorkflowValueUnfit, "title"),
        (changed(("parameters", "rate", "type"), "float"), errors.WorkflowValueUnfit, "parameters.rate.type"),
        (changed(("parameters", "rate", "default"), 2), errors.WorkflowValueUnfit, "parameters.rate.default"),
        (changed(("parameters", "rate", "choices"), ["a"]), errors.WorkflowValueUnfit, "parameters.rate.choices"),
        (changed(("parameters", "Rate"), {"type": "string"}), errors.WorkflowValueUnfit, "parameters.Rate"),
        (changed(("matrix", "base"), []), errors.WorkflowValueUnfit, "matrix.base"),
        (changed(("matrix", "rate"), [1]), errors.WorkflowStepTwice, "matrix.rate"),
        (changed(("steps", 2, "nmae"), "x"), errors.WorkflowKeyUnknown, "steps.train.nmae"),
        (changed(("steps", 2, "name"), "Train"), errors.WorkflowValueUnfit, "steps.Train.name"),
        (changed(("steps", 2, "name"), "data"), errors.WorkflowStepTwice, "steps.data.name"),
        (changed(("steps", 2, "kind"), "deploy"), errors.WorkflowKeyMissing, "steps.train"),
        (changed(("steps", 0, "kind"), "dance"), errors.WorkflowValueUnfit, "steps.data.kind"),
        (changed(("steps", 2, "dataset"), "notes"), errors.WorkflowValueUnfit, "steps.train.dataset"),
        (changed(("steps", 2, "inputs", "base"), "bring"), errors.WorkflowValueUnfit, "steps.train.inputs.base"),
        (changed(("steps", 2, "inputs", "base"), "get.model"), errors.WorkflowStepUnknown, "steps.train.inputs.base"),
        (changed(("steps", 2, "parameters", "rate"), "${v}"), errors.WorkflowReferenceUnknown, "steps.train.parameters"),  # noqa: E501
        (changed(("steps", 2, "gate", "verdict"), "superb"), errors.WorkflowValueUnfit, "steps.train.gate.verdict"),
        (changed(("steps", 2, "gate", "margin"), "wide"), errors.WorkflowValueUnfit, "steps.train.gate.margin"),
        (changed(("steps", 2, "gate", "when"), 1), errors.WorkflowKeyUnknown, "steps.train.gate.when"),
        (changed(("steps", 2, "retry", "times"), 0), errors.WorkflowValueUnfit, "steps.train.retry.times"),
        (changed(("steps", 2, "retry", "after"), "never"), errors.WorkflowValueUnfit, "steps.train.retry.after"),
        (changed(("steps", 3, "when"), {"speed": 1}), errors.WorkflowReferenceUnknown, "steps.exam.when.speed"),
        (changed(("steps", 3, "when"), {"rate": "fast"}), errors.WorkflowValueUnfit, "steps.exam.when.rate"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place_and_line(data: Any, error: type[Exception], place: str) -> None:
    with pytest.raises(error) as refused:
        reading.parse(data, lambda path: len(path))
    params = refused.value.params  # type: ignore[attr-defined]
    assert params["place"] == place
    assert isinstance(params["line"], int)


def test_a_circle_is_shown() -> None:
    data = changed(("steps", 3, "inputs", "candidate"), "train.model")
    with pytest.raises(errors.WorkflowCircle) as refused:
        reading.parse(data)
    assert refused.value.params["steps"] == "train → exam → train"


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(errors.WorkflowTooLarge):
        reading.parse(changed(("matrix", "base"), list(range(spec.MOST_VARIANTS + 1))))
    with pytest.raises(errors.WorkflowTooLarge):
        reading.parse(changed(("steps",), [{"name": f"s{n}", "kind": "data"} for n in range(spec.MOST_STEPS + 1)]))
