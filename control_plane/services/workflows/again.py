"""A run once more with something changed: what it would be, what differs and what is used again; and its start.

What is changed is the graph that the run was begun with, so that it does not matter what the graph came from. The
conditions of an approval are the workflow's and cannot be changed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import ChangeUnknown, Denied, GraphInvalid, MethodUnknown, NotFound, NothingChanged
from control_plane.domain.graph import DATA, Graph, Step
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import Actor
from control_plane.domain.workflows import changes
from control_plane.domain.workflows.changes import Changes, Difference
from control_plane.services import audit, methods, pins, results
from control_plane.services.access import projects
from control_plane.services.datasets import versions
from control_plane.services.things.kinds import DATASET, is_kept
from control_plane.services.workflows import planning, runs, steps
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import WorkflowRunRecord

VERSION = "method_version"  # what of a step differs where its method was written anew; beside those of `changes`
MOST_OFFERED = 100


@dataclass(frozen=True)
class Wish:
    """What is to be different; what is not named stays as it was."""

    dataset_version_id: int = 0  # of the run's first data; 0: as it was
    base_id: int = 0  # a base model of the project, in place of the one that the run brings in; 0: as it was
    methods: Mapping[str, str] = field(default_factory=dict)  # step → method
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # step → name → value; None: the default


@dataclass(frozen=True)
class Planned:
    """What a run would be, and what it has to do with the one before."""

    before: WorkflowRunRecord
    graph: Graph
    differences: list[Difference]
    there: set[str]  # the steps whose result is there already

    @property
    def anew(self) -> list[Step]:
        """The steps that are carried out anew."""
        return [step for step in self.graph if step.kind != DATA and step.name not in self.there]


@dataclass(frozen=True)
class Offered:
    """What there is to choose from."""

    versions: list[tuple[DatasetRecord, DatasetVersionRecord]]  # that fit, the newest first
    newest: DatasetVersionRecord | None  # a newer version of the data that the run had, if there is one
    bases: list[ModelRecord]  # that were brought in by the same method as the run's
    instead: dict[str, list[str]]  # step of a training → the methods that can take its place, its own among them
    methods: Mapping[str, MethodVersionRecord]  # every method there is, by name


def plan(actor: Actor, cp: ControlPlane, run_id: int, wish: Wish) -> Planned:
    """What a run would be with the wish.

    Raises NotFound, Denied, ChangeUnknown, MethodUnknown, GraphInvalid, ParameterUnknown, ParameterInvalid, InputUnfit,
    HeldOutMissing, and what submitting its jobs would raise.
    """
    run = runs.get(actor, cp, run_id, "job.submit")
    place = projects.of_id(actor, cp, run.project_id, "job.submit")
    before = graphs.of_data(run.graph)
    asked = _changes(actor, cp, place, before, wish)
    manifests = _manifests(actor, cp, before, asked)
    after = changes.changed(before, asked, manifests)
    for step in after:
        planning.check_step(step, manifests)
    after = _on_data(actor, cp, place, after, wish.dataset_version_id, manifests)
    planning.check_permissions(actor, place, after)
    planning.check_data(actor, cp, after)
    return Planned(
        before=run,
        graph=after,
        differences=_differences(actor, cp, run, before, after),
        there=runs.foreseen(actor, cp, str(place.name), after),
    )


def start(actor: Actor, cp: ControlPlane, run_id: int, wish: Wish, idempotency_key: str = "") -> WorkflowRunRecord:
    """Begin the run. The same key gets the same run. Raises NothingChanged, and what `plan` raises."""
    if actor.kind != "user":  # its jobs are submitted in somebody's name, also later
        raise Denied(permission="job.submit")
    before = runs.get(actor, cp, run_id, "job.submit")
    if idempotency_key and (known := runs.with_key(before.project_id, idempotency_key)) is not None:
        return known
    planned = plan(actor, cp, run_id, wish)
    if not planned.differences:
        raise NothingChanged
    data = [step.dataset_version for step in planned.graph if step.kind == DATA]
    kept = {name: getattr(before, name) for name in ("title", "case", "workflow_version_id", "spec", "given")}
    with transaction():
        if idempotency_key and (known := runs.with_key(before.project_id, idempotency_key)) is not None:
            return known
        pins.refuse_gone(before.project_id, [{"kind": DATASET, "id": number} for number in data])
        run = WorkflowRunRecord.create(
            project=before.project_id,
            repeats=before,
            dataset_version=data[0] if data else None,
            graph=graphs.as_data(planned.graph),
            idempotency_key=idempotency_key[:100] or None,
            created_by=int(actor.id),
            created_at=cp.clock(),
            **kept,
        )
        told = [f"{one.step}.{one.name or one.what}" for one in planned.differences][:20]
        subject = f"workflow_run:{run.id}"
        audit.record(actor, cp, "workflow_run.start", subject, before.project_id, repeats=before.id, changed=told)
    steps.carry_on(cp, run)
    cp.signals.wake(f"project:{before.project_id}")
    return WorkflowRunRecord.get_by_id(run.id)


def offered(actor: Actor, cp: ControlPlane, run_id: int) -> Offered:
    """What a run could be given instead. Raises NotFound, Denied."""
    run = runs.get(actor, cp, run_id, "job.submit")
    project = str(ProjectRecord.get_by_id(run.project_id).name)
    graph = graphs.of_data(run.graph)
    records = {str(one.name): one for one in methods.list_methods(actor, cp)}
    known = {name: methods.manifest(one) for name, one in records.items()}
    usable = all(step.method in known for step in graph if step.method)
    pairs = versions.list_versions(actor, cp, project) if usable else []
    fitting = sorted((pair for pair in pairs if _takes(graph, known, pair[1])), key=lambda pair: -int(pair[1].id))
    had = next((step.dataset_version for step in graph if step.kind == DATA), 0)
    own = next((dataset.id for dataset, version in pairs if version.id == had), 0)
    given = next((version for _dataset, version in pairs if version.id == had), None)
    newer = [version for dataset, version in fitting if dataset.id == own and version.id > had]
    return Offered(
        versions=fitting[:MOST_OFFERED],
        newest=newer[0] if newer else None,
        bases=_bases(run.project_id, graph),
        instead={step.name: _instead(graph, step, known, given) for step in graph if step.kind == "train" and usable},
        methods=records,
    )


def differences_of(actor: Actor, cp: ControlPlane, before_id: int, after_id: int) -> list[Difference]:
    """What two runs of a project were asked to do differently. Raises NotFound, Denied."""
    first, second = runs.get(actor, cp, before_id), runs.get(actor, cp, after_id)
    if first.project_id != second.project_id:
        raise NotFound
    before, after = graphs.of_data(first.graph), graphs.of_data(second.graph)
    told = changes.differences(before, after, _defaults(actor, cp, before, after))
    return [*_data(before, after), *told, *_rewritten(_versions(first), _versions(second))]


def base_of(step: Step, bases: Sequence[ModelRecord]) -> int | None:
    """Which of these base models a step brings in: the newest that was brought in by the same parameters."""
    asked = {
        job.id: job.parameters for job in JobRecord.select().where(JobRecord.id.in_([one.job_id for one in bases]))
    }
    own = (one for one in bases if step.parameters.items() <= asked[one.job_id].items())
    return next((int(one.id) for one in own), None)


# ---- the graph with the wish


def _changes(actor: Actor, cp: ControlPlane, place: ProjectRecord, graph: Graph, wish: Wish) -> Changes:
    """The wish, with the base model as what the step that brings it in is asked for."""
    if not wish.base_id:
        return Changes(wish.methods, wish.parameters)
    brought = [step.name for step in graph if step.kind == "import"]
    if len(brought) != 1:
        raise ChangeUnknown(step="import", known=brought)
    base = next((one for one in _bases(place.id, graph) if one.id == wish.base_id), None)
    if base is None:
        raise NotFound
    asked = JobRecord.get_by_id(base.job_id).parameters
    parameters = dict(wish.parameters) | {brought[0]: {**asked, **wish.parameters.get(brought[0], {})}}
    return Changes(wish.methods, parameters, titles={brought[0]: str(base.name)})


def _manifests(actor: Actor, cp: ControlPlane, graph: Graph, asked: Changes) -> dict[str, Manifest]:
    """Those of all methods that the new graph names, as they are now."""
    named = {asked.methods.get(step.name, step.method) for step in graph if step.method}
    return {name: methods.manifest(methods.get(actor, cp, name)) for name in sorted(named)}


def _on_data(
    actor: Actor, cp: ControlPlane, place: ProjectRecord, graph: Graph, number: int, manifests: Mapping[str, Manifest]
) -> Graph:
    """The graph with another version of its first data; what follows from the data follows from the new one.

    Of another dataset, what is made is called after that one (`graphs.fitted`).
    """
    had = next((step for step in graph if step.kind == DATA), None)
    if not number or had is None or had.dataset_version == number:
        return graph
    version = versions.get_version(actor, cp, number)
    dataset = DatasetRecord.get_by_id(version.dataset_id)
    if dataset.project_id != place.id:
        raise NotFound
    given = replace(had, dataset=f"{dataset.name}@{version.number}", dataset_version=int(version.id))
    after = tuple(given if step is had else step for step in graph)
    old = DatasetVersionRecord.get_by_id(had.dataset_version)
    if old.dataset_id != version.dataset_id:
        return graphs.fitted(after, manifests, str(dataset.name), version.facts)
    return tuple(_refitted(step, old.facts, version.facts) for step in after)


def _refitted(step: Step, old: Mapping[str, Any], new: Mapping[str, Any]) -> Step:
    """A step whose parameters that were facts of the data are facts of its new version."""
    follows = {key: new.get(fact) for key, fact in step.from_data.items() if step.parameters.get(key) == old.get(fact)}
    kept = {key: value for key, value in step.parameters.items() if key not in follows}
    return replace(step, parameters=kept | {key: one for key, one in follows.items() if one is not None})


# ---- what differs


def _differences(
    actor: Actor, cp: ControlPlane, run: WorkflowRunRecord, before: Graph, after: Graph
) -> list[Difference]:
    now = {step.name: methods.get(actor, cp, step.method) for step in after if step.method}
    told = changes.differences(before, after, _defaults(actor, cp, before, after))
    return [*_data(before, after), *told, *_rewritten(_versions(run), now)]


def _defaults(actor: Actor, cp: ControlPlane, *graphs_: Graph) -> dict[str, dict[str, Any]]:
    """Each method's defaults, as it is now; none of a method that is no more."""
    found = {}
    for name in {step.method for graph in graphs_ for step in graph if step.method}:
        with suppress(MethodUnknown):
            found[name] = methods.manifest(methods.get(actor, cp, name)).complete({})
    return found


def _data(before: Graph, after: Graph) -> list[Difference]:
    """Which data differs, as `name@number`."""
    old = {step.name: step for step in before if step.kind == DATA}
    return [
        Difference(step.name, changes.DATASET, "", old[step.name].dataset, step.dataset)
        for step in after
        if step.kind == DATA and step.name in old and old[step.name].dataset_version != step.dataset_version
    ]


def _versions(run: WorkflowRunRecord) -> dict[str, MethodVersionRecord]:
    """The method versions that a run's jobs have pinned, by step."""
    jobs = steps.jobs_of([run])
    pinned = {name: jobs[one["job"]].method_version_id for name, one in run.begun.items() if one.get("job") in jobs}
    found = results.methods_of(set(pinned.values()))
    return {name: found[number] for name, number in pinned.items()}


def _rewritten(old: Mapping[str, MethodVersionRecord], new: Mapping[str, MethodVersionRecord]) -> list[Difference]:
    """Where a method has the same name and is another version: its script, or the kit, has changed."""
    return [
        Difference(name, VERSION, str(new[name].name), one.hash[:12], new[name].hash[:12])
        for name, one in old.items()
        if name in new and one.name == new[name].name and one.hash != new[name].hash
    ]


# ---- what is offered


def _takes(graph: Graph, manifests: Mapping[str, Manifest], version: DatasetVersionRecord) -> bool:
    """Whether each step that is given the run's data could be given this version."""
    data = {step.name for step in graph if step.kind == DATA}
    wanted = [
        manifests[step.method].inputs[name]
        for step in graph
        if step.method
        for name, edge in step.inputs.items()
        if edge.step in data
    ]
    return all(version.format in one.accepts and (version.test_sha256 or not one.held_out) for one in wanted)


def _bases(project_id: int, graph: Graph) -> list[ModelRecord]:
    """The project's base models that the method of the run's import brought in, the newest first."""
    brought = {step.method for step in graph if step.kind == "import"}
    query = ModelRecord.select().join(JobRecord, on=(ModelRecord.job == JobRecord.id))
    query = query.join(MethodVersionRecord, on=(JobRecord.method_version == MethodVersionRecord.id))
    mine = query.where(ModelRecord.project == project_id, ModelRecord.form == "base", is_kept(ModelRecord))
    of_method = mine.where(MethodVersionRecord.name.in_(sorted(brought)))
    return list(of_method.order_by(ModelRecord.id.desc()).limit(MOST_OFFERED)) if brought else []


def _instead(graph: Graph, step: Step, known: Mapping[str, Manifest], data: DatasetVersionRecord | None) -> list[str]:
    """The methods that can take the place of a step's: the graph fits together with them, and they take the data."""
    found = []
    for name, manifest in known.items():
        if manifest.kind == step.kind:
            with suppress(GraphInvalid):
                after = changes.changed(graph, Changes(methods={step.name: name}), known)
                if data is None or _takes(after, known, data):
                    found.append(name)
    return found
