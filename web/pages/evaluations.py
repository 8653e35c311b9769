"""Evaluations: is the tuned model better? The verdict in words, the scores with their intervals, and each answer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.domain.lifecycle import SERVING
from control_plane.services import evaluation_rows, evaluations, jobs, models, results
from control_plane.services.datasets import versions
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from web import rail, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.pages.item import Item
from web.paging import asked_page
from web.workflows.seen import ANSWERS_SHOWN

blueprint = Blueprint("evaluations", __name__, url_prefix="/p/<project>/evaluations")
navigation = Item("work", "evaluations.index", _("Evaluate"), "scale", "evaluation.see", "g e")


@blueprint.get("")
@requires("evaluation.see")
def index(project: str) -> ResponseReturnValue:
    """Every evaluation of the project, newest first."""
    actor, cp = the_actor(), the_control_plane()
    page = asked_page(evaluations.count(actor, cp, project), 25)
    found = evaluations.list_evaluations(actor, cp, project, page.size, page.offset)
    names = results.model_names({one.candidate_id for one in found} | {one.baseline_id for one in found})
    return render_template(
        "evaluations/index.html",
        evaluations=[(one, _own(one)) for one in found],
        page=page,
        names=names,
        snippet=snippets.list_evaluations(project),
    )


@blueprint.get("/new")
@requires("job.submit")
def new(project: str) -> ResponseReturnValue:
    """The form of the evaluation method, with what the address says about it."""
    said: dict[str, Any] = request.args.to_dict() | {"kind": "evaluate", "project": project}
    return redirect(url_for("jobs.new", **said))


@blueprint.get("/<int:evaluation_id>")
@requires("evaluation.see")
def show(project: str, evaluation_id: int) -> ResponseReturnValue:
    """The verdict first, then the scores, then the answers."""
    actor, cp = the_actor(), the_control_plane()
    evaluation = evaluations.get(actor, cp, evaluation_id)
    if evaluation.project_id != the_project().id:
        raise NotFound
    lineage, training = models.lineages(actor, cp, evaluation.candidate_id)
    only = request.args.get("show", "")
    page = asked_page(evaluation_rows.count(cp, evaluation, only), ANSWERS_SHOWN)
    dataset, version = versions.of_version(actor, cp, evaluation.dataset_version_id)
    return render_template(
        "evaluations/show.html",
        evaluation=evaluation,
        candidate=models.named(actor, cp, evaluation.candidate_id),
        baseline=models.named(actor, cp, evaluation.baseline_id) if evaluation.baseline_id else None,
        own=_own(evaluation),
        scores=_by_metric(evaluation),
        rows=evaluation_rows.read(cp, evaluation, only, page.offset, page.size),
        page=page,
        only=only,
        dataset=dataset,
        version=version,
        package=_package(lineage),
        deployment=next((one for one in reversed(lineage.deployments) if one.desired_state == SERVING), None),
        packaging=_packaging(project, evaluation),
        rail=rail.of_lineage(project, lineage, training),
        snippet=snippets.show_evaluation(project, evaluation_id),
    )


def _own(evaluation: EvaluationRecord) -> dict[str, Any]:
    """candidate name → its score of the primary metric."""
    return {one["candidate"]: one for one in evaluation.scores if one["metric"] == evaluation.primary_metric}


def _by_metric(evaluation: EvaluationRecord) -> dict[str, dict[str, Any]]:
    """metric → candidate → score; the primary metric first."""
    found: dict[str, dict[str, Any]] = {evaluation.primary_metric: {}}
    for score in evaluation.scores:
        found.setdefault(score["metric"], {})[score["candidate"]] = score
    return found


def _package(lineage: models.Lineage) -> ModelRecord | None:
    """The newest packaged form of the model under test, None if there is none yet."""
    return next((one for one in reversed(lineage.packaged) if one.form == "gguf"), None)


def _packaging(project: str, evaluation: EvaluationRecord) -> JobRecord | None:
    """A job that is packaging the model under test just now."""
    open_jobs = jobs.unfinished(the_actor(), the_control_plane(), project, "export")
    return next((job for job in open_jobs if _packages(job, evaluation.candidate_id)), None)


def _packages(job: JobRecord, model_id: int) -> bool:
    return any(pin["id"] == model_id for pin in job.inputs.values() if pin["kind"] == "model")
