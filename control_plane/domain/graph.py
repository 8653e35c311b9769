"""The chain from data to deployment as a graph: steps with named outputs, and edges from an output to an input.

A step is carried out by a method, or it is the data that a run is given, or a deployment, or an approval: somebody
decides whether what it is given goes on. An edge names an output of an earlier step, so no graph has a circle. From
what has come of the steps that have begun follows how every step stands. A step with `choices` is given what belongs to
the best of several evaluations (domain/workflows/expansion.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from control_plane.domain import forms, lifecycle
from control_plane.domain.errors import (
    EdgeUnfit,
    EdgeUnknown,
    GraphEmpty,
    NoneBest,
    StepInputMissing,
    StepInputUnknown,
    StepMalformed,
    TunesmithError,
)
from control_plane.domain.manifest import Input, Manifest
from control_plane.domain.names import LONGEST_NAME
from control_plane.domain.workflows import gates
from control_plane.domain.workflows.gates import Edge, Gate, Marks

DATA, DEPLOY, APPROVAL = "data", "deploy", "approval"  # the kinds that no method carries out; the others are a method's

# how a step stands
BLOCKED = "blocked"  # it waits for a step before it
READY = "ready"  # nothing is in its way
OPEN = "open"  # it has begun
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"  # how it ended
REFUSED = "refused"  # of an approval: somebody said no, or nobody said anything in time; of a run: so it ended
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
    APPROVAL: (  # what it is given goes on under the same name: its outputs are its inputs
        {
            "model": Input("model", "model", forms.ALL, required=False, held_out=False, display=""),
            "evaluation": Input("evaluation", "evaluation", (), required=False, held_out=False, display=""),
        },
        {},
    ),
}
_LONGEST_APPROVAL = 366.0  # days

KINDS = tuple(_NOT_A_METHODS)


@dataclass(frozen=True)
class Retry:
    """How often a step's job is asked for again after it has failed, and after which failures."""

    times: int = 0
    after: str = "infrastructure"  # the machines' or the control plane's fault; or any


@dataclass(frozen=True)
class Choice:
    """One of several variants: its evaluation, and what a step is given and what must hold if that is the best."""

    evaluation: Edge
    inputs: Mapping[str, Edge]
    gates: tuple[Gate, ...] = ()
    variant: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step: what it is called, who carries it out, what it is given and what it makes."""

    name: str
    kind: str  # of its method; or one of KINDS
    method: str = ""
    title: str = ""  # of the job, of the model it makes, of the deployment; of an approval what is asked, in any words
    parameters: Mapping[str, Any] = field(default_factory=dict)
    from_data: Mapping[str, str] = field(default_factory=dict)  # what `fitted` changes: parameter → fact of the data
    inputs: Mapping[str, Edge] = field(default_factory=dict)
    gates: tuple[Gate, ...] = ()  # all of them have to open
    outputs: Mapping[str, str] = field(default_factory=dict)  # name → dataset | model | evaluation | file | deployment
    retry: Retry = Retry()
    choices: tuple[Choice, ...] = ()  # of variants; `inputs` and `gates` are then those of the first
    metric: str = ""  # by which the best of them is chosen; empty: each evaluation's primary one
    of: str = ""  # the step of the spec that it is a variant of; empty: itself
    variant: Mapping[str, Any] = field(default_factory=dict)  # axis → value
    dataset: str = ""  # of data: the dataset's name, with @ and a number where it is a fixed version
    dataset_version: int = 0  # … and the version that the run was given

    @property
    def own(self) -> bool:
        """Of an approval: whether whoever started the run may decide (`own`); else somebody other has to."""
        return bool(self.parameters.get("own", False))

    @property
    def days(self) -> float:
        """Of an approval: after how many days without a decision it is refused; 0: never."""
        return float(self.parameters.get("days", 0.0))

    @property
    def before(self) -> Iterator[str]:
        """The steps that it waits for."""
        for one in self.choices or (Choice(Edge("", ""), self.inputs, self.gates),):
            yield from (edge.step for edge in one.inputs.values())
            yield from (gate.evaluation.step for gate in one.gates)
            if self.choices:
                yield one.evaluation.step


Graph = tuple[Step, ...]  # each step after those that it waits for


@dataclass(frozen=True)
class Fact:
    """What has come of a step that has begun."""

    state: str
    made: Mapping[str, int] = field(default_factory=dict)  # output → id
    verdict: str = ""  # of an evaluation, also of one that an approval passes on
    reason: str = ""  # why it failed
    reason_params: Mapping[str, Any] = field(default_factory=dict)
    marks: Marks | None = None  # … and what it found


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
    after = {step.name for step in graph if step.kind == DATA}  # what comes of the data, and the data
    for step in graph:
        if not after.isdisjoint(step.before):
            after.add(step.name)
        if step.name in after and step.kind not in (DATA, APPROVAL):
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
            "gates": [gates.as_data(gate) for gate in step.gates],
            "outputs": dict(step.outputs),
            "retry": asdict(step.retry),
            "choices": [_choice_data(one) for one in step.choices],
            "metric": step.metric,
            "of": step.of,
            "variant": dict(step.variant),
            "dataset": step.dataset,
            "dataset_version": step.dataset_version,
        }
        for step in graph
    ]


def _choice_data(one: Choice) -> dict[str, Any]:
    return {
        "evaluation": str(one.evaluation),
        "inputs": {name: str(edge) for name, edge in one.inputs.items()},
        "gates": [gates.as_data(gate) for gate in one.gates],
        "variant": dict(one.variant),
    }


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
    edges = step.inputs if (best := chosen(step, facts)) is None else best.inputs
    given = {name: facts[edge.step].made.get(edge.output) for name, edge in edges.items()}
    for name, number in given.items():
        if number is None:
            raise StepInputMissing(step=step.name, input=name)
    return {name: number for name, number in given.items() if number is not None}


def outcome(graph: Graph, facts: Facts) -> str:
    """How it all ended: DONE, STOPPED, REFUSED, or "" while a step is open or can begin."""
    stands = standing(graph, facts)
    if set(stands.values()) & {OPEN, READY}:
        return ""
    bad = {name for name, state in stands.items() if state in (FAILED, CANCELLED)}
    if bad - set(_spared(graph, facts)):
        return STOPPED
    return REFUSED if REFUSED in stands.values() else DONE


def is_tried_again(step: Step, reason: str, tries: int) -> bool:
    """Whether a step's job is asked for again that has failed for this reason, after so many tries."""
    after_any = step.retry.after != Retry().after
    return tries <= step.retry.times and (after_any or reason in lifecycle.INFRASTRUCTURE_FAULTS)


def chosen(step: Step, facts: Facts) -> Choice | None:
    """Of a step's choices the one whose evaluation is the best so far; None without choices or evaluations."""
    scored = [one for one in step.choices if _scored(one, facts)]
    found = gates.best([facts[one.evaluation.step].marks or Marks() for one in scored], step.metric)
    if found is None:  # none has that metric: the first, whose gate says so
        return scored[0] if scored else None
    return scored[found]


def shut(step: Step, facts: Facts) -> TunesmithError | None:
    """Why a step whose turn it is cannot begin: a gate of it; None where all are open."""
    best = chosen(step, facts)
    if step.choices and best is None:
        return NoneBest()
    for gate in best.gates if best else step.gates:
        found = facts[gate.evaluation.step]
        if (problem := gates.shut(gate, found.verdict, found.marks)) is not None:
            return problem
    return None


def _scored(one: Choice, facts: Facts) -> bool:
    """Whether a variant has come so far that a step could be given it."""
    needed = {one.evaluation.step, *(edge.step for edge in one.inputs.values())}
    needed |= {gate.evaluation.step for gate in one.gates}
    return all(name in facts and facts[name].state == DONE for name in needed)


def _spared(graph: Graph, facts: Facts) -> Iterator[str]:
    """The variants' steps that may end badly without the whole doing so: there is another variant that did not."""
    by_name = {step.name: step for step in graph}
    for step in graph:
        if any(_scored(one, facts) for one in step.choices):
            lost = [one.evaluation.step for one in step.choices if not _scored(one, facts)]
            while lost:
                name = lost.pop()
                if by_name[name].variant:
                    yield name
                    lost.extend(by_name[name].before)


def _turn(step: Step, stands: Mapping[str, str], facts: Facts) -> str:
    """How a step stands that has not begun."""
    before = {stands[name] for name in step.before}
    if step.choices:  # those that ended badly are left out; the best is known once none can come any more
        if before & {BLOCKED, READY, OPEN}:
            return BLOCKED
    elif before & {FAILED, CANCELLED, REFUSED, SKIPPED}:
        return SKIPPED
    elif before - {DONE}:
        return BLOCKED
    return READY if shut(step, facts) is None else SKIPPED


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
        raise StepMalformed(step=name, problem=f"method | kind = {', '.join(KINDS)}")
    try:
        if kind == APPROVAL:
            step = _step(table, kind, {name: name for name in table.get("inputs", {})})
            _check_approval(step)
            return step
        if kind:
            return _step(table, kind, _NOT_A_METHODS[kind][1])
        manifest = manifests[method]
        return _step(table, manifest.kind, {key: one.kind for key, one in manifest.outputs.items()})
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise StepMalformed(step=name, problem=f"{type(problem).__name__}: {problem}") from problem


def _check_approval(step: Step) -> None:
    """Its options are of their types, and there is something to decide about."""
    asked = {"own": False, "days": 0} | dict(step.parameters)
    if not isinstance(asked.pop("own"), bool):
        raise StepMalformed(step=step.name, problem="parameters.own = true | false")
    days = asked.pop("days")
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= _LONGEST_APPROVAL:
        raise StepMalformed(step=step.name, problem=f"parameters.days = 0 … {_LONGEST_APPROVAL:g}")
    if asked:
        raise StepMalformed(step=step.name, problem=f"parameters.{next(iter(asked))}")
    if not step.inputs:
        raise StepInputMissing(step=step.name, input="evaluation | model")


def _step(table: Mapping[str, Any], kind: str, outputs: Mapping[str, str]) -> Step:
    own = table["gates"] if "gates" in table else [table["gate"]] if table.get("gate") else []
    return Step(
        name=table["name"],
        kind=kind,
        method=table.get("method", ""),
        title=table.get("title", ""),
        parameters=table.get("parameters", {}),
        from_data=dict(table.get("from_data", {})),
        inputs=_edges(table.get("inputs", {})),
        gates=tuple(gates.gate(one) for one in own),
        outputs=outputs,
        retry=Retry(**table.get("retry", {})),
        choices=tuple(_choice(one) for one in table.get("choices", ())),
        metric=table.get("metric", ""),
        of=table.get("of", ""),
        variant=dict(table.get("variant", {})),
        dataset=table.get("dataset", ""),
        dataset_version=table.get("dataset_version", 0),
    )


def _choice(table: Mapping[str, Any]) -> Choice:
    own = tuple(gates.gate(one) for one in table["gates"])
    return Choice(gates.edge(table["evaluation"]), _edges(table["inputs"]), own, dict(table["variant"]))


def _edges(table: Mapping[str, str]) -> dict[str, Edge]:
    return {name: gates.edge(text) for name, text in table.items()}


def _check_edges(step: Step, earlier: Sequence[Step], manifests: Mapping[str, Manifest]) -> None:
    """Each edge names something that an earlier step makes, and that the input takes."""
    wanted = manifests[step.method].inputs if step.method else _NOT_A_METHODS[step.kind][0]
    for name in wanted:
        if wanted[name].required and name not in step.inputs:
            raise StepInputMissing(step=step.name, input=name)
    for one in step.choices or (None,):
        for name, edge in (one or step).inputs.items():
            _check_input(step, name, edge, wanted, earlier, manifests)
        for gate in (one or step).gates:
            _source(f"{step.name}.gate", gate.evaluation, "evaluation", earlier)
            if not gate.asks:
                raise StepMalformed(step=step.name, problem="gate = verdict | at_least | margin | certain")
        if one is not None:
            _source(f"{step.name}.best", one.evaluation, "evaluation", earlier)


def _check_input(
    step: Step,
    name: str,
    edge: Edge,
    wanted: Mapping[str, Input],
    earlier: Sequence[Step],
    manifests: Mapping[str, Manifest],
) -> None:
    if name not in wanted:
        raise StepInputUnknown(step=step.name, input=name)
    place, takes = f"{step.name}.inputs.{name}", wanted[name]
    _source(place, edge, takes.kind, earlier)
    if takes.kind == "model" and (form := _form(edge, earlier, manifests)) not in takes.accepts:
        raise EdgeUnfit(place=place, edge=str(edge), accepted=list(takes.accepts), given=form)


def _source(place: str, edge: Edge, kind: str, earlier: Sequence[Step]) -> Step:
    """The earlier step that an edge comes from; its output is of the wanted kind."""
    source = next((one for one in earlier if one.name == edge.step and edge.output in one.outputs), None)
    if source is None:
        raise EdgeUnknown(place=place, edge=str(edge))
    if source.outputs[edge.output] != kind:
        raise EdgeUnfit(place=place, edge=str(edge), accepted=kind, given=source.outputs[edge.output])
    return source


def _form(edge: Edge, earlier: Sequence[Step], manifests: Mapping[str, Manifest]) -> str:
    """The form of the model at an edge; what an approval passes on is what it was given."""
    source = next(one for one in earlier if one.name == edge.step)
    if source.kind == APPROVAL:
        return _form(source.inputs[edge.output], earlier, manifests)
    return manifests[source.method].outputs[edge.output].form


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
            "gate": {"evaluation": "evaluate.evaluation"},
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
