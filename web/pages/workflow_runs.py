"""A workflow run: its graph and how each step stands, deciding about what it asks, and running it once more."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from control_plane.domain import graph
from control_plane.domain.errors import Conflict, Denied, Invalid, NotFound, TunesmithError, WorkflowRunOver
from control_plane.services import cases
from control_plane.services.workflows import again as again_runs
from control_plane.services.workflows import comparing, deciding, sources
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows.again import Wish
from control_plane.services.workflows.runs import Progress
from control_plane.statuses import STATUS
from control_plane.store.workflows import WorkflowRunRecord
from web import rail, snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.paging import asked_number
from web.refusals import shown_again
from web.workflows import again_form, compared, seen

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
        evaluation=(evaluation := next((row.evaluation for row in rows if row.evaluation), None)),
        wrong=seen.wrong(cp, evaluation) if evaluation and progress.run.outcome and _is_shut(progress) else None,
        data_url=next((made.url for row in rows if row.step.kind == graph.DATA for made in row.made), ""),
        stops=rail.of_run(project, progress),
        cost=workflow_runs.machine_seconds(cp, [run_id])[run_id] if progress.run.outcome else 0.0,
        reason=seen.reason(progress),
        topic=_topic(progress),
        snippet=snippets.watch_workflow_run(project, run_id),
    )


@blueprint.post("/<int:run_id>/cancel")
@requires("job.cancel")
def cancel(project: str, run_id: int) -> ResponseReturnValue:
    """Start nothing more, and have its open jobs end."""
    try:
        workflow_runs.cancel(the_actor(), the_control_plane(), _run(run_id).id)
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


# ---- again with one change


@blueprint.get("/<int:run_id>/again")
@requires("job.submit")
def again(project: str, run_id: int) -> ResponseReturnValue:
    """The form of a run once more, and what differs so far."""
    return _again(project, run_id)


@blueprint.post("/<int:run_id>/plan")
@requires("job.submit")
def plan(project: str, run_id: int) -> ResponseReturnValue:
    """What differs and what is used again, for the form as it stands."""
    run = _run(run_id)
    wish = again_form.wish(the_actor(), the_control_plane(), run, request.form)
    return render_template("workflow_runs/plan.html", **_planned(project, run, wish))


@blueprint.post("/<int:run_id>/again")
@requires("job.submit")
def repeat(project: str, run_id: int) -> ResponseReturnValue:
    """Start it; or the form again, with what is wrong."""
    actor, cp, run = the_actor(), the_control_plane(), _run(run_id)
    if again_form.drawn(actor, cp, run, "", request.form).errors:
        return _again(project, run_id, request.form), 400
    try:
        wish = again_form.wish(actor, cp, run, request.form)
        begun = again_runs.start(actor, cp, run.id, wish, request.form.get("key", ""))
    except (Invalid, Conflict) as problem:
        return _again(project, run_id, request.form, problem), STATUS[problem.status].http
    return redirect(url_for("workflow_runs.show", project=project, run_id=begun.id))


@blueprint.get("/<int:run_id>/compare")
@requires("job.see")
def compare(project: str, run_id: int) -> ResponseReturnValue:
    """What the change did: this run beside the one that it repeats, or beside another (`with`)."""
    actor, cp, run = the_actor(), the_control_plane(), _run(run_id)
    others = [one for one in workflow_runs.list_runs(actor, cp, project) if one.id != run.id]
    number = asked_number("with", 0) or run.repeats_id or max((one.id for one in others if one.id < run.id), default=0)
    found = comparing.compare(actor, cp, _run(number).id, run.id) if number else None
    graphs = [graph.of_data(one.run.graph) for one in (found.before, found.after)] if found else []
    words = [(str(one.id), gettext("Run %(number)s", number=one.id)) for one in others]
    return render_template(
        "workflow_runs/compare.html",
        run=run,
        before=found.before if found else None,
        others=words,
        differences=compared.told(found.differences, *graphs) if found else [],
        measured=[(one, compared.sentence(one)) for one in found.measured] if found else [],
        snippet=snippets.compare_workflow_runs(project, number or run.id, run.id),
    )


def _again(
    project: str, run_id: int, sent: MultiDict[str, str] | None = None, problem: TunesmithError | None = None
) -> str:
    run = _run(run_id)
    form = again_form.drawn(the_actor(), the_control_plane(), run, request.args.get("step", ""), sent)
    return render_template(
        "workflow_runs/again.html",
        run=run,
        form=form,
        labels={one.control: one.label for group in form.groups for one in group.fields},
        problem=sentence(problem) if problem is not None else "",
        snippet=snippets.repeat_workflow_run(project, run.id, again_form.fresh_wish(form)),
    )


def _planned(project: str, run: WorkflowRunRecord, wish: Wish) -> dict[str, Any]:
    """What `plan.html` draws: the plan, or why there is none."""
    shown: dict[str, Any] = {"run": run, "planned": None, "problem": ""}
    shown["snippet"] = snippets.repeat_workflow_run(project, run.id, wish)
    try:
        planned = again_runs.plan(the_actor(), the_control_plane(), run.id, wish)
    except (Invalid, Conflict, Denied) as problem:
        return shown | {"problem": sentence(problem)}
    told = compared.told(planned.differences, graph.of_data(run.graph), planned.graph)
    steps = [(step, step.name if step.variant else seen.step_word(step)) for step in planned.graph]
    return shown | {"planned": planned, "differences": told, "steps": steps}


def case_of(progress: Progress) -> dict[str, Any]:
    """The case that a run carries out, as crumbs name it: {"title", "url"}; without an address where it is gone."""
    name = progress.run.case
    try:
        case = cases.get(the_actor(), the_control_plane(), name)
    except NotFound:
        return {"title": progress.run.label, "url": ""}
    title = sources.plan_of(case, locale()).title
    return {"title": title, "url": url_for("cases.show", project=the_project().name, name=name)}


def _is_shut(progress: Progress) -> bool:
    """Whether a gate of an ended run stayed shut."""
    return any(one.shut is not None for one in progress.steps)


def _decision(run_id: int) -> tuple[int, str, str]:
    return _run(run_id).id, request.form.get("step", "")[:64], request.form.get("note", "")


def _run(run_id: int) -> WorkflowRunRecord:
    """A run of the address's project."""
    run = workflow_runs.get(the_actor(), the_control_plane(), run_id)
    if run.project_id != the_project().id:
        raise NotFound
    return run


def _progress(run_id: int) -> Progress:
    """A run of the address's project, and how far it is."""
    return workflow_runs.progress(the_actor(), the_control_plane(), _run(run_id).id)


def _topic(progress: Progress) -> str:
    """What changes this page: the project's news, and each job's and deployment's own."""
    own = [f"job:{one.job.id}" for one in progress.steps if one.job is not None]
    if served := progress.first("deployment"):
        own.append(f"deployment:{served}")
    return " ".join([f"project:{the_project().id}", *own])
