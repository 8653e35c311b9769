"""What a sweep varies, and which result is best."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane.domain import sweeps
from control_plane.domain.errors import (
    FieldInvalid,
    ParameterInvalid,
    ParameterUnknown,
    SweepTooLarge,
    SweepWithoutChoice,
    TunesmithError,
)
from control_plane.domain.sweeps import Choices, Range, Trial

PROPERTIES = {"rank": {"type": "integer"}, "rate": {"type": "number"}, "course": {"enum": ["cosine", "linear"]}}
RATE = {"low": 0.0001, "high": 0.01, "log": True}


def test_lists_and_ranges_are_read_and_written_alike() -> None:
    varied = {"rank": [4, 8, 4], "rate": RATE, "course": ["cosine", "linear"]}
    space = sweeps.space(varied, PROPERTIES)
    assert space == {
        "rank": Choices((4, 8)),
        "rate": Range(0.0001, 0.01, log=True),
        "course": Choices(("cosine", "linear")),
    }
    assert sweeps.space(sweeps.as_data(space), PROPERTIES) == space
    assert sweeps.space({"rank": {"low": 4, "high": 64}}, PROPERTIES) == {"rank": Range(4, 64, whole=True)}


@pytest.mark.parametrize(
    ("varied", "problem"),
    [
        ({}, SweepWithoutChoice),
        ({"rank": [4, 4]}, SweepWithoutChoice),
        ({"rank": [True]}, SweepWithoutChoice),
        ({"rank": list(range(51))}, SweepTooLarge),
        ({f"p{number}": [1, 2] for number in range(11)}, SweepTooLarge),
        ({"depth": [1, 2]}, ParameterUnknown),
        ({"rank": "4, 8"}, ParameterInvalid),
        ({"rank": {"low": 4}}, ParameterInvalid),
        ({"rate": {"low": 1.0, "high": 0.5}}, ParameterInvalid),
        ({"rate": {"low": 0.0, "high": 0.5, "log": True}}, ParameterInvalid),
        ({"rate": {"low": float("nan"), "high": 0.5}}, ParameterInvalid),
        ({"rate": {"low": 0.1, "high": float("inf")}}, ParameterInvalid),
        ({"rate": {"low": 0.1, "high": 0.5, "log": "yes"}}, ParameterInvalid),
        ({"rate": {"low": False, "high": True}}, ParameterInvalid),
        ({"course": {"low": 0, "high": 1}}, ParameterInvalid),
    ],
)
def test_what_cannot_be_varied_is_refused(varied: dict[str, Any], problem: type[TunesmithError]) -> None:
    with pytest.raises(problem):
        sweeps.space(varied, PROPERTIES)


def test_lists_alone_have_so_many_combinations() -> None:
    space = sweeps.space({"rank": [4, 8], "course": ["cosine", "linear"]}, PROPERTIES)
    assert sweeps.combinations(space) == [
        {"rank": 4, "course": "cosine"},
        {"rank": 4, "course": "linear"},
        {"rank": 8, "course": "cosine"},
        {"rank": 8, "course": "linear"},
    ]
    assert sweeps.combinations(sweeps.space({"rank": [4, 8], "rate": RATE}, PROPERTIES)) is None


@pytest.mark.parametrize(("trials", "at_once"), [(0, 1), (201, 1), (5, 0), (5, 51)])
def test_counts_have_bounds(trials: int, at_once: int) -> None:
    with pytest.raises(FieldInvalid):
        sweeps.check_counts(trials, at_once)


def test_the_best_has_the_lowest_loss_or_the_highest_reward() -> None:
    trials = [
        Trial(1, {}, True, 0.5),
        Trial(2, {}, True, 0.2),
        Trial(3, {}, True, float("nan")),
        Trial(4, {}, True, None),
        Trial(5, {}, True, 0.2),
    ]
    lowest, highest = sweeps.best(trials, "held_out_loss"), sweeps.best(trials, "reward")
    assert lowest and lowest.number == 2  # of two alike the earlier one
    assert highest and highest.number == 1
    assert sweeps.best(trials[2:4], "reward") is None
    with pytest.raises(FieldInvalid):
        sweeps.best(trials, "accuracy")


@pytest.mark.parametrize("high", [10**400, 1e308, float("nan"), float("inf")])
def test_a_range_ends_where_numbers_do(high: float) -> None:
    with pytest.raises(ParameterInvalid):
        sweeps.space({"rank": {"low": 1, "high": high}}, PROPERTIES)
