"""A manifest's values, and its texts in one language."""

import pytest

from control_plane.domain.errors import MethodBroken, PresetUnknown
from control_plane.domain.manifest import in_language, narrows, parse, platforms
from fleet_support import METHODS

SCORE = METHODS[2]


def test_values_and_defaults() -> None:
    manifest = parse(SCORE)
    assert (manifest.name, manifest.kind, manifest.exclusive, manifest.network) == ("score", "evaluate", True, False)
    assert manifest.inputs["candidate"].accepts == ("base", "adapter")
    assert manifest.inputs["dataset"].accepts == ("prompt_completion", "chat")
    assert (manifest.inputs["candidate"].required, manifest.inputs["baseline"].required) == (True, False)
    assert manifest.outputs["evaluation"].form == ""
    assert manifest.complete({}) == {"steps": 40} and manifest.complete({"steps": 1}) == {"steps": 1}
    assert manifest.memory_estimate(10) == (1 << 30) + 20


def test_texts_follow_the_language_and_data_does_not() -> None:
    source = SCORE | {"display": {"en": "Score", "de": "Bewerten", "zh": "评分"}}
    words = {"type": "object", "default": {"en": "kept", "de": "behalten"}, "title": {"en": "Words", "de": "Wörter"}}
    source["parameters"] = {"type": "object", "properties": {"words": words}}
    manifest = parse(source, "de")
    assert manifest.display == "Bewerten"
    shown = manifest.parameters["properties"]["words"]
    assert (shown["title"], shown["default"]) == ("Wörter", {"en": "kept", "de": "behalten"})
    assert parse(source).display == "Score"
    assert in_language({"en": "only"}, "zh") == "only"


@pytest.mark.parametrize(
    ("method", "output", "changed", "place"),
    [
        (1, "model", {"from": None}, "outputs.model.from: an input of kind model has to be named"),
        (1, "model", {"from": "gone"}, "outputs.model.from: 'gone' is no input of kind model"),
        (1, "model", {"from": "dataset"}, "outputs.model.from: 'dataset' is no input of kind model"),
        (1, "model", {"dataset": "base"}, "outputs.model.dataset: 'base' is no input of kind dataset"),
        (0, "model", {"from": "base"}, "outputs.model.from"),
        (2, "evaluation", {"candidate": None}, "outputs.evaluation.candidate: an input of kind model"),
        (2, "evaluation", {"dataset": None}, "outputs.evaluation.dataset: an input of kind dataset"),
        (2, "evaluation", {"candidate": "baseline"}, "outputs.evaluation.candidate: 'baseline' may be left out"),
        (2, "evaluation", {"baseline": "dataset"}, "outputs.evaluation.baseline: 'dataset' is no input of kind model"),
    ],
)
def test_what_an_output_is_made_from_is_declared(method: int, output: str, changed: dict, place: str) -> None:
    edges = {key: value for key, value in (METHODS[method]["outputs"][output] | changed).items() if value is not None}
    with pytest.raises(MethodBroken) as caught:
        parse(METHODS[method] | {"outputs": {output: edges}})
    assert place in str(caught.value)


def test_what_a_job_is_about_is_declared() -> None:
    assert [parse(one).subject for one in METHODS] == ["", "base", "candidate", "model"]


@pytest.mark.parametrize("gone", ["kind", "parameters", "resources", "outputs", "platforms"])
def test_what_is_missing_is_named(gone: str) -> None:
    with pytest.raises(MethodBroken, match=gone):
        parse({key: value for key, value in SCORE.items() if key != gone})


def test_a_value_may_warn_and_need_fewer_platforms() -> None:
    warned = {"en": "Needs a GPU", "de": "Braucht eine GPU", "zh": "需要 GPU"}
    kind = {"enum": ["wide", "narrow"], "default": "wide", "x-warnings": {"narrow": warned},
            "x-platforms": {"narrow": ["cuda"]}}  # fmt: skip
    switch = {"type": "boolean", "default": False, "x-platforms": {"true": ["mlx", "cuda"]}}
    schema = {"type": "object", "properties": {"kind": kind, "switch": switch}}
    source = METHODS[1] | {"platforms": ["cpu", "cuda"], "parameters": schema}
    assert parse(source, "de").warnings({}) == []
    assert parse(source, "de").warnings({"kind": "narrow"}) == ["Braucht eine GPU"]
    assert platforms(source, {}) == {"cpu", "cuda"}
    assert platforms(source, {"kind": "narrow"}) == platforms(source, {"switch": True}) == {"cuda"}
    assert narrows(source) and not narrows(METHODS[1])


def test_a_preset_goes_before_defaults_and_behind_what_is_asked_for() -> None:
    quick = {"display": {"en": "Quick", "de": "Schnell", "zh": "快速"}, "values": {"steps": 3}}
    found = parse(METHODS[1] | {"presets": {"quick": quick}}, "de")
    assert found.presets["quick"].display == "Schnell"
    assert found.with_preset("", {}) == {} and found.with_preset("quick", {}) == {"steps": 3}
    assert found.with_preset("quick", {"steps": 9}) == {"steps": 9}
    with pytest.raises(PresetUnknown, match="no preset “fast”"):
        found.with_preset("fast", {})
    with pytest.raises(MethodBroken, match=r"presets\.quick\.values\.stepz: the method has no such parameter"):
        parse(METHODS[1] | {"presets": {"quick": quick | {"values": {"stepz": 3}}}})
