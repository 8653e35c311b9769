"""What stands in the way of a run before it begins, where its steps could run, and how long they would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import Denied, Invalid, NotFound, TunesmithError, WorkflowInvalid
from control_plane.domain.graph import DATA, DONE, OPEN, Fact, Graph, Step
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import Actor
from control_plane.domain.workflows import expansion
from control_plane.domain.workflows.spec import Path
from control_plane.services import asking, forecasts, methods
from control_plane.services.access import projects
from control_plane.services.workflows import planning, sources
from control_plane.services.workflows import steps as workflow_steps
from control_plane.services.workflows.planning import Built
from control_plane.services.workflows.sources import Source, Wanted
from control_plane.store.projects import ProjectRecord


@dataclass(frozen=True)
class Problem:
    """Something that keeps a run from beginning."""

    error: TunesmithError
    step: str = ""  # as the spec calls it; empty: it is the whole workflow's
    line: int = 0  # of its text; 0: it has none, or it is not known


@dataclass(frozen=True)
class Foreseen:
    """What a step of a run would take."""

    step: Step
    reused: bool  # its result is there already
    seconds: float | None  # on the quickest machine that is ready; None: not known
    machines: tuple[str, ...]  # that could do it, the best first


@dataclass
class Findings:
    """What a check found."""

    problems: list[Problem] = field(default_factory=list)
    graph: Graph = ()  # as far as it could be built
    steps: list[Foreseen] = field(default_factory=list)  # those of a method; empty where there are problems

    @property
    def seconds(self) -> float:
        """What the steps would take whose time is known, one after the other."""
        return sum(one.seconds or 0.0 for one in self.steps)

    @property
    def unknown(self) -> int:
        """How many steps there are of which nobody can say yet how long they take."""
        return sum(one.seconds is None for one in self.steps)


def check(actor: Actor, cp: ControlPlane, project: str, wanted: Wanted) -> Findings:
    """Everything that can be said of a run without beginning it. Raises NotFound, Denied, FieldInvalid."""
    place = projects.get(actor, cp, project, "workflow.see")
    found = Findings()
    try:
        source = sources.find(actor, cp, project, wanted)
    except WorkflowInvalid as problem:
        found.problems.append(Problem(problem, "", _line(problem)))
        return found
    _Check(actor, cp, place, source, found).whole(wanted)
    if not found.problems:
        _foresee(actor, cp, str(place.name), found)
    return found


class _Check:
    """Looks for as many problems as there are at once."""

    def __init__(self, actor: Actor, cp: ControlPlane, place: ProjectRecord, source: Source, found: Findings) -> None:
        self._actor, self._cp, self._place, self._source, self._found = actor, cp, place, source, found

    def whole(self, wanted: Wanted) -> None:
        built = self._built(wanted)
        if built is None:
            return
        self._found.graph = built.graph
        with self._taken():
            planning.check_permissions(self._actor, self._place, built.graph)
        if sources.lacks_sample(self._actor, self._cp, str(self._place.name), self._source, wanted):
            return  # its start brings it
        with self._taken():
            self._found.graph = planning.on_data(self._actor, self._cp, self._place, built, wanted.dataset_version_id)
            planning.check_data(self._actor, self._cp, self._found.graph)

    def _built(self, wanted: Wanted) -> Built | None:
        """The graph, if it can be built."""
        with self._taken():
            tables = expansion.expand(self._source.spec, wanted.given, self._source.line)
            manifests: dict[str, Manifest] = {}
            for table in tables:
                with self._taken(table["of"]):
                    if name := table.get("method"):
                        manifests[name] = methods.manifest(methods.get(self._actor, self._cp, name))
            if self._found.problems:
                return None
            graph = graphs.build(tables, manifests)
            for step in graph:
                with self._taken(step.of):
                    planning.check_step(step, manifests)
            return Built(self._source.spec, expansion.values(self._source.spec, wanted.given), graph, manifests)
        return None

    @contextmanager
    def _taken(self, step: str = "") -> Iterator[None]:
        """Takes down what goes wrong, once for all variants of a step."""
        try:
            yield
        except (Invalid, Denied, NotFound) as problem:
            step, line = self._place_of(problem, step)
            known = (str(one.error) == str(problem) and one.step == step for one in self._found.problems)
            if not any(known):
                self._found.problems.append(Problem(problem, step, line))

    def _place_of(self, problem: TunesmithError, step: str) -> tuple[str, int]:
        """The spec's step that an error speaks of, and the line of what it means in it."""
        named = str(problem.params.get("place", problem.params.get("step", step))).split(".")
        numbers = {one["name"]: at for at, one in enumerate(self._source.spec.steps)}
        name = step or next((one for one in _names(named[0]) if one in numbers), "")
        if line := _line(problem):
            return name, line
        if name not in numbers:
            return name, 0
        path: Path = ("steps", numbers[name], *named[1:])
        if "parameter" in problem.params:
            path = ("steps", numbers[name], "parameters", str(problem.params["parameter"]))
        return name, self._source.line(path)


def _names(graph_step: str) -> Iterator[str]:
    """What the spec may call a step of the graph: as it is called there, or without a variant's number."""
    yield graph_step
    yield graph_step.rpartition("_")[0]


def _line(problem: TunesmithError) -> int:
    line = problem.params.get("line", 0)
    return line if isinstance(line, int) else 0


def _foresee(actor: Actor, cp: ControlPlane, project: str, found: Findings) -> None:
    """Walk through the graph as far as earlier results lead, and say of each step what it would take."""
    data = (step.dataset_version for step in found.graph if step.kind == DATA)
    facts = workflow_steps.given(found.graph) if all(data) else {}
    told: dict[str, Foreseen] = {}
    try:
        while ready := [step for step in graphs.ready(found.graph, facts) if step.method]:
            for step in ready:
                inputs = graphs.inputs_of(step, facts)
                asked = asking.check(actor, cp, project, step.method, step.title, step.parameters, inputs)
                job = asking.earlier(asked)
                facts[step.name] = workflow_steps.of_job(step, job) if job else Fact(OPEN)
                reused = facts[step.name].state == DONE
                told[step.name] = _forecast(actor, cp, project, step, inputs, reused)
    except (Invalid, Denied, NotFound) as problem:
        found.problems.append(Problem(problem, step.of or step.name))
        return
    for step in found.graph:
        if step.method:
            found.steps.append(told.get(step.name) or Foreseen(step, False, None, _machines(actor, cp, step)))


def _forecast(
    actor: Actor, cp: ControlPlane, project: str, step: Step, inputs: Mapping[str, int], reused: bool
) -> Foreseen:
    if reused or not actor.may("machine.see"):
        return Foreseen(step, reused, 0.0 if reused else None, ())
    forecast = forecasts.forecast(actor, cp, project, step.method, step.parameters, inputs)
    known = [one.seconds for one in forecast.places if one.seconds is not None]
    return Foreseen(step, False, known[0] if known else None, tuple(one.machine_name for one in forecast.places))


def _machines(actor: Actor, cp: ControlPlane, step: Step) -> tuple[str, ...]:
    """Where a step could run, as far as its method alone says it: what it will be given is not there yet."""
    if not actor.may("machine.see"):
        return ()
    manifest = methods.manifest(methods.get(actor, cp, step.method))
    return tuple(forecasts.machines_for(cp, manifest, manifest.memory_estimate(0)))
