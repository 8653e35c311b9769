"""The document of a reward: what is read, what is refused and where, and when two say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.domain import errors
from control_plane.domain.rewards import document

KNOWN = {"regex": {"parameters": {"pattern": {"type": "string"}, "whole": {"type": "boolean", "default": False}}},
         "repetition": {"parameters": {"words": {"type": "integer", "default": 3}}}}  # fmt: skip
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CHECK = st.fixed_dictionaries(
    {"check": st.sampled_from(sorted(KNOWN)), "weight": st.floats(0.01, 1_000) | st.integers(1, 1_000)},
    optional={"parameters": st.dictionaries(st.sampled_from(["words", "whole", "x"]), st.integers(0, 9))},
)


def read(given: Any) -> document.Checks:
    return document.read(given, KNOWN)


def test_a_check_gets_its_weight_and_its_defaults() -> None:
    assert read([{"check": "repetition"}]) == [{"check": "repetition", "weight": 1.0, "parameters": {"words": 3}}]
    assert document.shares(read('[{"check": "repetition", "weight": 3}, {"check": "repetition"}]')) == [0.75, 0.25]


@pytest.mark.parametrize(
    ("given_", "problem", "told"),
    [
        ("{", errors.RewardUnreadable, {}),
        ({"checks": []}, errors.RewardEmpty, {}),
        ({}, errors.RewardEmpty, {}),
        ("3", errors.RewardValueUnfit, {"place": "checks"}),
        ([3], errors.RewardValueUnfit, {"place": "checks.1"}),
        ([{"check": "repetition"}] * 21, errors.RewardTooLarge, {"what": "checks", "most": 20}),
        ({"check": []}, errors.RewardKeyUnknown, {"place": "–.check"}),
        ([{"check": "regex", "wieght": 1}], errors.RewardKeyUnknown, {"place": "checks.1.wieght"}),
        ([{"check": "repetition"}, {"check": "kind"}], errors.RewardCheckUnknown, {"number": 2, "check": "kind"}),
        ([{"check": ["regex"]}], errors.RewardCheckUnknown, {"number": 1}),
        ([{"check": "regex", "parameters": []}], errors.RewardValueUnfit, {"place": "checks.1.parameters"}),
        *(
            ([{"check": "regex", "weight": weight}], errors.RewardWeightUnfit, {"number": 1, "check": "regex"})
            for weight in (0, -1, 1_001, True, "1", None)
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(
    given_: Any, problem: type[errors.Invalid], told: dict[str, Any]
) -> None:
    with pytest.raises(errors.RewardInvalid) as refused:
        read(given_)
    assert isinstance(refused.value, problem)
    assert {key: refused.value.params.get(key) for key in told} == told


def test_what_is_longer_than_any_reward_is_not_read() -> None:
    with pytest.raises(errors.RewardTooLarge):
        read(" " * (document.LONGEST + 1))


@given(st.lists(CHECK, min_size=1, max_size=5))
def test_the_canonical_form_is_read_as_itself(checks: list[dict[str, Any]]) -> None:
    once = document.canonical(read(checks))
    again = document.canonical(read(json.dumps(once, indent=3)))
    assert again == once and document.digest(again) == document.digest(once)
    assert abs(sum(document.shares(once["checks"])) - 1) < 1e-9


@given(ANY_JSON | st.text())
def test_whatever_is_sent_is_read_or_refused_in_words(sent: Any) -> None:
    try:
        assert read(sent)
    except errors.RewardInvalid as problem:
        assert problem.code.startswith("reward_")
