"""What a run of a spec is to do: values filled in, steps left out, and variants that come together again."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from control_plane.domain import errors
from control_plane.domain import graph as graphs
from control_plane.domain.graph import Fact
from control_plane.domain.verdict import Interval
from control_plane.domain.workflows import expansion, reading
from control_plane.domain.workflows.gates import Marks

# two bases, two ways of learning; what is best is packaged and served
SPEC: dict[str, Any] = {
    "name": "notes",
    "parameters": {
        "steps": {"type": "integer", "default": 40, "minimum": 1},
        "ship": {"type": "boolean", "default": True},
        "data": {"type": "dataset", "default": "notes"},
    },
    "matrix": {"base": [{"id": "small"}, {"id": "large"}], "way": ["sft", "dora"]},
    "steps": [
        {"name": "serve", "kind": "deploy", "title": "notes", "inputs": {"model": "pack.model"}},
        {"name": "data", "kind": "data", "dataset": "${data}"},
        {"name": "bring", "method": "import", "parameters": {"reference": "hub/${base.id}"}},
        {
            "name": "train",
            "method": "${way}",
            "title": "tuned",
            "inputs": {"base": "bring.model", "dataset": "data.dataset"},
            "parameters": {"steps": "${steps}", "note": "$${kept}", "deep": [{"way": "by ${way}"}]},
            "retry": {"times": 2},
        },
        {"name": "exam", "method": "evaluate", "inputs": {"candidate": "train.model", "dataset": "data.dataset"}},
        {
            "name": "pack",
            "method": "export",
            "inputs": {"model": "train.model"},
            "best": "exam.evaluation",
            "gate": {"evaluation": "exam.evaluation", "metric": "exact", "at_least": 0.5},
            "when": {"ship": True},
        },
    ],
}


def changed(step: str = "", **columns: Any) -> dict[str, Any]:
    data = copy.deepcopy(SPEC)
    if not step:
        return data | columns
    found = next(one for one in data["steps"] if one["name"] == step)
    found.update(columns)
    for key in [key for key, value in found.items() if value is None]:
        del found[key]
    return data


def steps(source: dict[str, Any], **given: Any) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in expansion.expand(reading.parse(source), given)}


def test_each_step_is_fanned_out_over_the_axes_that_reach_it() -> None:
    found = steps(SPEC)
    trained, scored = [f"train_{n}" for n in (1, 2, 3, 4)], [f"exam_{n}" for n in (1, 2, 3, 4)]
    assert list(found) == ["data", "bring_1", "bring_2", *trained, *scored, "pack", "serve"]
    assert [found[name]["method"] for name in trained] == ["sft", "dora", "sft", "dora"]
    assert [found[name]["inputs"]["base"] for name in trained] == ["bring_1.model"] * 2 + ["bring_2.model"] * 2
    assert found["train_3"]["variant"] == {"base": {"id": "large"}, "way": "sft"}
    assert found["exam_3"]["inputs"] == {"candidate": "train_3.model", "dataset": "data.dataset"}
    assert [one["inputs"]["model"] for one in found["pack"]["choices"]] == [f"{name}.model" for name in trained]
    assert found["pack"]["metric"] == "exact"
    assert found["pack"]["choices"][1]["gates"] == [
        {"evaluation": "exam_2.evaluation", "metric": "exact", "at_least": 0.5}
    ]
    assert found["train_2"]["title"] == "tuned-2"
    assert found["serve"]["inputs"] == {"model": "pack.model"}


def test_references_become_values_with_their_type() -> None:
    found = steps(SPEC, steps=7)
    assert found["train_2"]["parameters"] == {"steps": 7, "note": "${kept}", "deep": [{"way": "by dora"}]}
    assert found["bring_2"]["parameters"] == {"reference": "hub/large"}
    assert found["data"]["dataset"] == "notes"
    assert steps(SPEC, data="others@3")["data"]["dataset"] == "others@3"
    assert steps(changed("train", title="By ${way}"))["train_2"]["title"] == "by-dora"


def test_a_name_that_refers_to_a_number_or_a_table_is_a_name_still() -> None:
    assert steps(changed("data", dataset="${steps}"))["data"]["dataset"] == "40"


@pytest.mark.parametrize(
    ("columns", "place"),
    [
        ({"method": "${base}"}, "steps.train.method"),
        ({"method": "${base.id}" * 99}, "steps.train.method"),
        ({"from_data": {"key": "${base}"}}, "steps.train.from_data"),
        ({"gate": {"evaluation": "first.evaluation", "metric": "${base}", "at_least": 1}}, "steps.train.gate.metric"),
    ],
)
def test_a_table_is_no_name(columns: dict[str, Any], place: str) -> None:
    data = changed("train", **columns)
    data["steps"].append({"name": "first", "method": "evaluate", "inputs": {"candidate": "bring.model"}})
    with pytest.raises(errors.WorkflowValueUnfit) as refused:
        steps(data)
    assert refused.value.params["place"] == place


@pytest.mark.parametrize("reference", ["${text}", " ${text}"])
def test_what_references_repeat_is_bounded(reference: str) -> None:
    data = changed("train", parameters={f"p{n}": reference for n in range(99)})
    data["parameters"] |= {"text": {"type": "string", "default": "x" * 5_000}}
    with pytest.raises(errors.WorkflowTooLarge):
        steps(data)
    assert len(steps(data, text="x" * 99)["train_1"]["parameters"]["p98"]) >= 99


def test_a_step_whose_condition_is_not_met_goes_with_those_that_wait_for_it() -> None:
    found = steps(SPEC, ship=False)
    assert "exam_4" in found and "pack" not in found and "serve" not in found


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"speed": 1}, errors.WorkflowParameterUnknown),
        ({"steps": 0}, errors.WorkflowParameterUnfit),
        ({"steps": True}, errors.WorkflowParameterUnfit),
        ({"steps": "7"}, errors.WorkflowParameterUnfit),
        ({"data": ""}, errors.WorkflowParameterUnfit),
    ],
)
def test_what_a_run_cannot_be_given_is_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        steps(SPEC, **given)


def test_a_parameter_without_default_has_to_be_given() -> None:
    data = changed(parameters=SPEC["parameters"] | {"steps": {"type": "integer"}})
    assert steps(data, steps=3)["train_1"]["parameters"]["steps"] == 3
    with pytest.raises(errors.WorkflowParameterMissing):
        steps(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (changed("pack", best=None, gate=None), errors.WorkflowManyVariants),  # the deployment would be given four
        (changed("pack", parameters={"how": "${way}"}), errors.WorkflowManyVariants),
        (changed("pack", best="bring.model"), errors.WorkflowManyVariants),  # says nothing of the way
        (changed(matrix=SPEC["matrix"] | {"idle": [1]}), errors.WorkflowAxisUnused),
        (changed("bring", parameters={"reference": "${base.name}"}), errors.WorkflowValueUnfit),
    ],
)
def test_variants_that_nobody_could_tell_apart_are_refused(data: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        steps(data)


def test_without_variants_the_best_is_the_only_one() -> None:
    data = changed(matrix={"way": ["sft"]})
    del data["matrix"]
    data["steps"][2]["parameters"] = {}
    data["steps"][3] |= {"method": "sft", "parameters": {}}
    found = steps(data)
    assert "choices" not in found["pack"] and found["pack"]["inputs"] == {"model": "train.model"}


# ---- what follows for the graph of a run


def graph() -> graphs.Graph:
    tables = list(steps(changed(matrix={"base": [{"id": "small"}], "way": ["sft", "dora"]})).values())
    kinds = {"import": "model", "sft": "model", "dora": "model", "evaluate": "evaluation", "export": "model"}
    made = {"data": "dataset", "deploy": "deployment"}
    return graphs.of_data(
        [
            {"kind": "", **one, "outputs": {(out := kinds.get(one.get("method", "")) or made[one["kind"]]): out}}
            for one in tables
        ]
    )


def marks(value: float) -> Fact:
    return Fact("done", {"evaluation": 9}, marks=Marks("exact", {"exact": Interval(value, value, value)}))


BEFORE = {
    "data": Fact("done", {"dataset": 1}),
    "bring_1": Fact("done", {"model": 2}),
    "train_1": Fact("done", {"model": 3}),
    "train_2": Fact("done", {"model": 4}),
}


def test_the_best_variant_goes_on_once_all_have_ended() -> None:
    found = graph()
    assert graphs.of_data(graphs.as_data(found)) == found
    facts = BEFORE | {"exam_1": marks(0.6), "exam_2": Fact("open")}
    assert graphs.standing(found, facts)["pack"] == "blocked"
    facts |= {"exam_2": marks(0.7)}
    (pack,) = graphs.ready(found, facts)
    assert graphs.inputs_of(pack, facts) == {"model": 4}
    assert graphs.inputs_of(pack, facts | {"exam_1": marks(0.8)}) == {"model": 3}


def test_the_gate_is_held_against_the_best() -> None:
    facts = BEFORE | {"exam_1": marks(0.1), "exam_2": marks(0.2)}
    assert graphs.standing(graph(), facts)["pack"] == "skipped"
    assert graphs.outcome(graph(), facts) == "done"
    problem = graphs.shut(next(step for step in graph() if step.name == "pack"), facts)
    assert problem is not None and problem.params["value"] == "0.200"


def test_a_variant_that_failed_is_left_out() -> None:
    facts = BEFORE | {"train_2": Fact("failed"), "exam_1": marks(0.6)}
    (pack,) = graphs.ready(graph(), facts)
    assert graphs.inputs_of(pack, facts) == {"model": 3}
    facts |= {"pack": Fact("done", {"model": 7}), "serve": Fact("done", {"deployment": 1})}
    assert graphs.outcome(graph(), facts) == "done"
    none = BEFORE | {"train_1": Fact("failed"), "train_2": Fact("failed")}
    assert graphs.standing(graph(), none)["pack"] == "skipped"
    assert graphs.outcome(graph(), none) == "stopped"
