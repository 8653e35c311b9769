"""A workflow's spec: its name, what a run can be given, and its steps; and the canonical form that it is written in.

docs/developers/workflows.md describes each key; `KEYS` are all there are. What a method takes is not looked at here:
that is a matter of the moment at which a run begins (services/workflows/checks.py).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from control_plane.domain.errors import WorkflowCircle
from control_plane.domain.workflows.gates import GATE_KEYS

Path = tuple[str | int, ...]  # where something stands in the data: ("steps", 2, "gate", "metric")
Lines = Callable[[Path], int]  # in which line of the text; 0: not known

STRING, INTEGER, NUMBER, BOOLEAN, DATASET = "string", "integer", "number", "boolean", "dataset"
TYPES = (STRING, INTEGER, NUMBER, BOOLEAN, DATASET)  # of a run's parameters
INFRASTRUCTURE, ANY = "infrastructure", "any"  # the failures after which a step is tried again

KEYS: Mapping[str, tuple[str, ...]] = {
    "workflow": ("name", "title", "description", "case", "parameters", "matrix", "steps"),
    "parameter": ("type", "title", "default", "choices", "minimum", "maximum"),
    "step": (
        "name", "kind", "method", "title", "dataset", "inputs", "parameters", "from_data", "gate", "best", "retry",
        "when",
    ),
    "gate": GATE_KEYS,
    "retry": ("times", "after"),
}  # fmt: skip
MOST_STEPS, MOST_PARAMETERS, MOST_VARIANTS, MOST_GATES, MOST_RETRIES = 50, 50, 24, 8, 10

STEP_NAME = re.compile(r"[a-z][a-z0-9_]{0,27}")  # what is added to a variant's name has room in a graph's step
REFERENCE = re.compile(r"\$\$\{|\$\{([a-z][a-z0-9_]*)((?:\.[A-Za-z0-9_]+)*)\}")  # ${name} or ${axis.key}; $${ is ${


@dataclass(frozen=True)
class RunParameter:
    """What a run can be given."""

    name: str
    type: str
    title: str = ""
    default: Any = None  # None: a run must be given one
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def bounds(self) -> str:
        """The least and the most, in signs that every language shares; empty where there are none."""
        ends = [f"≥ {self.minimum:g}"] if self.minimum is not None else []
        return " ".join([*ends, *([f"≤ {self.maximum:g}"] if self.maximum is not None else [])])

    def wanted(self) -> str:
        """What it takes, in a spec's own words."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        return f"{self.type if self.type != DATASET else 'dataset | dataset@number'} {self.bounds}".rstrip()

    def takes(self, value: Any) -> bool:
        """Whether this value fits."""
        if not is_a(value, self.type) or (self.choices and value not in self.choices):
            return False
        above = self.minimum is None or value >= self.minimum
        return above and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True)
class Spec:
    """A workflow as somebody wrote it."""

    name: str
    title: str = ""
    description: str = ""
    case: str = ""  # whose steps these are, if it is one that ships with Tunesmith
    parameters: Mapping[str, RunParameter] = field(default_factory=dict)
    matrix: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # axis → its values
    steps: tuple[Mapping[str, Any], ...] = ()  # as they were written, checked; `gate` is a list

    @property
    def label(self) -> str:
        return self.title or self.name


def as_data(spec: Spec) -> dict[str, Any]:
    """The spec as plain data in its canonical form: what is empty is left out; `parse` reads it again."""
    texts = {"title": spec.title, "description": spec.description, "case": spec.case}
    found: dict[str, Any] = {"name": spec.name} | {key: text for key, text in texts.items() if text}
    if spec.parameters:
        found["parameters"] = {name: _parameter_data(one) for name, one in spec.parameters.items()}
    if spec.matrix:
        found["matrix"] = {name: list(values) for name, values in spec.matrix.items()}
    return found | {"steps": [_step_data(step) for step in spec.steps]}


def digest(spec: Spec) -> str:
    """The sha256 of the canonical form: two texts that say the same have the same, whatever their layout."""
    whole = json.dumps(as_data(spec), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def before(step: Mapping[str, Any]) -> Iterator[str]:
    """The steps that a step waits for, as the spec says it."""
    for text in step.get("inputs", {}).values():
        yield text.partition(".")[0]
    for gate in step.get("gate", ()):
        yield gate["evaluation"].partition(".")[0]
    if "best" in step:
        yield step["best"].partition(".")[0]


def in_order(steps: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The steps, each after those that it waits for, otherwise as they are written. Raises WorkflowCircle."""
    left, found, known = list(steps), [], set[str]()
    while left:
        step = next((one for one in left if known.issuperset(before(one))), None)
        if step is None:
            raise WorkflowCircle(steps=" → ".join(_circle({str(one["name"]): one for one in left}, known)))
        left.remove(step)
        found.append(step)
        known.add(step["name"])
    return found


def references(value: Any) -> Iterator[str]:
    """The names of the parameters and axes that a value refers to."""
    if isinstance(value, str):
        yield from (found[1] for found in REFERENCE.finditer(value) if found[1])
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from references(one)


def _circle(left: Mapping[str, Mapping[str, Any]], known: set[str]) -> list[str]:
    """A walk from step to step that comes back to where it began; each of `left` waits for another of them."""
    walk = [next(iter(left))]
    while walk[-1] not in walk[:-1]:
        walk.append(next(name for name in before(left[walk[-1]]) if name not in known))
    return walk[walk.index(walk[-1]) :]


def is_a(value: Any, kind: str) -> bool:
    if kind == BOOLEAN:
        return isinstance(value, bool)
    if kind in (INTEGER, NUMBER):
        whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        return whole or (kind == NUMBER and isinstance(value, float) and isfinite(value))
    return isinstance(value, str) and printable(value) and (kind == STRING or bool(value))


def _parameter_data(one: RunParameter) -> dict[str, Any]:
    told = {"type": one.type, "title": one.title or None, "default": one.default, "choices": list(one.choices) or None}
    told |= {"minimum": one.minimum, "maximum": one.maximum}
    return {key: value for key, value in told.items() if value is not None}


def _step_data(step: Mapping[str, Any]) -> dict[str, Any]:
    ordered = {key: step[key] for key in KEYS["step"] if key in step}
    if len(step.get("gate", ())) == 1:
        ordered["gate"] = step["gate"][0]
    return ordered


def printable(text: str) -> bool:
    """Whether it holds no control character besides line breaks and tabs, and no half of a character."""
    return all(letter in "\n\t" or (letter >= " " and not "\ud800" <= letter <= "\udfff") for letter in text)
