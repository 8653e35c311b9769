"""The Rail of a page: a graph's steps from data to deployment, how each stands, and where it leads.

A workflow run shows its own graph. What was made job by job shows its lineage on the graph of what people do by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain import lifecycle
from control_plane.domain.forms import REWARD
from control_plane.domain.graph import BY_HAND, CANCELLED, DATA, DEPLOY, DONE, FAILED, OPEN, READY, SKIPPED, Fact, Graph
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import Actor
from control_plane.services import deployments, models, pins
from control_plane.services.datasets import versions
from control_plane.services.models import Lineage
from control_plane.services.workflows.runs import Progress, Seen
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord

Stops = dict[str, dict[str, Any]]  # by the step's name, as macros/rail.html takes them

_SHOWN = frozenset({DATA, "train", "evaluate", "export", DEPLOY})  # the kinds of step that have a stop
_LOOKS = {OPEN: "current", DONE: "done", FAILED: "failed", CANCELLED: "cancelled"}


@dataclass(frozen=True)
class _Known:
    """What has come of a step, in a few words, and the page about it."""

    fact: Fact
    note: str = ""
    url: str = ""


def of_case(graph: Graph, dataset: str, there: Collection[str]) -> Stops:
    """The Rail of a run that has not begun: its data is checked, and the results of the steps `there` exist."""
    known = {step.name: _Known(Fact(DONE), dataset) for step in graph if step.kind == DATA}
    known |= {name: _Known(Fact(DONE), gettext("There already")) for name in there}
    stops = _drawn(graph, known)
    return {name: stop | {"note": stop["note"] or gettext("Starts by itself")} for name, stop in stops.items()}


def of_run(project: str, progress: Progress) -> Stops:
    """The Rail of a workflow run."""
    begun = {OPEN, DONE, FAILED, CANCELLED}
    known = {seen.step.name: _seen(project, seen) for seen in progress.steps if seen.state in begun}
    stops = _drawn(tuple(seen.step for seen in progress.steps), known)
    for seen in progress.steps:
        if seen.state == SKIPPED and seen.step.name in stops:
            stops[seen.step.name]["state"] = "skipped"
    return stops


def of_job(
    actor: Actor, cp: ControlPlane, project: str, job: JobRecord, method: Manifest, made: ModelRecord | None
) -> Stops:
    """The Rail of what a job of `method` works on; the job's own stop shows how it stands until its result does."""
    if made is not None:
        return of_model(actor, cp, project, made.id)
    if job.kind == lifecycle.DRY_RUN:  # it is about no data and no model of the project
        return {}
    source = pins.given(job, method.subject)
    if job.kind == "train" or source is None:
        known = _from_dataset(actor, cp, project, job)
    else:
        known = _of_lineage(project, *models.lineages(actor, cp, source))
    if job.state != lifecycle.SUCCEEDED:
        url = url_for("jobs.show", project=project, job_id=job.id)
        known[job.kind] = _Known(Fact(graphs.state_of(job.state)), "", url)
    return _by_hand(project, known)


def of_model(actor: Actor, cp: ControlPlane, project: str, model_id: int) -> Stops:
    """The Rail of a model."""
    return of_lineage(project, *models.lineages(actor, cp, model_id))


def of_lineage(project: str, own: Lineage, training: Lineage) -> Stops:
    """The Rail of a model, whatever form it has now; `training` is the lineage of what was trained."""
    stops = _by_hand(project, _of_lineage(project, own, training))
    # a judge is neither tested with answers nor packed nor served
    return {name: stops[name] for name in (DATA, "train")} if own.model.form == REWARD else stops


def _drawn(graph: Graph, known: Mapping[str, _Known]) -> Stops:
    """The stops of a graph; where nothing is under way and nothing went wrong, the first that can begin comes next."""
    facts = {name: one.fact for name, one in known.items()}
    stands = graphs.standing(graph, facts)
    settled = all(fact.state in (DONE, SKIPPED) for fact in facts.values())
    turn = next((name for name, state in stands.items() if settled and state == READY), "")
    stops = {}
    for step in graph:
        if step.kind in _SHOWN:
            one = known.get(step.name, _Known(Fact("")))
            state = "next" if step.name == turn else _LOOKS.get(stands[step.name], "later")
            stops[step.name] = {"kind": step.kind, "state": state, "note": one.note, "url": one.url}
    return stops


def _by_hand(project: str, known: Mapping[str, _Known]) -> Stops:
    """The stops of what is done job by job; one that can begin leads to the form that begins it."""
    stops, facts = _drawn(BY_HAND, known), {name: one.fact for name, one in known.items()}
    for step in graphs.ready(BY_HAND, facts):
        given: dict[str, Any] = {"project": project} | graphs.inputs_of(step, facts)
        if step.kind == DATA:
            stops[step.name]["url"] = url_for("datasets.index", project=project)
        elif step.kind == DEPLOY:
            stops[step.name]["url"] = url_for("deployments.new", **given)
        else:
            stops[step.name]["url"] = url_for("jobs.new", kind=step.kind, **given)
    return stops


def _seen(project: str, seen: Seen) -> _Known:
    fact = Fact(seen.state, seen.made)
    if seen.step.kind == DATA and (found := versions.with_dataset(seen.made["dataset"])):
        dataset, version = found
        return _data(project, dataset, version)
    if seen.job is not None:
        return _Known(fact, f"#{seen.job.id}", _job(project, seen.job))
    if seen.step.kind == DEPLOY and "deployment" in seen.made:
        url = url_for("deployments.show", project=project, deployment_id=seen.made["deployment"])
        return _Known(fact, seen.step.title, url)
    return _Known(fact)


# ---- lineages


def _of_lineage(project: str, own: Lineage, training: Lineage) -> dict[str, _Known]:
    if training.dataset is None:
        return _of_untrained(project, own)
    return _learnt(project, training) | _evaluated(project, training) | _packaged(project, training, own.model.id)


def _learnt(project: str, lineage: Lineage) -> dict[str, _Known]:
    dataset, version = lineage.dataset, lineage.dataset_version
    if dataset is None or version is None:
        return {}
    made = {} if lineage.model.deleted_at else {"model": int(lineage.model.id)}
    return {
        DATA: _data(project, dataset, version),
        "train": _Known(Fact(DONE, made), lineage.job.label, _job(project, lineage.job)),
    }


def _evaluated(project: str, lineage: Lineage) -> dict[str, _Known]:
    if not lineage.evaluations:
        return {}
    newest = lineage.evaluations[-1]
    notes = {"better": gettext("Better"), "worse": gettext("Worse"), "unclear": gettext("No clear difference")}
    url = url_for("evaluations.show", project=project, evaluation_id=newest.id)
    fact = Fact(DONE, {"evaluation": newest.id}, newest.verdict)
    return {"evaluate": _Known(fact, notes.get(newest.verdict, ""), url)}


def _packaged(project: str, lineage: Lineage, asked: int) -> dict[str, _Known]:
    ready = [one for one in lineage.packaged if one.form == "gguf"]
    gguf = next((one for one in ready if one.id == asked), ready[-1] if ready else None)
    if gguf is None:
        return {}
    url = url_for("models.show", project=project, model_id=gguf.id)
    return {"export": _Known(Fact(DONE, {"model": gguf.id}), gguf.name, url)} | _deployed(project, lineage)


def _deployed(project: str, lineage: Lineage) -> dict[str, _Known]:
    wanted = [one for one in lineage.deployments if one.desired_state == lifecycle.SERVING]
    if not wanted:
        return {}
    url = url_for("deployments.show", project=project, deployment_id=wanted[-1].id)
    state = graphs.state_of(deployments.condition(wanted[-1]).state)
    return {DEPLOY: _Known(Fact(state), wanted[-1].name, url)}


def _of_untrained(project: str, lineage: Lineage) -> dict[str, _Known]:
    """A base model: everything is still to come; one that is packaged already can be served, and not be trained."""
    if lineage.model.form != "gguf":
        return {}
    url = url_for("models.show", project=project, model_id=lineage.model.id)
    packaged = {DATA: _Known(Fact(SKIPPED)), "export": _Known(Fact(DONE, {"model": lineage.model.id}), "", url)}
    return packaged | _deployed(project, lineage)


def _from_dataset(actor: Actor, cp: ControlPlane, project: str, job: JobRecord) -> dict[str, _Known]:
    ids = [pin["id"] for pin in job.inputs.values() if pin["kind"] == "dataset" and pin["id"]]
    if not ids:
        return {}
    dataset, version = versions.of_version(actor, cp, ids[0])
    return {DATA: _data(project, dataset, version)}


def _data(project: str, dataset: DatasetRecord, version: DatasetVersionRecord) -> _Known:
    url = url_for("datasets.show", project=project, name=dataset.name, version=version.number)
    made = {} if dataset.deleted_at else {"dataset": int(version.id)}
    return _Known(Fact(DONE, made), f"{dataset.label} v{version.number}", "" if dataset.purged_at else url)


def _job(project: str, job: JobRecord) -> str:
    """The address of a job's page; of one that was deleted for good there is none."""
    return "" if job.purged_at else url_for("jobs.show", project=project, job_id=job.id)
