"""Cases of one's own: a run that ended well is saved as one, shared, exported, imported, and rated by colleagues."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.cases.archive import LARGEST
from control_plane.domain.errors import FieldInvalid, NotFound
from control_plane.domain.plans import TASKS
from control_plane.services import cases
from control_plane.services.case_library import notes, saving
from control_plane.services.case_library.saving import Story
from control_plane.services.workflows import runs, sources
from control_plane.store.workflows import WorkflowRunRecord
from web import snippets, words
from web.access import requires, the_actor, the_control_plane, the_project
from web.languages import locale
from web.pages.cases import index, show
from web.paging import whole_number
from web.refusals import shown_again
from web.security import takes_upload

blueprint = Blueprint("saved_cases", __name__)


@blueprint.get("/p/<project>/cases/<name>/run/<int:run_id>/save")
@requires("case.change")
def new(project: str, name: str, run_id: int) -> ResponseReturnValue:
    """The form that asks for the story; what can be found is filled in."""
    actor, cp = the_actor(), the_control_plane()
    plan = sources.plan_of(cases.get(actor, cp, name), locale())
    return render_template(
        "cases/save.html",
        case=plan,
        run=_run(name, run_id),
        tasks=[(one, words.task(one)) for one in TASKS],
        largest=LARGEST,
        snippet=snippets.save_case(project, run_id),
    )


@blueprint.post("/p/<project>/cases/<name>/run/<int:run_id>/save")
@requires("case.change")
@shown_again("save", new)
def save(project: str, name: str, run_id: int) -> ResponseReturnValue:
    """Save the run as a case, in the language of the page."""
    sent = {key: request.form.get(key, "").replace("\r\n", "\n").strip() for key in request.form}
    for key in ("title", "problem"):
        if not sent.get(key):
            raise FieldInvalid(field=key, problem=gettext("This is needed."))
    story = Story(
        language=locale(),
        title=sent["title"],
        field=sent.get("field", ""),
        task=sent.get("task", ""),
        problem=sent["problem"],
        need=sent.get("need", ""),
        result=sent.get("result", ""),
    )
    run = _run(name, run_id)
    with_data, shared = sent.get("data") == "whole", sent.get("shared") == "true"
    made = saving.save(the_actor(), the_control_plane(), run.id, story, with_data, shared)
    flash(gettext("The run is saved as a case."))
    return redirect(url_for("cases.show", project=project, name=made.name))


@blueprint.post("/p/<project>/cases/<name>/share")
@requires("case.change")
def share(project: str, name: str) -> ResponseReturnValue:
    """Show a saved case in every project, or keep it in its own again."""
    shared = request.form.get("shared") == "true"
    saving.share(the_actor(), the_control_plane(), name, shared)
    flash(
        gettext("Every project sees this case now.") if shared else gettext("Only its own project sees this case now.")
    )
    return redirect(url_for("cases.show", project=project, name=name))


@blueprint.post("/p/<project>/cases/<name>/delete")
@requires("case.change")
def delete(project: str, name: str) -> ResponseReturnValue:
    """Delete a saved case."""
    saving.delete(the_actor(), the_control_plane(), name)
    flash(gettext("The case is deleted."))
    return redirect(url_for("cases.index", project=project))


@blueprint.get("/p/<project>/cases/<name>/export")
@requires("case.see")
def export(project: str, name: str) -> ResponseReturnValue:
    """A case as one file."""
    archive = saving.export(the_actor(), the_control_plane(), name)
    named = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(archive, mimetype="application/zip", headers=named)


@blueprint.post("/p/<project>/cases/-/import")
@requires("case.change")
@shown_again("import", index)
def bring(project: str) -> ResponseReturnValue:
    """A case from a file that somebody exported."""
    archive = request.files.get("archive")
    if archive is None or not archive.filename:
        raise FieldInvalid(field="archive", problem=gettext("Choose a file."))
    made = saving.bring(the_actor(), the_control_plane(), project, archive.stream.read(LARGEST + 1))
    flash(gettext("The case is imported. Only this project sees it."))
    return redirect(url_for("cases.show", project=project, name=made.name))


takes_upload(bring)


@blueprint.post("/p/<project>/cases/<name>/rate")
@requires("case.see")
@shown_again("rate", show)
def rate(project: str, name: str) -> ResponseReturnValue:
    """Say what one thinks of a case."""
    text = request.form.get("text", "")
    notes.write(the_actor(), the_control_plane(), name, whole_number(request.form.get("rating", "")), text)
    flash(gettext("Your note is kept."))
    return redirect(url_for("cases.show", project=project, name=name))


def _run(name: str, run_id: int) -> WorkflowRunRecord:
    """A run of the address's project and case."""
    run = runs.get(the_actor(), the_control_plane(), run_id)
    if run.project_id != the_project().id or run.case != name:
        raise NotFound
    return run
