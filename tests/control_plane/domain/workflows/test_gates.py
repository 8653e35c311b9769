"""Gates: what opens one, what keeps it shut, and which of several evaluations is the best."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane.domain.verdict import Interval
from control_plane.domain.workflows import gates
from control_plane.domain.workflows.gates import Marks

MARKS = Marks(
    primary="exact",
    candidate={"exact": Interval(0.8, 0.7, 0.9), "valid": Interval(0.9, 0.85, 0.95)},
    baseline={"exact": Interval(0.5, 0.4, 0.6), "valid": Interval(0.92, 0.88, 0.96)},
    difference=Interval(0.3, 0.1, 0.5),
)


@pytest.mark.parametrize(
    ("asked", "verdict", "code"),
    [
        ({}, "worse", ""),
        ({"verdict": "better"}, "better", ""),
        ({"verdict": "better"}, "unclear", "gate_verdict_other"),
        ({"at_least": 0.8}, "", ""),
        ({"at_least": 0.81}, "", "gate_not_reached"),
        ({"metric": "valid", "at_least": 0.85}, "", ""),
        ({"metric": "speed", "at_least": 0}, "", "gate_metric_unknown"),
        ({"margin": 0.3}, "", ""),
        ({"margin": 0.31}, "", "gate_not_reached"),
        ({"margin": 0.1, "certain": True}, "", ""),
        ({"margin": 0.2, "certain": True}, "", "gate_not_sure"),
        ({"certain": True}, "", ""),
        # of what is not the primary metric: no pairs, so the worst of the one is held against the best of the other
        ({"metric": "valid", "margin": -0.05}, "", ""),
        ({"metric": "valid", "margin": -0.01}, "", "gate_not_reached"),
        ({"metric": "valid", "margin": -0.1, "certain": True}, "", "gate_not_sure"),
        ({"metric": "valid", "margin": -0.12, "certain": True}, "", ""),
    ],
)
def test_a_gate_says_why_it_stays_shut(asked: dict[str, Any], verdict: str, code: str) -> None:
    problem = gates.shut(gates.gate({"evaluation": "exam.marks"} | asked), verdict, MARKS)
    assert (problem.code if problem else "") == code


def test_without_a_baseline_no_gain_is_certain() -> None:
    alone = Marks("exact", {"exact": Interval(1.0, 0.9, 1.0)})
    for asked in ({"margin": 0.0}, {"certain": True}):
        problem = gates.shut(gates.gate({"evaluation": "exam.marks"} | asked), "unpaired", alone)
        assert problem is not None and problem.params["given"] == "unpaired"


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"evaluation": 3},
        {"evaluation": "a.b", "verdict": "superb"},
        {"evaluation": "a.b", "margin": "wide"},
        {"evaluation": "a.b", "at_least": True},
        {"evaluation": "a.b", "at_least": float("nan")},
        {"evaluation": "a.b", "colour": "green"},
    ],
)
def test_what_is_no_gate_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        gates.gate(table)


def test_a_gate_is_written_as_it_is_read() -> None:
    for asked in ({}, {"verdict": "better"}, {"metric": "exact", "at_least": 0.0, "margin": -0.5, "certain": True}):
        table = {"evaluation": "exam.marks"} | asked
        assert gates.as_data(gates.gate(table)) == table


def test_the_best_has_the_highest_value_and_comes_first_among_equals() -> None:
    def scored(value: float) -> Marks:
        return Marks("exact", {"exact": Interval(value, value, value), "other": Interval(-value, -value, -value)})

    assert gates.best([scored(0.1), scored(0.9), scored(0.9)], "") == 1
    assert gates.best([scored(0.1), scored(0.9)], "other") == 0
    assert gates.best([Marks(), scored(0.2)], "") == 1
    assert gates.best([scored(0.1)], "speed") is None
    assert gates.best([], "") is None
