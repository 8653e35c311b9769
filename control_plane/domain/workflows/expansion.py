"""What a run of a spec is to do: its steps with the run's values filled in, and one step for each combination of axes.

A step is fanned out over the axes that it refers to, and over those of the steps before it. A step with `best` takes
of all these variants the one whose evaluation is best, and goes on alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from control_plane.domain.errors import (
    WorkflowAxisUnused,
    WorkflowManyVariants,
    WorkflowParameterMissing,
    WorkflowParameterUnfit,
    WorkflowParameterUnknown,
    WorkflowTooLarge,
    WorkflowValueUnfit,
)
from control_plane.domain.graph import DEPLOY
from control_plane.domain.names import LONGEST_NAME, LONGEST_TITLE, of_title
from control_plane.domain.workflows.spec import REFERENCE, Lines, Path, Spec, before, in_order, references

MOST_FANNED = 120  # steps of a run
MOST_FILLED = 1 << 20  # characters of a run's steps, with each value counted wherever it is put

Table = dict[str, Any]
_Variant = tuple[tuple[str, Any], ...]  # axis → the place of its value


def values(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Each parameter of a run with its value: the given one, or the default.

    Raises WorkflowParameterUnknown, WorkflowParameterMissing, WorkflowParameterUnfit.
    """
    for name in given:
        if name not in spec.parameters:
            raise WorkflowParameterUnknown(parameter=name[:40], known=list(spec.parameters))
    found = {}
    for name, one in spec.parameters.items():
        found[name] = given[name] if given.get(name) is not None else one.default
        if found[name] is None:
            raise WorkflowParameterMissing(parameter=name)
        if not one.takes(found[name]):
            raise WorkflowParameterUnfit(parameter=name, wanted=one.wanted())
    return found


def expand(spec: Spec, given: Mapping[str, Any], lines: Lines = lambda path: 0) -> list[Table]:
    """The steps of a run that is given these parameters, as domain/graph.py builds a graph of them.

    Raises what `values` raises, WorkflowManyVariants, WorkflowAxisUnused, WorkflowTooLarge, WorkflowValueUnfit.
    """
    filled, room = values(spec, given), _Room(MOST_FILLED)
    steps = in_order(_wanted(spec, filled))
    axes = _axes(spec, steps, lines)
    found: list[Table] = []
    names: dict[tuple[str, _Variant], str] = {}
    for step in steps:
        for at, variant in enumerate(_combinations(spec, axes[step["name"]]), 1):
            name = f"{step['name']}_{at}" if variant else step["name"]
            names[step["name"], variant] = name
            found.append(_filled(spec, step, name, variant, filled, names, axes, lines, room))
            if len(found) > MOST_FANNED:
                raise WorkflowTooLarge(what="matrix × steps", most=MOST_FANNED)
    return found


def _wanted(spec: Spec, filled: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The steps whose `when` is met, without those that wait for one that is left out."""
    out: set[str] = set()
    kept: list[Mapping[str, Any]] = []
    for step in in_order(spec.steps):
        met = all(filled[name] in wanted for name, wanted in step.get("when", {}).items())
        if met and not out.intersection(before(step)):
            kept.append(step)
        else:
            out.add(step["name"])
    written = {step["name"]: at for at, step in enumerate(spec.steps)}
    return sorted(kept, key=lambda step: written[step["name"]])


def _axes(spec: Spec, steps: Sequence[Mapping[str, Any]], lines: Lines) -> dict[str, tuple[str, ...]]:
    """Over which axes each step is fanned out, in the order of their names: a spec that was stored has no other."""
    found: dict[str, tuple[str, ...]] = {}
    for step in steps:
        own = {name for name in references(step) if name in spec.matrix}
        inherited = {axis for one in before(step) for axis in found[one]}
        where = _path(spec, step)
        if "best" in step:
            offered = set(found[step["best"].partition(".")[0]])
            if own or not inherited <= offered:
                raise WorkflowManyVariants(line=lines(where), place=f"steps.{step['name']}")
            found[step["name"]] = ()
            continue
        if step.get("kind") == DEPLOY and own | inherited:
            raise WorkflowManyVariants(line=lines(where), place=f"steps.{step['name']}")
        found[step["name"]] = tuple(sorted(own | inherited))
    used = {axis for axes in found.values() for axis in axes}
    for axis in spec.matrix:
        if axis not in used and len(steps) == len(spec.steps):  # with steps left out, an axis may go with them
            raise WorkflowAxisUnused(line=lines(("matrix", axis)), place=f"matrix.{axis}")
    return found


def _combinations(spec: Spec, axes: Sequence[str]) -> list[_Variant]:
    places = [[(axis, at) for at in range(len(spec.matrix[axis]))] for axis in axes]
    return [tuple(one) for one in product(*places)]


def _filled(
    spec: Spec,
    step: Mapping[str, Any],
    name: str,
    variant: _Variant,
    filled: Mapping[str, Any],
    names: Mapping[tuple[str, _Variant], str],
    axes: Mapping[str, tuple[str, ...]],
    lines: Lines,
    room: _Room,
) -> Table:
    """A step of the graph: one variant of a step of the spec, or the one that all variants come to."""
    chosen = {axis: spec.matrix[axis][at] for axis, at in variant}
    room.take(chosen)
    filler = _Filler({**filled, **chosen}, f"steps.{step['name']}", lines(_path(spec, step)), room)
    made: Table = {key: filler.fill(step[key]) for key in step if key not in ("when", "inputs", "gate", "best")}
    made |= {key: filler.word(made[key], key) for key in ("method", "dataset") if key in made}
    if "from_data" in made:
        made["from_data"] = {key: filler.word(one, "from_data") for key, one in made["from_data"].items()}
    made |= {"name": name, "of": step["name"], "variant": chosen}
    if step.get("title"):
        made["title"] = _title(step["title"], filler, name.removeprefix(step["name"]).replace("_", "-"))
    gates = [filler.gate(gate) for gate in step.get("gate", ())]
    source = step["best"].partition(".")[0] if "best" in step else ""
    if not source or not axes[source]:
        given = _Given(variant, names, axes)
        made["inputs"] = {key: given.edge(text) for key, text in step.get("inputs", {}).items()}
        made["gates"] = [gate | {"evaluation": given.edge(gate["evaluation"])} for gate in gates]
        return made
    metric = next((one["metric"] for one in gates if one["evaluation"] == step["best"] and one.get("metric")), "")
    made["metric"], made["choices"] = metric, []
    for one in _combinations(spec, axes[source]):
        room.take([gates, [spec.matrix[axis][at] for axis, at in one]])
        given = _Given(one, names, axes)
        made["choices"].append(
            {
                "evaluation": given.edge(step["best"]),
                "inputs": {key: given.edge(text) for key, text in step.get("inputs", {}).items()},
                "gates": [gate | {"evaluation": given.edge(gate["evaluation"])} for gate in gates],
                "variant": {axis: spec.matrix[axis][at] for axis, at in one},
            }
        )
    return made | {"inputs": made["choices"][0]["inputs"], "gates": made["choices"][0]["gates"]}


class _Given:
    """Where the edges of a variant lead: to the variant of the earlier step that has the same values."""

    def __init__(
        self, variant: _Variant, names: Mapping[tuple[str, _Variant], str], axes: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._variant, self._names, self._axes = dict(variant), names, axes

    def edge(self, text: str) -> str:
        step, _, output = text.partition(".")
        return f"{self._names[step, tuple((axis, self._variant[axis]) for axis in self._axes[step])]}.{output}"


class _Room:
    """How much may still be written into the steps of a run."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def take(self, value: Any) -> None:
        """Count a value with all that is in it. Raises WorkflowTooLarge."""
        self._left -= len(value) if isinstance(value, str) else 1
        if self._left < 0:
            raise WorkflowTooLarge(what="${…}", most=MOST_FILLED)
        if isinstance(value, Mapping):
            for key, one in value.items():
                self.take(key)
                self.take(one)
        elif isinstance(value, list):
            for one in value:
                self.take(one)


class _Filler:
    """Puts values in the place of references."""

    def __init__(self, known: Mapping[str, Any], place: str, line: int, room: _Room) -> None:
        self._known, self._place, self._line, self._room = known, place, line, room

    def fill(self, value: Any) -> Any:
        """The value itself where a text is nothing but a reference; else its text. Raises WorkflowTooLarge."""
        if isinstance(value, str):
            self._room.take(value)
            whole = REFERENCE.fullmatch(value)
            if whole and whole[1]:
                return self._value(whole)
            return REFERENCE.sub(lambda found: _text(self._value(found)) if found[1] else "${", value)
        if isinstance(value, Mapping):
            return {key: self.fill(one) for key, one in value.items()}
        return [self.fill(one) for one in value] if isinstance(value, list) else value

    def _value(self, found: Any) -> Any:
        value = self._known[found[1]]
        for key in filter(None, found[2].split(".")):
            if not isinstance(value, Mapping) or key not in value:
                raise WorkflowValueUnfit(line=self._line, place=self._place, wanted=f"${{{found[1]}.…}}")
            value = value[key]
        self._room.take(value)
        return value

    def word(self, value: Any, key: str) -> str:
        """The text of a name, also of one that is a number. Raises WorkflowValueUnfit where it is a table or long."""
        if isinstance(value, Mapping | list) or len(_text(value)) > LONGEST_TITLE:
            wanted = f"string ≤ {LONGEST_TITLE}"
            raise WorkflowValueUnfit(line=self._line, place=f"{self._place}.{key}", wanted=wanted)
        return _text(value)

    def gate(self, one: Mapping[str, Any]) -> Table:
        """A gate with its values."""
        found: Table = self.fill(one)
        return found | {key: self.word(found[key], f"gate.{key}") for key in ("verdict", "metric") if key in found}


def _title(title: str, filler: _Filler, number: str) -> str:
    """What a variant's job is called: as the spec says it with its values, else with its number."""
    if any(True for _ in references(title)):
        return of_title(_text(filler.fill(title)))
    return title[: LONGEST_NAME - len(number)] + number if number else title


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _path(spec: Spec, step: Mapping[str, Any]) -> Path:
    return ("steps", next(at for at, one in enumerate(spec.steps) if one["name"] == step["name"]))
