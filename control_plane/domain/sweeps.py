"""Sweeps: one job asked for with several settings, to find the best. What is varied, and which result is best.

A varied parameter is a list of values, or a range from which values are drawn; on a logarithmic scale each power of ten
gets as many.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.domain.errors import (
    FieldInvalid,
    ParameterInvalid,
    ParameterUnknown,
    SweepTooLarge,
    SweepWithoutChoice,
)
from control_plane.domain.learning import HELD_OUT_LOSS

REWARD = "reward"
OBJECTIVES: Mapping[str, bool] = {HELD_OUT_LOSS: False, REWARD: True}  # curve → whether more of it is better

_UNBOUNDED = 1e300  # what a range keeps below: its width is a number, too; NaN does not
MOST_TRIALS, MOST_AT_ONCE, MOST_VARIED, MOST_CHOICES = 200, 50, 10, 50

DONE, STOPPED, CANCELLED = "done", "stopped", "cancelled"  # how a sweep ends; "" while it goes on


@dataclass(frozen=True)
class Choices:
    """One of these values."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """A number from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False
    whole: bool = False  # an integer


Space = Mapping[str, Choices | Range]


@dataclass(frozen=True)
class Trial:
    """A job of a sweep: the varied parameters as it has them, and what came of it."""

    number: int  # of the job
    values: Mapping[str, Any]
    over: bool
    value: float | None  # the objective's last value once the job has succeeded
    course: tuple[tuple[int, float], ...] = ()  # (step, value) on the way


def space(varied: Mapping[str, Any], properties: Mapping[str, Any], method: str = "") -> Space:
    """What is varied, from `{"lora_rank": [4, 8], "learning_rate": {"low": 0.0001, "high": 0.01, "log": true}}`.

    `properties` are those of the method's parameter schema. Raises SweepWithoutChoice, SweepTooLarge, ParameterUnknown,
    ParameterInvalid.
    """
    if not varied:
        raise SweepWithoutChoice
    if len(varied) > MOST_VARIED:
        raise SweepTooLarge(what="parameters", count=len(varied), limit=MOST_VARIED)
    for name in varied:
        if name not in properties:
            raise ParameterUnknown(method=method, parameter=name)
    return {name: _dimension(name, given, properties[name]) for name, given in varied.items()}


def as_data(dimensions: Space) -> dict[str, Any]:
    """A space as `space` reads it."""
    return {
        name: list(one.values)
        if isinstance(one, Choices)
        else {"low": one.low, "high": one.high} | ({"log": True} if one.log else {})
        for name, one in dimensions.items()
    }


def corners(dimensions: Space) -> Iterable[dict[str, Any]]:
    """For each varied parameter the values that bound it: what a method takes at these it takes in between."""
    for name, one in dimensions.items():
        for value in one.values if isinstance(one, Choices) else (one.low, one.high):
            yield {name: value}


def combinations(dimensions: Space) -> list[dict[str, Any]] | None:
    """All settings of a space without ranges, in order; None where there is a range, or more than a sweep can try."""
    if any(isinstance(one, Range) for one in dimensions.values()):
        return None
    if math.prod(len(one.values) for one in dimensions.values() if isinstance(one, Choices)) > MOST_TRIALS:
        return None
    lists = [one.values for one in dimensions.values() if isinstance(one, Choices)]
    return [dict(zip(dimensions, values, strict=True)) for values in itertools.product(*lists)]


def check_counts(trials: int, at_once: int) -> None:
    """Raises FieldInvalid."""
    if not 1 <= trials <= MOST_TRIALS:
        raise FieldInvalid(field="trials", problem=f"1 … {MOST_TRIALS}")
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise FieldInvalid(field="at_once", problem=f"1 … {MOST_AT_ONCE}")


def more_is_better(objective: str) -> bool:
    """Whether a higher value of this objective is better. Raises FieldInvalid for one that is unknown."""
    if objective not in OBJECTIVES:
        raise FieldInvalid(field="objective", problem=" | ".join(OBJECTIVES))
    return OBJECTIVES[objective]


def best(trials: Sequence[Trial], objective: str) -> Trial | None:
    """The trial with the best last value; None while there is none."""
    valued = [one for one in trials if one.value is not None and math.isfinite(one.value)]
    sign = -1 if more_is_better(objective) else 1
    return min(valued, key=lambda one: (sign * (one.value or 0.0), one.number), default=None)


def _dimension(name: str, given: Any, schema: Mapping[str, Any]) -> Choices | Range:
    if isinstance(given, list):
        return _choices(name, given)
    if isinstance(given, Mapping) and {"low", "high"} <= given.keys() <= {"low", "high", "log"}:
        return _range(name, given, schema)
    raise ParameterInvalid(parameter=name, problem='[…] | {"low": …, "high": …, "log": true}')


def _choices(name: str, given: list[Any]) -> Choices:
    distinct: list[Any] = []
    for value in given:
        if not any(value == one and type(value) is type(one) for one in distinct):
            distinct.append(value)
        if len(distinct) > MOST_CHOICES:  # said at once: each value is compared with all of these
            raise SweepTooLarge(what=name, count=len(given), limit=MOST_CHOICES)
    if len(distinct) < 2:
        raise SweepWithoutChoice
    return Choices(tuple(distinct))


def _range(name: str, given: Mapping[str, Any], schema: Mapping[str, Any]) -> Range:
    low, high, log = given["low"], given["high"], given.get("log", False)
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (low, high))
    if not numbers or not isinstance(log, bool) or not all(abs(one) < _UNBOUNDED for one in (low, high)):
        raise ParameterInvalid(parameter=name, problem='{"low": …, "high": …, "log": true}')
    if "enum" in schema or schema.get("type") not in ("number", "integer"):
        raise ParameterInvalid(parameter=name, problem="[…]")
    if low >= high:
        raise ParameterInvalid(parameter=name, problem=f"{low} < {high}")
    if log and low <= 0:
        raise ParameterInvalid(parameter=name, problem=f"{low} > 0 (log)")
    return Range(low, high, log, schema["type"] == "integer")
