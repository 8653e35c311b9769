"""A manifest's values, and its texts in one language."""

import pytest

from control_plane.domain.errors import MethodBroken
from control_plane.domain.manifest import in_language, parse
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


@pytest.mark.parametrize("gone", ["kind", "parameters", "resources", "outputs", "platforms"])
def test_what_is_missing_is_named(gone: str) -> None:
    with pytest.raises(MethodBroken, match=gone):
        parse({key: value for key, value in SCORE.items() if key != gone})
