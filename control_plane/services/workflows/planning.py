"""From a spec to the graph of a run: over the methods as they are now, and on the data that the run is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import NotFound, WorkflowDatasetUnknown
from control_plane.domain.graph import APPROVAL, DATA, DEPLOY, Graph, Step
from control_plane.domain.manifest import Manifest
from control_plane.domain.names import checked, checked_title
from control_plane.domain.permissions import Actor, require
from control_plane.domain.workflows import expansion
from control_plane.domain.workflows.spec import REFERENCE, Spec
from control_plane.services import asking, methods
from control_plane.services.datasets import versions
from control_plane.services.workflows.sources import Source
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.projects import ProjectRecord


@dataclass(frozen=True)
class Built:
    """A graph whose data is not chosen yet, and what it follows from."""

    spec: Spec
    given: Mapping[str, Any]  # each parameter of the run with its value
    graph: Graph
    manifests: Mapping[str, Manifest]


def build(actor: Actor, cp: ControlPlane, source: Source, given: Mapping[str, Any]) -> Built:
    """The graph of a spec over the methods as they are now.

    Raises WorkflowInvalid, Denied, MethodUnknown, GraphInvalid, NameInvalid, ParameterUnknown, ParameterInvalid.
    """
    tables = expansion.expand(source.spec, given, source.line)
    found = methods.get_all(actor, cp, graphs.methods_of(tables))
    manifests = {name: methods.manifest(record) for name, record in found.items()}
    graph = graphs.build(tables, manifests)
    for step in graph:
        check_step(step, manifests)
    return Built(source.spec, expansion.values(source.spec, given), graph, manifests)


def check_step(step: Step, manifests: Mapping[str, Manifest]) -> None:
    """Raises NameInvalid, FieldInvalid, ParameterUnknown, ParameterInvalid."""
    if step.method:
        methods.check_parameters(manifests[step.method], step.parameters)
    if step.kind == APPROVAL:
        checked_title(step.title)
    elif step.kind != DATA and (step.title or step.kind == DEPLOY):
        checked(step.title)


def on_data(actor: Actor, cp: ControlPlane, project: ProjectRecord, built: Built, dataset_version_id: int = 0) -> Graph:
    """The graph with a dataset version for each data step; `dataset_version_id` is the first one's, if it is given.

    On other data than the spec's own, what is made is called after that data, and parameters follow from it.
    Raises WorkflowDatasetUnknown, NotFound, Denied.
    """
    steps: list[Step] = []
    other: DatasetVersionRecord | None = None
    chosen = dataset_version_id
    for step in built.graph:
        if step.kind != DATA:
            steps.append(step)
            continue
        version = _in_project(actor, cp, project, chosen) if chosen else _named(actor, cp, project, step)
        chosen = 0
        dataset = DatasetRecord.get_by_id(version.dataset_id)
        if other is None and _own(built.spec, step) not in ("", dataset.name):
            other = version
        steps.append(replace(step, dataset=f"{dataset.name}@{version.number}", dataset_version=int(version.id)))
    if other is None:
        return tuple(steps)
    name = str(DatasetRecord.get_by_id(other.dataset_id).name)
    return graphs.fitted(tuple(steps), built.manifests, name, other.facts)


def check_data(actor: Actor, cp: ControlPlane, graph: Graph) -> None:
    """Whether the data suits every step that is given it, also those that come after hours.

    Raises InputUnfit, HeldOutMissing, Denied.
    """
    data = {step.name: step.dataset_version for step in graph if step.kind == DATA}
    for step in graph:
        given = {name: data[edge.step] for name, edge in step.inputs.items() if edge.step in data and step.method}
        if given:
            wanted = methods.manifest(methods.get(actor, cp, step.method)).inputs
            for name, version in given.items():
                asking.check_dataset(wanted[name], DatasetVersionRecord.get_by_id(version))


def check_permissions(actor: Actor, project: ProjectRecord, graph: Graph) -> None:
    """Whether the actor may have each step carried out, also those that come after hours. Raises Denied."""
    kinds = {step.kind for step in graph}
    if DEPLOY in kinds:
        require(actor, "deployment.change", project.id)
    if "import" in kinds:
        require(actor, "model.import", project.id)


def _in_project(actor: Actor, cp: ControlPlane, project: ProjectRecord, number: int) -> DatasetVersionRecord:
    version = versions.get_version(actor, cp, number)
    if DatasetRecord.get_by_id(version.dataset_id).project_id != project.id:
        raise NotFound
    return version


def _named(actor: Actor, cp: ControlPlane, project: ProjectRecord, step: Step) -> DatasetVersionRecord:
    """The version that a data step names: `name`, the newest there is now, or `name@3`."""
    name, _, number = step.dataset.partition("@")
    try:
        found = versions.get_dataset(actor, cp, str(project.name), name)[1] if name else []
    except NotFound:
        found = []
    fitting = [one for one in found if number in ("", str(one.number))]
    if not fitting:
        raise WorkflowDatasetUnknown(step=step.name, dataset=step.dataset[:100])
    return fitting[0]


def _own(spec: Spec, step: Step) -> str:
    """The name of the dataset that a data step is written for; empty where it is for any."""
    table = next(one for one in spec.steps if one["name"] == (step.of or step.name))
    text = str(table.get("dataset", ""))
    if (found := REFERENCE.fullmatch(text)) and found[1]:
        parameter = spec.parameters.get(found[1])
        text = str(parameter.default or "") if parameter else ""
    return text.partition("@")[0]
