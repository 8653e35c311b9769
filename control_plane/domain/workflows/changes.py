"""A run once more with something changed: the graph that it then has, and what differs between two graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control_plane.domain import graph as graphs
from control_plane.domain.errors import ChangeUnknown
from control_plane.domain.graph import Graph, Step
from control_plane.domain.manifest import Manifest

DATASET, METHOD, PARAMETER, TITLE, WIRING, STEP = "data", "method", "parameter", "title", "wiring", "step"


@dataclass(frozen=True)
class Changes:
    """What is to be different; what is not named stays as it was."""

    methods: Mapping[str, str] = field(default_factory=dict)  # step → method
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # step → name → value; None: the default
    titles: Mapping[str, str] = field(default_factory=dict)  # step → what it makes is called


@dataclass(frozen=True)
class Difference:
    """One thing that differs between two graphs, or runs: in which step, what of it, and the two values."""

    step: str
    what: str  # data | method | parameter | title | wiring | step
    name: str  # of the parameter; empty otherwise
    before: Any  # None: there was none
    after: Any


def changed(graph: Graph, changes: Changes, manifests: Mapping[str, Manifest]) -> Graph:
    """The graph with the changes; a step whose method is another one keeps the parameters that the new one has, too.

    `manifests` are those of all methods of the new graph. Raises ChangeUnknown, and what `graphs.build` raises.
    """
    _check(graph, changes)
    tables = []
    for step, table in zip(graph, graphs.as_data(graph), strict=True):
        method = changes.methods.get(step.name, step.method)
        if method != step.method:
            known = manifests[method].parameters.get("properties", {})
            table["parameters"] = {name: value for name, value in step.parameters.items() if name in known}
        given = changes.parameters.get(step.name, {})
        kept = {name: value for name, value in table["parameters"].items() if name not in given}
        table["parameters"] = kept | {name: value for name, value in given.items() if value is not None}
        table["method"] = method
        table["title"] = changes.titles.get(step.name, step.title)
        del table["kind" if method else "method"], table["outputs"]
        tables.append(table)
    return graphs.build(tables, manifests)


def differences(before: Graph, after: Graph, defaults: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    """What differs, step by step in the order of `after`; a method's `defaults` stand for parameters that are not set.

    Not what data the steps of data stand for: a graph does not say it.
    """
    old, new = ({step.name: step for step in one} for one in (before, after))
    found: list[Difference] = []
    for name in dict.fromkeys([*new, *old]):
        if name not in old or name not in new:
            found.append(Difference(name, STEP, "", _told(old.get(name)), _told(new.get(name))))
        else:
            found += _of_step(old[name], new[name], defaults)
    return found


def _check(graph: Graph, changes: Changes) -> None:
    """What is to be changed is a method's step; the conditions of an approval are the workflow's."""
    known = [step.name for step in graph if step.method]
    for name in (*changes.methods, *changes.parameters, *changes.titles):
        if name not in known:
            raise ChangeUnknown(step=name[:40], known=known)


def _of_step(old: Step, new: Step, defaults: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    name, found = new.name, list[Difference]()
    if (old.kind, old.method) != (new.kind, new.method):
        found.append(Difference(name, METHOD, "", old.method or old.kind, new.method or new.kind))
    first = {**defaults.get(old.method, {}), **old.parameters}
    second = {**defaults.get(new.method, {}), **new.parameters}
    for key in dict.fromkeys([*second, *first]):
        if first.get(key) != second.get(key):
            found.append(Difference(name, PARAMETER, key, first.get(key), second.get(key)))
    if old.title != new.title:
        found.append(Difference(name, TITLE, "", old.title, new.title))
    wired, rewired = _wiring(old), _wiring(new)
    found += [Difference(name, WIRING, key, wired[key], rewired[key]) for key in wired if wired[key] != rewired[key]]
    return found


def _wiring(step: Step) -> dict[str, Any]:
    (table,) = graphs.as_data((step,))
    return {key: table[key] for key in ("inputs", "gates", "choices")}


def _told(step: Step | None) -> str | None:
    return None if step is None else step.method or step.kind
