"""Graphs of steps: what is refused and where, and what follows from what has come of the steps."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from control_plane.domain import errors
from control_plane.domain import graph as graphs
from control_plane.domain.graph import BY_HAND, Fact
from control_plane.domain.manifest import Input, Manifest, Output, Resources

PLAN: list[dict[str, Any]] = [
    {"name": "data", "kind": "data"},
    {"name": "bring", "method": "bring", "title": "base"},
    {"name": "train", "method": "tune", "inputs": {"policy": "bring.weights", "rows": "data.dataset"}},
    {"name": "exam", "method": "score", "inputs": {"pupil": "train.weights", "rows": "data.dataset"}},
    {
        "name": "pack",
        "method": "pack",
        "inputs": {"whole": "train.weights"},
        "gate": {"evaluation": "exam.marks", "verdict": "better"},
    },
    {"name": "serve", "kind": "deploy", "title": "faults", "inputs": {"model": "pack.file"}},
]


def manifest(name: str, kind: str, inputs: dict[str, str], outputs: dict[str, tuple[str, str]]) -> Manifest:
    """A method whose inputs are given as `kind:accepted`, its outputs as (kind, form)."""
    return Manifest(
        name=name, kind=kind, type="", entry="", platforms=(), exclusive=True, network=False, display="",
        description="", parameters={}, groups={}, resources=Resources(0, 0, 0),
        inputs={
            key: Input(key, text.split(":")[0], tuple(text.split(":")[1].split("|")), True, False, "")
            for key, text in inputs.items()
        },
        outputs={key: Output(key, kind, form, key, "") for key, (kind, form) in outputs.items()},
    )  # fmt: skip


# named so that nothing can be guessed from a name
TUNES = {"policy": "model:base", "rows": "dataset:chat"}
SCORES = {"pupil": "model:base|adapter", "rows": "dataset:chat"}
METHODS = {
    "bring": manifest("bring", "import", {}, {"weights": ("model", "base")}),
    "tune": manifest("tune", "train", TUNES, {"weights": ("model", "adapter")}),
    "score": manifest("score", "evaluate", SCORES, {"marks": ("evaluation", "")}),
    "pack": manifest("pack", "export", {"whole": "model:adapter"}, {"file": ("model", "gguf")}),
}
GRAPH = graphs.build(PLAN, METHODS)


def changed(step: str, **columns: Any) -> list[dict[str, Any]]:
    plan = copy.deepcopy(PLAN)
    next(one for one in plan if one["name"] == step).update(columns)
    return plan


@pytest.mark.parametrize(
    ("plan", "error", "params"),
    [
        (
            changed("train", inputs={"policy": "bring.weights"}),
            "step_input_missing",
            {"step": "train", "input": "rows"},
        ),
        (
            changed("exam", inputs={"pupil": "train.weights", "rows": "data.dataset", "x": "data.dataset"}),
            "step_input_unknown",
            {"step": "exam", "input": "x"},
        ),
        # a later step, so no circle either; an output that the method does not have; nothing like an edge
        (
            changed("train", inputs={"policy": "pack.file", "rows": "data.dataset"}),
            "edge_unknown",
            {"place": "train.inputs.policy", "edge": "pack.file"},
        ),
        (
            changed("train", inputs={"policy": "bring.model", "rows": "data.dataset"}),
            "edge_unknown",
            {"place": "train.inputs.policy", "edge": "bring.model"},
        ),
        (changed("serve", inputs={"model": "pack"}), "edge_unknown", {"place": "serve.inputs.model", "edge": "pack."}),
        # of another kind, of another form
        (
            changed("train", inputs={"policy": "data.dataset", "rows": "data.dataset"}),
            "edge_unfit",
            {"place": "train.inputs.policy", "edge": "data.dataset", "accepted": "model", "given": "dataset"},
        ),
        (
            changed("serve", inputs={"model": "train.weights"}),
            "edge_unfit",
            {"place": "serve.inputs.model", "edge": "train.weights", "accepted": ["gguf"], "given": "adapter"},
        ),
        (
            changed("pack", gate={"evaluation": "train.weights", "verdict": "better"}),
            "edge_unfit",
            {"place": "pack.gate", "edge": "train.weights", "accepted": "evaluation", "given": "model"},
        ),
        (changed("pack", gate={"evaluation": "exam.marks", "verdict": "superb"}), "step_malformed", {"step": "pack"}),
        (changed("pack", gate={"evaluation": "exam.marks"}), "step_malformed", {"step": "pack"}),
        (changed("pack", inputs=["whole"]), "step_malformed", {"step": "pack"}),
        (changed("pack", kind="deploy"), "step_malformed", {"step": "pack"}),
        (changed("serve", kind="dance"), "step_malformed", {"step": "serve"}),
        (changed("pack", name="exam"), "step_malformed", {"step": "exam", "problem": "name"}),
        (changed("pack", name="a.b"), "step_malformed", {"step": "a.b", "problem": "name"}),
    ],
)
def test_a_plan_that_does_not_fit_is_refused_with_its_place(
    plan: list[dict[str, Any]], error: str, params: dict[str, Any]
) -> None:
    with pytest.raises(errors.GraphInvalid) as refused:
        graphs.build(plan, METHODS)
    assert refused.value.code == error
    assert params.items() <= refused.value.params.items()


def test_kinds_and_outputs_come_from_the_methods() -> None:
    assert [step.kind for step in GRAPH] == ["data", "import", "train", "evaluate", "export", "deploy"]
    assert [dict(step.outputs) for step in GRAPH[1:4]] == [
        {"weights": "model"},
        {"weights": "model"},
        {"marks": "evaluation"},
    ]
    assert graphs.methods_of(PLAN) == ["bring", "tune", "score", "pack"]
    assert graphs.of_data(graphs.as_data(GRAPH)) == GRAPH


def test_for_other_data_results_are_called_after_it_and_parameters_are_the_datas() -> None:
    plan = changed(
        "exam",
        title="faults-exam",
        parameters={"schema": {"type": "object"}, "longest": 64, "rows": 8},
        from_data={"schema": "answer_schema", "longest": ""},
    )
    graph = graphs.build(plan, METHODS)
    fitted = graphs.fitted(graph, METHODS, "labor-notizen", {"answer_schema": {"type": "array"}})
    titles = {step.name: step.title for step in fitted}
    assert titles == {
        "data": "",
        "bring": "base",  # nothing of the data is in it
        "train": "labor-notizen-adapter",  # the method says nothing of a lesson, so it is a model like another
        "exam": "labor-notizen-evaluation",
        "pack": "labor-notizen-gguf",
        "serve": "labor-notizen",
    }
    exam = next(step for step in fitted if step.name == "exam")
    assert exam.parameters == {"rows": 8, "schema": {"type": "array"}}
    bare = next(step for step in graphs.fitted(graph, METHODS, "notes", {}) if step.name == "exam")
    assert bare.parameters == {"rows": 8}
    assert graphs.of_data(graphs.as_data(graph)) == graph


def test_two_results_of_one_kind_have_two_names() -> None:
    plan = [*changed("serve"), {"name": "pack_again", "method": "pack", "inputs": {"whole": "train.weights"}}]
    fitted = graphs.fitted(graphs.build(plan, METHODS), METHODS, "n" * 64, {})
    titles = [step.title for step in fitted if step.method == "pack"]
    assert titles == ["n" * 59 + "-gguf", "n" * 53 + "-pack-again"]


DATA = {"data": Fact("done", {"dataset": 1})}
BROUGHT = DATA | {"bring": Fact("done", {"weights": 2})}
TRAINED = BROUGHT | {"train": Fact("done", {"weights": 3})}
PACKED = TRAINED | {"exam": Fact("done", {"marks": 4}, "better"), "pack": Fact("done", {"file": 5})}


@pytest.mark.parametrize(
    ("facts", "stands", "outcome"),
    [
        (DATA, "done ready blocked blocked blocked blocked", ""),
        (DATA | {"bring": Fact("open")}, "done open blocked blocked blocked blocked", ""),
        (BROUGHT, "done done ready blocked blocked blocked", ""),
        (TRAINED, "done done done ready blocked blocked", ""),
        (TRAINED | {"exam": Fact("open")}, "done done done open blocked blocked", ""),
        (TRAINED | {"exam": Fact("done", {}, "better")}, "done done done done ready blocked", ""),
        (TRAINED | {"exam": Fact("done", {}, "unclear")}, "done done done done skipped skipped", "done"),
        (TRAINED | {"exam": Fact("failed")}, "done done done failed skipped skipped", "stopped"),
        (DATA | {"bring": Fact("cancelled")}, "done cancelled skipped skipped skipped skipped", "stopped"),
        (PACKED, "done done done done done ready", ""),
        (PACKED | {"serve": Fact("done")}, "done done done done done done", "done"),
    ],
)
def test_how_each_step_stands_follows_from_the_facts(facts: dict[str, Fact], stands: str, outcome: str) -> None:
    assert list(graphs.standing(GRAPH, facts).values()) == stands.split()
    assert graphs.outcome(GRAPH, facts) == outcome
    assert [step.name for step in graphs.ready(GRAPH, facts)] == [
        name for name, state in graphs.standing(GRAPH, facts).items() if state == "ready"
    ]


def test_a_branch_that_failed_leaves_the_other_one_running() -> None:
    plan = [*PLAN, {"name": "again", "method": "tune", "inputs": {"policy": "bring.weights", "rows": "data.dataset"}}]
    both = graphs.build(plan, METHODS)
    assert [step.name for step in graphs.ready(both, BROUGHT)] == ["train", "again"]
    one = BROUGHT | {"train": Fact("failed"), "again": Fact("open")}
    assert graphs.outcome(both, one) == ""
    assert graphs.outcome(both, one | {"again": Fact("done", {"weights": 9})}) == "stopped"


def test_a_step_is_given_what_its_edges_name() -> None:
    (train,) = graphs.ready(GRAPH, BROUGHT)
    assert graphs.inputs_of(train, BROUGHT) == {"policy": 2, "rows": 1}
    with pytest.raises(errors.StepInputMissing):
        graphs.inputs_of(train, DATA | {"bring": Fact("done")})


def test_by_hand_an_evaluation_comes_before_packaging_whatever_it_finds() -> None:
    trained = {"data": Fact("done", {"dataset": 1}), "train": Fact("done", {"model": 2})}
    assert [step.name for step in graphs.ready(BY_HAND, trained)] == ["evaluate"]
    scored = trained | {"evaluate": Fact("done", {"evaluation": 3}, "worse")}
    assert [step.name for step in graphs.ready(BY_HAND, scored)] == ["export"]


def test_a_plan_without_steps_is_no_plan() -> None:
    """A run of it would be done at once, having done nothing."""
    for nothing in ([], [{"name": "data", "kind": "data"}]):
        with pytest.raises(errors.GraphEmpty):
            graphs.build(nothing, {})
    with pytest.raises(errors.StepMalformed):
        graphs.build(["train"], {})  # type: ignore[list-item]


# ---- approvals

ASKING: list[dict[str, Any]] = [
    *PLAN[:-1],
    {
        "name": "release",
        "kind": "approval",
        "title": "May it be served?",
        "inputs": {"model": "pack.file", "evaluation": "exam.marks"},
        "parameters": {"days": 2},
    },
    {"name": "serve", "kind": "deploy", "title": "faults", "inputs": {"model": "release.model"}},
]
MADE = {"model": 5, "evaluation": 6}


def asking(**columns: Any) -> list[dict[str, Any]]:
    plan = copy.deepcopy(ASKING)
    plan[-2].update(columns)
    return plan


def test_an_approval_passes_on_what_it_is_given() -> None:
    graph = graphs.build(ASKING, METHODS)
    assert graph == graphs.of_data(graphs.as_data(graph))
    release, serve = graph[-2:]
    assert (dict(release.outputs), release.own, release.days) == (
        {"model": "model", "evaluation": "evaluation"},
        False,
        2.0,
    )
    before = {one.name: Fact("done", MADE) for one in graph[:-2]} | {"exam": Fact("done", MADE, "better")}
    assert graphs.ready(graph, before) == [release]
    for state, stands, outcome in (
        ("open", "blocked", ""),
        ("refused", "skipped", "refused"),
        ("done", "ready", ""),
    ):
        facts = before | {"release": Fact(state, {"model": 5}, "better")}
        assert (graphs.standing(graph, facts)["serve"], graphs.outcome(graph, facts)) == (stands, outcome)
    assert graphs.inputs_of(serve, before | {"release": Fact("done", {"model": 5})}) == {"model": 5}


def test_a_step_that_failed_says_more_of_a_run_than_a_refusal() -> None:
    graph = graphs.build([*ASKING, {"name": "other", "method": "bring", "title": "other"}], METHODS)
    done = {one.name: Fact("done", MADE, "better") for one in graph}
    facts = done | {"release": Fact("refused"), "other": Fact("failed")}
    del facts["serve"]
    assert graphs.outcome(graph, facts) == "stopped"


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"inputs": {}}, errors.StepInputMissing),
        ({"inputs": {"rows": "data.dataset"}}, errors.StepInputUnknown),
        ({"inputs": {"model": "exam.marks"}}, errors.EdgeUnfit),
        ({"inputs": {"evaluation": "exam.marks"}}, errors.EdgeUnknown),  # then nothing of it can be served
        ({"parameters": {"own": "yes"}}, errors.StepMalformed),
        ({"parameters": {"days": -1}}, errors.StepMalformed),
        ({"parameters": {"days": True}}, errors.StepMalformed),
        ({"parameters": {"days": float("nan")}}, errors.StepMalformed),
        ({"parameters": {"who": "grace"}}, errors.StepMalformed),
        ({"parameters": "own"}, errors.StepMalformed),
        ({"inputs": {"model": "train.weights"}}, errors.EdgeUnfit),  # an adapter, which cannot be served
    ],
)
def test_an_approval_that_makes_no_sense_is_refused(columns: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        graphs.build(asking(**columns), METHODS)


def test_for_other_data_what_is_approved_is_served_under_its_name_too() -> None:
    fitted = graphs.fitted(graphs.build(ASKING, METHODS), METHODS, "notes", {})
    assert [(one.name, one.title) for one in fitted[-2:]] == [("release", "May it be served?"), ("serve", "notes")]


def test_a_gate_can_ask_an_approval_for_the_verdict_that_it_passes_on() -> None:
    gated = copy.deepcopy(ASKING)
    gated[-1] |= {"gate": {"evaluation": "release.evaluation", "verdict": "better"}}
    graph = graphs.build(gated, METHODS)
    done = {one.name: Fact("done", MADE, "better") for one in graph[:-1]}
    assert graphs.standing(graph, done)["serve"] == "ready"
    assert graphs.standing(graph, done | {"release": Fact("done", MADE, "worse")})["serve"] == "skipped"
