"""Gates: what an evaluation must have found before a step begins; and which of several evaluations is the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from control_plane.domain.errors import (
    GateMetricUnknown,
    GateNotReached,
    GateNotSure,
    GateVerdictOther,
    TunesmithError,
)
from control_plane.domain.verdict import BETTER, UNCLEAR, UNPAIRED, WORSE, Interval

VERDICTS = (BETTER, WORSE, UNCLEAR, UNPAIRED)
GATE_KEYS = ("evaluation", "verdict", "metric", "at_least", "margin", "certain")


@dataclass(frozen=True)
class Edge:
    """An output of a step; written `step.output`."""

    step: str
    output: str

    def __str__(self) -> str:
        return f"{self.step}.{self.output}"


def edge(text: str) -> Edge:
    """The edge that is written like this."""
    step, _, output = text.partition(".")
    return Edge(step, output)


@dataclass(frozen=True)
class Marks:
    """What an evaluation found, by metric; more is better in each of them."""

    primary: str = ""
    candidate: Mapping[str, Interval] = field(default_factory=dict)
    baseline: Mapping[str, Interval] = field(default_factory=dict)  # empty where there was nothing to compare with
    difference: Interval | None = None  # of the primary metric, row by row: candidate - baseline

    def gain(self, metric: str) -> Interval | None:
        """The difference in a metric with its 95 % interval; None without a baseline.

        Of the primary metric it is paired by rows. Of another one it runs from the one's worst to the other's best,
        which is wider than it need be: a gate would rather stay shut than open by chance.
        """
        if metric == self.primary or metric not in self.baseline:
            return self.difference if metric == self.primary else None
        own, other = self.candidate[metric], self.baseline[metric]
        return Interval(own.value - other.value, own.low - other.high, own.high - other.low)


@dataclass(frozen=True)
class Gate:
    """What an evaluation must have found; one that asks for nothing waits for the evaluation and opens."""

    evaluation: Edge
    verdict: str = ""
    metric: str = ""  # empty: the evaluation's primary one
    at_least: float | None = None  # of the candidate's value
    margin: float | None = None  # of the gain over the baseline; a negative one bounds what may be lost
    certain: bool = False  # the interval's lower end reaches the margin, or lies above zero where there is none

    @property
    def asks(self) -> bool:
        return bool(self.verdict) or self.at_least is not None or self.margin is not None or self.certain


def gate(table: Mapping[str, Any]) -> Gate:
    """The gate that a table declares. Raises KeyError, TypeError, ValueError where it declares none."""
    if unknown := set(table) - set(GATE_KEYS):
        raise ValueError(f"gate: {', '.join(sorted(map(str, unknown)))}")
    found = Gate(
        evaluation=edge(table["evaluation"]),
        verdict=_word(table, "verdict"),
        metric=_word(table, "metric"),
        at_least=_number(table, "at_least"),
        margin=_number(table, "margin"),
        certain=table.get("certain", False) is True,
    )
    if found.verdict and found.verdict not in VERDICTS:
        raise ValueError(f"gate.verdict = {', '.join(VERDICTS)}")
    return found


def as_data(one: Gate) -> dict[str, Any]:
    """The table that `gate` reads again; what it does not ask for is left out."""
    told = {"verdict": one.verdict, "metric": one.metric, "at_least": one.at_least, "margin": one.margin}
    kept = {key: value for key, value in told.items() if value not in ("", None)}
    return {"evaluation": str(one.evaluation)} | kept | ({"certain": True} if one.certain else {})


def shut(one: Gate, verdict: str, marks: Marks | None) -> TunesmithError | None:
    """Why a gate stays shut; None where it opens."""
    if one.verdict and one.verdict != verdict:
        return GateVerdictOther(expected=one.verdict, given=verdict)
    if one.at_least is None and one.margin is None and not one.certain:
        return None
    marks = marks or Marks()
    metric = one.metric or marks.primary
    if metric not in marks.candidate:
        return GateMetricUnknown(metric=metric, known=sorted(marks.candidate))
    value = marks.candidate[metric].value
    if one.at_least is not None and value < one.at_least:
        return GateNotReached(metric=metric, value=_shown(value), wanted=_shown(one.at_least))
    return _gain_lacking(one, marks, metric)


def _gain_lacking(one: Gate, marks: Marks, metric: str) -> TunesmithError | None:
    if one.margin is None and not one.certain:
        return None
    gain = marks.gain(metric)
    if gain is None:
        return GateVerdictOther(expected=BETTER, given=UNPAIRED)
    if one.margin is not None and gain.value < one.margin:
        return GateNotReached(metric=f"Δ {metric}", value=_shown(gain.value), wanted=_shown(one.margin))
    if one.certain and (gain.low <= 0 if one.margin is None else gain.low < one.margin):
        least = _shown(one.margin or 0.0)
        return GateNotSure(metric=metric, low=_shown(gain.low), high=_shown(gain.high), least=least)
    return None


def best(candidates: Sequence[Marks], metric: str) -> int | None:
    """Which of several evaluations has the highest value of a metric (empty: each one's primary); the first of equals.

    None where no one has that metric.
    """
    values = [(one.candidate.get(metric or one.primary), -place) for place, one in enumerate(candidates)]
    known = [(found.value, place) for found, place in values if found is not None]
    return -max(known)[1] if known else None


def _word(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key) or ""
    if not isinstance(value, str):
        raise ValueError(f"gate.{key}")
    return value


def _number(table: Mapping[str, Any], key: str) -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"gate.{key}")
    return float(value)


def _shown(value: float) -> str:
    return f"{value:.3f}"
