"""A weighted list of checks as one judge: a reward to learn from, or metrics to measure by.

The list is data: `[{"check": "json_schema", "weight": 1.0, "parameters": {"schema": {…}}}, …]`. What there is, and with
which parameters, says checks.toml; a method may bring checks of its own.
"""

import importlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kit.checking import Case, Check, Found
from kit.events import fail
from kit.own import checks as method_checks


@dataclass(frozen=True)
class Judgement:
    """What the checks found of one answer, each by its name in the list, and their weighted mean, from 0 to 1."""

    found: dict[str, Found]
    total: float

    @property
    def scores(self) -> dict[str, float]:
        """Each check's score."""
        return {name: one.score for name, one in self.found.items()}


class Judged:
    """Judges answers by a list of checks; `names` are the checks', numbered where one occurs again (`regex_2`)."""

    def __init__(
        self, chosen: Sequence[Mapping[str, Any]], own: Mapping[str, Callable[..., Check]] | None = None
    ) -> None:
        """Take over a list; `own` are makers of further checks by name, whose parameters are theirs to refuse.

        Those in the method's own folder `checks/` are among them without being named (kit/own.py).

        Refuses with `checks_missing`, `check_unknown`, `check_parameter_invalid`, `check_library_missing`, and as each
        check does.
        """
        if not chosen or sum(_weight(one) for one in chosen) <= 0:
            fail("checks_missing", "There is no check with a weight above 0 in the list.")
        makers = {**method_checks(), **(own or {})}
        self._checks: dict[str, tuple[Check, float]] = {}
        for one in chosen:
            self._checks[_unused(str(one["check"]), self._checks)] = (_made(one, makers), _weight(one))
        self._weight = sum(weight for _, weight in self._checks.values())

    @property
    def names(self) -> list[str]:
        """The checks' names, in the order of the list."""
        return list(self._checks)

    def judge(self, answer: str, case: Case) -> Judgement:
        """Judge one answer."""
        found = {name: check(answer, case) for name, (check, _) in self._checks.items()}
        total = sum(found[name].score * weight for name, (_, weight) in self._checks.items())
        return Judgement(found, min(total / self._weight, 1.0))


@cache
def catalogue() -> dict[str, Any]:
    """checks.toml: `checks` by name and `reasons` by code."""
    return tomllib.loads(Path(__file__).with_name("checks.toml").read_text(encoding="utf-8"))


def schema_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a check in checks.toml as a JSON Schema of an object."""
    required = [name for name, one in parameters.items() if "default" not in one and "null" not in one["type"]]
    return {"type": "object", "properties": dict(parameters), "required": required, "additionalProperties": False}


def _made(chosen: Mapping[str, Any], own: Mapping[str, Callable[..., Check]]) -> Check:
    name, given = str(chosen["check"]), dict(chosen.get("parameters") or {})
    if name in own:
        return own[name](**given)
    known = catalogue()["checks"]
    if name not in known:
        fail(
            "check_unknown", f"There is no check {name}; there are: {', '.join(known)}.", check=name, known=list(known)
        )
    _validate(name, given)
    make: Callable[..., Check] = importlib.import_module(f"kit.checks.{name}").make
    try:
        return make(**given)
    except ModuleNotFoundError as error:
        said = f"The check {name} needs the library {error.name}, which is not among the method's requirements."
        fail("check_library_missing", said, check=name, library=error.name)


def _validate(name: str, given: dict[str, Any]) -> None:
    import jsonschema

    schema = schema_of(catalogue()["checks"][name]["parameters"])
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(given))
    if problem is not None:
        reason = ": ".join([*map(str, problem.path), problem.message])[:300]
        fail("check_parameter_invalid", f"The check {name} cannot be used: {reason}", check=name, reason=reason)


def _weight(chosen: Mapping[str, Any]) -> float:
    return max(0.0, float(chosen.get("weight", 1.0)))


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(one for one in names if one not in taken)
