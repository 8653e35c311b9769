"""A graph with something changed, and what differs between two graphs."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane.domain import errors
from control_plane.domain import graph as graphs
from control_plane.domain.graph import Graph
from control_plane.domain.manifest import Input, Manifest, Output, Resources
from control_plane.domain.workflows.changes import Changes, Difference, changed, differences

PLAN: list[dict[str, Any]] = [
    {"name": "data", "kind": "data", "dataset": "notes@1", "dataset_version": 4},
    {"name": "bring", "method": "bring", "title": "base", "parameters": {"reference": "small"}},
    {
        "name": "train",
        "method": "tune",
        "title": "notes",
        "parameters": {"steps": 40, "own": 1},
        "inputs": {"base": "bring.model", "dataset": "data.dataset"},
    },
    {
        "name": "release",
        "kind": "approval",
        "inputs": {"model": "train.model"},
        "parameters": {"days": 2},
    },
    {
        "name": "pack",
        "method": "pack",
        "title": "packed",
        "inputs": {"model": "release.model"},
        "retry": {"times": 2},
    },
    {"name": "serve", "kind": "deploy", "title": "notes", "inputs": {"model": "pack.model"}},
]


def manifest(name: str, kind: str, inputs: dict[str, Input], form: str, parameters: dict[str, Any]) -> Manifest:
    return Manifest(
        name=name, kind=kind, type="", entry="", platforms=(), exclusive=True, network=False, display="",
        description="", groups={}, resources=Resources(0, 0, 0), inputs=inputs,
        parameters={"properties": {key: {"default": one} for key, one in parameters.items()}},
        outputs={"model": Output("model", "model", form, "model", "")},
    )  # fmt: skip


def model(*accepts: str) -> Input:
    return Input("model", "model", accepts, True, False, "")


LEARNS = {"base": model("base"), "dataset": Input("dataset", "dataset", ("chat",), True, False, "")}
METHODS = {
    "bring": manifest("bring", "import", {}, "base", {"reference": "", "source": "package"}),
    "tune": manifest("tune", "train", LEARNS, "adapter", {"steps": 10, "rate": 0.1, "own": 0}),
    "other": manifest("other", "train", LEARNS, "adapter", {"steps": 20, "rate": 0.1}),
    "unlike": manifest("unlike", "train", LEARNS | {"judge": model("reward")}, "adapter", {}),
    "pack": manifest("pack", "export", {"model": model("adapter")}, "gguf", {}),
}
GRAPH: Graph = graphs.build(PLAN, METHODS)
DEFAULTS = {name: one.complete({}) for name, one in METHODS.items()}


def test_nothing_changed_is_the_same_graph() -> None:
    assert changed(GRAPH, Changes(), METHODS) == GRAPH
    assert differences(GRAPH, GRAPH, DEFAULTS) == []


def test_one_parameter() -> None:
    after = changed(GRAPH, Changes(parameters={"train": {"rate": 0.5}}), METHODS)
    assert differences(GRAPH, after, DEFAULTS) == [Difference("train", "parameter", "rate", 0.1, 0.5)]
    assert [step.retry for step in after] == [step.retry for step in GRAPH]


def test_what_is_set_to_its_default_is_no_difference_and_nothing_takes_the_default() -> None:
    same = changed(GRAPH, Changes(parameters={"train": {"rate": 0.1}}), METHODS)
    assert differences(GRAPH, same, DEFAULTS) == []
    plain = changed(GRAPH, Changes(parameters={"train": {"steps": None}}), METHODS)
    assert differences(GRAPH, plain, DEFAULTS) == [Difference("train", "parameter", "steps", 40, 10)]


def test_another_method_keeps_what_it_knows_too() -> None:
    after = changed(GRAPH, Changes(methods={"train": "other"}), METHODS)
    assert dict(after[2].parameters) == {"steps": 40}
    assert differences(GRAPH, after, DEFAULTS) == [
        Difference("train", "method", "", "tune", "other"),
        Difference("train", "parameter", "own", 1, None),
    ]


def test_a_method_that_does_not_fit_is_refused() -> None:
    with pytest.raises(errors.StepInputMissing):
        changed(GRAPH, Changes(methods={"train": "unlike"}), METHODS)


@pytest.mark.parametrize(
    "changes",
    [
        Changes(parameters={"nowhere": {"steps": 1}}),
        Changes(methods={"data": "tune"}),
        Changes(parameters={"release": {"own": True}}),  # four eyes are not to be closed here
        Changes(methods={"serve": "pack"}),
    ],
)
def test_what_cannot_be_changed_is_refused(changes: Changes) -> None:
    with pytest.raises(errors.ChangeUnknown) as refused:
        changed(GRAPH, changes, METHODS)
    assert refused.value.params["known"] == ["bring", "train", "pack"]


def test_steps_that_only_one_of_two_graphs_has() -> None:
    without = graphs.build([*PLAN[:3], PLAN[4] | {"inputs": {"model": "train.model"}}, PLAN[5]], METHODS)
    found = differences(GRAPH, without, DEFAULTS)
    assert Difference("release", "step", "", "approval", None) in found
    assert [one.step for one in found if one.what == "wiring"] == ["pack"]
    assert Difference("release", "step", "", None, "approval") in differences(without, GRAPH, DEFAULTS)
