"""A workflow run: its graph and how each step stands, cancelling it, and deciding about what it asks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.errors import NotFound, WorkflowRunOver
from control_plane.services import cases
from control_plane.services.workflows import deciding, sources
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows.runs import Progress
from web import rail, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.refusals import shown_again
from web.workflows import seen

blueprint = Blueprint("workflow_runs", __name__, url_prefix="/p/<project>/runs")


@blueprint.get("/<int:run_id>")
@requires("job.see")
def show(project: str, run_id: int) -> ResponseReturnValue:
    """How each step stands, what came of it, and what it asks somebody to decide."""
    actor, cp = the_actor(), the_control_plane()
    progress = _progress(run_id)
    rows = seen.rows(actor, cp, project, progress)
    return render_template(
        "workflow_runs/show.html",
        progress=progress,
        run=progress.run,
        case=case_of(progress),
        rows=rows,
        drawing=seen.drawing(rows),
        asked=seen.asked(actor, progress, rows),
        evaluation=next((row.evaluation for row in rows if row.evaluation), None),
        stops=rail.of_run(project, progress),
        reason=seen.reason(progress),
        topic=_topic(progress),
        snippet=snippets.watch_workflow_run(project, run_id),
    )


@blueprint.post("/<int:run_id>/cancel")
@requires("job.cancel")
def cancel(project: str, run_id: int) -> ResponseReturnValue:
    """Start nothing more, and have its open jobs end."""
    try:
        workflow_runs.cancel(the_actor(), the_control_plane(), _progress(run_id).run.id)
        flash(gettext("The run is cancelled."))
    except WorkflowRunOver as problem:
        flash(sentence(problem), "error")
    return redirect(url_for("workflow_runs.show", project=project, run_id=run_id))


@blueprint.post("/<int:run_id>/approve")
@requires("workflow.approve")
@shown_again("decide", show, "note")
def approve(project: str, run_id: int) -> ResponseReturnValue:
    """Let what a step asks about go on."""
    deciding.approve(the_actor(), the_control_plane(), *_decision(run_id))
    flash(gettext("Approved: the run goes on."))
    return redirect(url_for("workflow_runs.show", project=project, run_id=run_id))


@blueprint.post("/<int:run_id>/refuse")
@requires("workflow.approve")
@shown_again("decide", show, "note")
def refuse(project: str, run_id: int) -> ResponseReturnValue:
    """Have nothing come of what a step asks about."""
    deciding.refuse(the_actor(), the_control_plane(), *_decision(run_id))
    flash(gettext("Refused: nothing behind this step happens."))
    return redirect(url_for("workflow_runs.show", project=project, run_id=run_id))


def case_of(progress: Progress) -> dict[str, Any]:
    """The case that a run carries out, as crumbs name it: {"title", "url"}; without an address where it is gone."""
    name = progress.run.case
    try:
        case = cases.get(the_actor(), the_control_plane(), name)
    except NotFound:
        return {"title": progress.run.label, "url": ""}
    title = sources.plan_of(case, locale()).title
    return {"title": title, "url": url_for("cases.show", project=the_project().name, name=name)}


def _decision(run_id: int) -> tuple[int, str, str]:
    return _progress(run_id).run.id, request.form.get("step", "")[:64], request.form.get("note", "")


def _progress(run_id: int) -> Progress:
    """A run of the address's project."""
    progress = workflow_runs.progress(the_actor(), the_control_plane(), run_id)
    if progress.run.project_id != the_project().id:
        raise NotFound
    return progress


def _topic(progress: Progress) -> str:
    """What changes this page: the project's news, and each job's and deployment's own."""
    own = [f"job:{one.job.id}" for one in progress.steps if one.job is not None]
    if served := progress.first("deployment"):
        own.append(f"deployment:{served}")
    return " ".join([f"project:{the_project().id}", *own])
