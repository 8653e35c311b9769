"""The chain from data to deployment as a graph: steps with named outputs, and edges from an output to an input.

A step is carried out by a method, or it is the data that a run is given, or a deployment. An edge names an output of an
earlier step, so no graph has a circle. From what has come of the steps that have begun follows how every step stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from control_plane.domain import lifecycle
from control_plane.domain.errors import (
    EdgeUnfit,
    EdgeUnknown,
    GraphEmpty,
    StepInputMissing,
    StepInputUnknown,
    StepMalformed,
)
from control_plane.domain.manifest import Input, Manifest
from control_plane.domain.names import LONGEST_NAME

DATA, DEPLOY = "data", "deploy"  # the kinds of step that no method carries out; the others are a method's
VERDICTS = ("better", "worse", "unclear", "unpaired")

# how a step stands
BLOCKED = "blocked"  # it waits for a step before it
READY = "ready"  # nothing is in its way
OPEN = "open"  # it has begun
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"  # how it ended
SKIPPED = "skipped"  # it cannot come about any more: its gate stays shut, or a step before it did not end well

STOPPED = "stopped"  # of a whole run: a step did not end well, and nothing else can begin

_OF_STATE: Mapping[str, str] = {
    lifecycle.SUCCEEDED: DONE,
    lifecycle.SERVING: DONE,
    lifecycle.FAILED: FAILED,
    lifecycle.CANCELLED: CANCELLED,
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_NOT_A_METHODS: Mapping[str, tuple[Mapping[str, Input], Mapping[str, str]]] = {  # kind → inputs, outputs
    DATA: ({}, {"dataset": "dataset"}),
    DEPLOY: (
        {"model": Input("model", "model", ("gguf",), required=True, held_out=False, display="")},
        {"deployment": "deployment"},
    ),
}


@dataclass(frozen=True)
class Edge:
    """An output of a step; written `step.output`."""

    step: str
    output: str

    def __str__(self) -> str:
        return f"{self.step}.{self.output}"


@dataclass(frozen=True)
class Gate:
    """What an evaluation must have found before a step begins; an empty verdict: anything."""

    evaluation: Edge
    verdict: str


@dataclass(frozen=True)
class Step:
    """One step: what it is called, who carries it out, what it is given and what it makes."""

    name: str
    kind: str  # of its method; or data, deploy
    method: str = ""
    title: str = ""  # of the job, of the model it makes, of the deployment
    parameters: Mapping[str, Any] = field(default_factory=dict)
    from_data: Mapping[str, str] = field(default_factory=dict)  # what `fitted` changes: parameter → fact of the data
    inputs: Mapping[str, Edge] = field(default_factory=dict)
    gate: Gate | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)  # name → dataset | model | evaluation | file | deployment

    @property
    def before(self) -> Iterator[str]:
        """The steps that it waits for."""
        yield from (edge.step for edge in self.inputs.values())
        if self.gate is not None:
            yield self.gate.evaluation.step


Graph = tuple[Step, ...]  # each step after those that it waits for


@dataclass(frozen=True)
class Fact:
    """What has come of a step that has begun."""

    state: str
    made: Mapping[str, int] = field(default_factory=dict)  # output → id
    verdict: str = ""  # of an evaluation
    reason: str = ""  # why it failed
    reason_params: Mapping[str, Any] = field(default_factory=dict)


Facts = Mapping[str, Fact]  # by the step's name


def build(source: Sequence[Mapping[str, Any]], manifests: Mapping[str, Manifest]) -> Graph:
    """The graph of a plan's `steps`; `manifests` are those of all methods that it names.

    Raises GraphEmpty, StepMalformed, StepInputMissing, StepInputUnknown, EdgeUnknown, EdgeUnfit.
    """
    graph: list[Step] = []
    for table in source:
        step = _declared(table, manifests)
        if any(step.name == other.name for other in graph):
            raise StepMalformed(step=step.name, problem="name")
        _check_edges(step, graph, manifests)
        graph.append(step)
    if all(step.kind == DATA for step in graph):
        raise GraphEmpty
    return tuple(graph)


def methods_of(source: Sequence[Mapping[str, Any]]) -> list[str]:
    """The methods that a plan's `steps` name."""
    return [str(table["method"]) for table in source if isinstance(table, Mapping) and table.get("method")]


def fitted(graph: Graph, manifests: Mapping[str, Manifest], name: str, facts: Mapping[str, Any]) -> Graph:
    """A case's graph for data other than the case's own: data called `name`, of which these facts are known.

    What comes of the data is called after it. A parameter that its step declares as `from_data` becomes the fact that
    is named there, or the method's default where the data has no such fact.
    """
    made: dict[str, Step] = {}
    called: dict[str, str] = {}
    for step in graph:
        if any(made[one].kind == DATA or one in called for one in step.before):
            called[step.name] = _title(step, manifests, name, list(called.values()))
            step = replace(step, title=called[step.name])
        own = {key: facts.get(fact) for key, fact in step.from_data.items()}
        kept = {key: value for key, value in step.parameters.items() if key not in own}
        made[step.name] = replace(step, parameters=kept | {key: one for key, one in own.items() if one is not None})
    return tuple(made.values())


def as_data(graph: Graph) -> list[dict[str, Any]]:
    """The graph as JSON can hold it; `of_data` reads it again."""
    return [
        {
            "name": step.name,
            "kind": step.kind,
            "method": step.method,
            "title": step.title,
            "parameters": dict(step.parameters),
            "from_data": dict(step.from_data),
            "inputs": {name: str(edge) for name, edge in step.inputs.items()},
            "gate": {"evaluation": str(step.gate.evaluation), "verdict": step.gate.verdict} if step.gate else None,
            "outputs": dict(step.outputs),
        }
        for step in graph
    ]


def of_data(data: Sequence[Mapping[str, Any]]) -> Graph:
    """The graph that `as_data` wrote."""
    return tuple(_step(table, table["kind"], table["outputs"]) for table in data)


def state_of(state: str) -> str:
    """How a step stands that a job or a deployment in this state carries out."""
    return _OF_STATE.get(state, OPEN)


# ---- what follows from the facts


def standing(graph: Graph, facts: Facts) -> dict[str, str]:
    """How each step stands, in the graph's order."""
    found: dict[str, str] = {}
    for step in graph:
        found[step.name] = facts[step.name].state if step.name in facts else _turn(step, found, facts)
    return found


def ready(graph: Graph, facts: Facts) -> list[Step]:
    """The steps that can begin now."""
    stands = standing(graph, facts)
    return [step for step in graph if stands[step.name] == READY]


def inputs_of(step: Step, facts: Facts) -> dict[str, int]:
    """The ids that a ready step is given, by input. Raises StepInputMissing where an output was not made after all."""
    given = {name: facts[edge.step].made.get(edge.output) for name, edge in step.inputs.items()}
    for name, number in given.items():
        if number is None:
            raise StepInputMissing(step=step.name, input=name)
    return {name: number for name, number in given.items() if number is not None}


def outcome(graph: Graph, facts: Facts) -> str:
    """How it all ended: DONE, STOPPED, or "" while a step is open or can begin."""
    stands = set(standing(graph, facts).values())
    if stands & {OPEN, READY}:
        return ""
    return STOPPED if stands & {FAILED, CANCELLED} else DONE


def _turn(step: Step, stands: Mapping[str, str], facts: Facts) -> str:
    """How a step stands that has not begun."""
    before = {stands[name] for name in step.before}
    if before & {FAILED, CANCELLED, SKIPPED}:
        return SKIPPED
    if before - {DONE}:
        return BLOCKED
    gate = step.gate
    shut = gate is not None and gate.verdict not in ("", facts[gate.evaluation.step].verdict)
    return SKIPPED if shut else READY


# ---- reading


def _title(step: Step, manifests: Mapping[str, Manifest], name: str, taken: Sequence[str]) -> str:
    """What a step is called after data: like its job by hand, and with the step's own name where that is taken."""
    if step.kind == DEPLOY:
        return name
    title = manifests[step.method].title_after(name)
    own = f"-{step.name.replace('_', '-')}"
    return title if title not in taken else title[: LONGEST_NAME - len(own)] + own


def _declared(table: Mapping[str, Any], manifests: Mapping[str, Manifest]) -> Step:
    """A step of a plan, with the kind and the outputs that its method declares."""
    if not isinstance(table, Mapping):
        raise StepMalformed(step="", problem=repr(table)[:100])
    name, method, kind = str(table.get("name", "")), table.get("method", ""), table.get("kind", "")
    if not _NAME.fullmatch(name):
        raise StepMalformed(step=name, problem="name")
    if bool(method) == bool(kind) or (kind and kind not in _NOT_A_METHODS):
        raise StepMalformed(step=name, problem=f"method | kind = {DATA}, {DEPLOY}")
    try:
        if kind:
            return _step(table, kind, _NOT_A_METHODS[kind][1])
        manifest = manifests[method]
        return _step(table, manifest.kind, {key: one.kind for key, one in manifest.outputs.items()})
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise StepMalformed(step=name, problem=f"{type(problem).__name__}: {problem}") from problem


def _step(table: Mapping[str, Any], kind: str, outputs: Mapping[str, str]) -> Step:
    gate = table.get("gate")
    return Step(
        name=table["name"],
        kind=kind,
        method=table.get("method", ""),
        title=table.get("title", ""),
        parameters=table.get("parameters", {}),
        from_data=dict(table.get("from_data", {})),
        inputs={name: _edge(text) for name, text in table.get("inputs", {}).items()},
        gate=Gate(_edge(gate["evaluation"]), gate["verdict"]) if gate else None,
        outputs=outputs,
    )


def _edge(text: str) -> Edge:
    step, _, output = text.partition(".")
    return Edge(step, output)


def _check_edges(step: Step, earlier: Sequence[Step], manifests: Mapping[str, Manifest]) -> None:
    """Each edge names something that an earlier step makes, and that the input takes."""
    wanted = manifests[step.method].inputs if step.method else _NOT_A_METHODS[step.kind][0]
    for name in wanted:
        if wanted[name].required and name not in step.inputs:
            raise StepInputMissing(step=step.name, input=name)
    for name, edge in step.inputs.items():
        if name not in wanted:
            raise StepInputUnknown(step=step.name, input=name)
        place, takes = f"{step.name}.inputs.{name}", wanted[name]
        source = _source(place, edge, takes.kind, earlier)
        if takes.kind == "model" and (form := manifests[source.method].outputs[edge.output].form) not in takes.accepts:
            raise EdgeUnfit(place=place, edge=str(edge), accepted=list(takes.accepts), given=form)
    if step.gate is not None:
        _source(f"{step.name}.gate", step.gate.evaluation, "evaluation", earlier)
        if step.gate.verdict not in VERDICTS:
            raise StepMalformed(step=step.name, problem=f"gate.verdict = {', '.join(VERDICTS)}")


def _source(place: str, edge: Edge, kind: str, earlier: Sequence[Step]) -> Step:
    """The earlier step that an edge comes from; its output is of the wanted kind."""
    source = next((one for one in earlier if one.name == edge.step and edge.output in one.outputs), None)
    if source is None:
        raise EdgeUnknown(place=place, edge=str(edge))
    if source.outputs[edge.output] != kind:
        raise EdgeUnfit(place=place, edge=str(edge), accepted=kind, given=source.outputs[edge.output])
    return source


# what people do by hand, job by job: nothing but order; an evaluation comes before packaging, whatever it finds
BY_HAND = of_data(
    [
        {"name": DATA, "kind": DATA, "outputs": {"dataset": "dataset"}},
        {"name": "train", "kind": "train", "inputs": {"dataset": "data.dataset"}, "outputs": {"model": "model"}},
        {
            "name": "evaluate",
            "kind": "evaluate",
            "inputs": {"model": "train.model"},
            "outputs": {"evaluation": "evaluation"},
        },
        {
            "name": "export",
            "kind": "export",
            "inputs": {"model": "train.model"},
            "gate": {"evaluation": "evaluate.evaluation", "verdict": ""},
            "outputs": {"model": "model"},
        },
        {
            "name": DEPLOY,
            "kind": DEPLOY,
            "inputs": {"model": "export.model"},
            "outputs": {"deployment": "deployment"},
        },
    ]
)
