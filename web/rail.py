"""The Rail of a page: Data → Train → Evaluate → Package → Deploy, what is done (the lineage) and what comes next."""

from __future__ import annotations

from typing import Any

from flask import url_for
from flask_babel import gettext

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import CANCELLED, FAILED, SERVING, SUCCEEDED
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import Actor
from control_plane.services import datasets, models, pins
from control_plane.services.models import Lineage
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord

Stops = dict[str, dict[str, Any]]  # as macros/rail.html takes them

_STOP_OF_KIND = {"train": "train", "evaluate": "evaluate", "export": "package"}


def of_job(
    actor: Actor, cp: ControlPlane, project: str, job: JobRecord, method: Manifest, made: ModelRecord | None
) -> Stops:
    """The Rail of what a job of `method` works on; the job's own stop shows how it stands until its result does."""
    if made is not None:
        return of_model(actor, cp, project, made.id)
    source = pins.given(job, method.subject)
    if job.kind == "train" or source is None:
        stops = _from_dataset(actor, cp, project, job)
    else:
        stops = of_model(actor, cp, project, source)
    own = _STOP_OF_KIND.get(job.kind)
    if own is None or job.state == SUCCEEDED:
        return stops
    for stop in stops.values():
        if stop["state"] == "next":
            stop["state"] = "later"
    url = url_for("jobs.show", project=project, job_id=job.id)
    return stops | {own: {"state": "failed" if job.state in (FAILED, CANCELLED) else "current", "url": url}}


def of_model(actor: Actor, cp: ControlPlane, project: str, model_id: int) -> Stops:
    """The Rail of a model."""
    return of_lineage(project, *models.lineages(actor, cp, model_id))


def of_lineage(project: str, own: Lineage, training: Lineage) -> Stops:
    """The Rail of a model, whatever form it has now; `training` is the lineage of what was trained."""
    if training.dataset is None:
        return _of_untrained(project, own)
    stops = _learnt(project, training) | _evaluated(project, training)
    return stops | _packaged(project, training, own.model)


def _learnt(project: str, lineage: Lineage) -> Stops:
    dataset, version = lineage.dataset, lineage.dataset_version
    if dataset is None or version is None:
        return {}
    data = url_for("datasets.show", project=project, name=dataset.name, version=version.number)
    job = url_for("jobs.show", project=project, job_id=lineage.job.id)
    return {
        "data": {"state": "done", "note": f"{dataset.name} v{version.number}", "url": data},
        "train": {"state": "done", "note": lineage.job.name, "url": job},
    }


def _evaluated(project: str, lineage: Lineage) -> Stops:
    if not lineage.evaluations:
        url = url_for("jobs.new", project=project, kind="evaluate", model=lineage.model.id)
        return {"evaluate": {"state": "next", "url": url}}
    newest = lineage.evaluations[-1]
    notes = {"better": gettext("Better"), "worse": gettext("Worse"), "unclear": gettext("No clear difference")}
    url = url_for("evaluations.show", project=project, evaluation_id=newest.id)
    return {"evaluate": {"state": "done", "note": notes.get(newest.verdict, ""), "url": url}}


def _packaged(project: str, lineage: Lineage, asked: ModelRecord) -> Stops:
    ready = [one for one in lineage.packaged if one.form == "gguf"]
    gguf = next((one for one in ready if one.id == asked.id), ready[-1] if ready else None)
    turn = "next" if lineage.evaluations else "later"
    if gguf is None:
        url = url_for("jobs.new", project=project, kind="export", model=lineage.model.id)
        return {"package": {"state": turn, "url": url}}
    packaged = {"state": "done", "note": gguf.name, "url": url_for("models.show", project=project, model_id=gguf.id)}
    return {"package": packaged, "deploy": _deployed(project, lineage, gguf, turn)}


def _deployed(project: str, lineage: Lineage, gguf: ModelRecord, turn: str) -> dict[str, Any]:
    serving = [one for one in lineage.deployments if one.desired_state == SERVING]
    if not serving:
        return {"state": turn, "url": url_for("deployments.new", project=project, model=gguf.id)}
    url = url_for("deployments.show", project=project, deployment_id=serving[-1].id)
    return {"state": "done", "note": serving[-1].name, "url": url}


def _of_untrained(project: str, lineage: Lineage) -> Stops:
    """A base model: everything is still to come; one that is packaged already can be served as it is."""
    if lineage.model.form == "gguf":
        return {
            "package": {"state": "done", "url": url_for("models.show", project=project, model_id=lineage.model.id)},
            "deploy": _deployed(project, lineage, lineage.model, "next"),
        }
    return {"data": {"state": "next", "url": url_for("datasets.index", project=project)}}


def _from_dataset(actor: Actor, cp: ControlPlane, project: str, job: JobRecord) -> Stops:
    ids = [pin["id"] for pin in job.inputs.values() if pin["kind"] == "dataset"]
    if not ids:
        return {"data": {"state": "next", "url": url_for("datasets.index", project=project)}}
    dataset, version = datasets.of_version(actor, cp, ids[0])
    url = url_for("datasets.show", project=project, name=dataset.name, version=version.number)
    return {"data": {"state": "done", "note": f"{dataset.name} v{version.number}", "url": url}}
