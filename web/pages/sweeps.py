"""Sweeps: a training with several settings; which of them was best."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from control_plane.domain import sweeps
from control_plane.domain.errors import Invalid, NotFound, SweepOver
from control_plane.domain.learning import HELD_OUT_LOSS
from control_plane.services import jobs, methods, results
from control_plane.services.sweeps import runs
from control_plane.services.sweeps.runs import Progress, Wanted
from control_plane.store.jobs import JobRecord
from web import fleet_snippets, formatting, job_form, parallel, policy_form, sweep_form, words
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.job_form import Draft
from web.languages import locale
from web.paging import whole_number

blueprint = Blueprint("sweeps", __name__, url_prefix="/p/<project>/sweeps")

TRIALS, AT_ONCE = 8, 2  # what the form begins with


@blueprint.get("")
@requires("job.see")
def index(project: str) -> ResponseReturnValue:
    """The sweeps of the project, the newest first."""
    found = runs.of_project(the_actor(), the_control_plane(), project)
    names = results.methods_of({one.sweep.method_version_id for one in found})
    return render_template("sweeps/index.html", found=found, methods=names, snippet=fleet_snippets.list_sweeps(project))


@blueprint.get("/new")
@requires("job.submit")
def new(project: str) -> ResponseReturnValue:
    """The form, which begins as a training job: that is what is tried with other settings."""
    before = _training(request.args.get("from", ""))
    return _form(before, _draft(before), MultiDict(), {})


@blueprint.post("")
@requires("job.submit")
def start(project: str) -> ResponseReturnValue:
    """Begin; or the form again, with what is wrong at each field."""
    before = _training(request.form.get("from", ""))
    draft = _draft(before)
    varied, errors = sweep_form.read(draft.manifest.parameters, request.form, formatting.decimal_sign(locale()))
    if errors:
        return _form(before, draft, request.form, errors), 400
    wanted = Wanted(
        method=draft.record.name,
        varied=varied,
        trials=whole_number(request.form.get("trials", "")),
        at_once=whole_number(request.form.get("at_once", "")),
        objective=request.form.get("objective", ""),
        name=request.form.get("name", "").strip(),
        parameters=draft.parameters,
        inputs=job_form.references(draft),
        seed=before.seed,
        policy=policy_form.policy(draft.policy, the_control_plane().clock()),
    )
    try:
        sweep = runs.start(the_actor(), the_control_plane(), project, wanted, request.form.get("key", ""))
    except Invalid as problem:
        return _form(before, draft, request.form, {_control(problem): sentence(problem)}), 400
    return redirect(url_for("sweeps.show", project=project, sweep_id=sweep.id))


@blueprint.get("/<int:sweep_id>")
@requires("job.see")
def show(project: str, sweep_id: int) -> ResponseReturnValue:
    """Its jobs with the values they were given, and which was best."""
    seen = _seen(sweep_id)
    manifest = methods.manifest(methods.of_version(seen.sweep.method_version_id), locale())
    properties = manifest.parameters.get("properties", {})
    labels = {name: str(properties.get(name, {}).get("title", name)) for name in seen.sweep.space}
    best = seen.best.number if seen.best else 0
    picture = parallel.draw(
        runs.space_of(seen.sweep), seen.trials, best, labels, words.curve(seen.sweep.objective), _number
    )
    cp, decimal = the_control_plane(), formatting.decimal_sign(locale())
    return render_template(
        "sweeps/show.html",
        seen=seen,
        sweep=seen.sweep,
        method=manifest.display,
        rows=_rows(seen),
        best=best,
        labels=labels,
        picture=picture,
        seconds=results.seconds_of([job.id for job in seen.jobs], cp.clock()),
        texts={name: sweep_form.text_of(given, decimal) for name, given in seen.sweep.space.items()},
        snippet=fleet_snippets.show_sweep(project, sweep_id),
    )


@blueprint.post("/<int:sweep_id>/cancel")
@requires("job.cancel")
def cancel(project: str, sweep_id: int) -> ResponseReturnValue:
    """Start nothing more of it, and have its open jobs end."""
    try:
        runs.cancel(the_actor(), the_control_plane(), _seen(sweep_id).sweep.id)
        flash(gettext("The sweep was cancelled; its open jobs are being ended."))
    except SweepOver as problem:
        flash(sentence(problem), "error")
    return redirect(url_for("sweeps.show", project=project, sweep_id=sweep_id))


def _seen(sweep_id: int) -> Progress:
    seen = runs.progress(the_actor(), the_control_plane(), sweep_id)
    if seen.sweep.project_id != the_project().id:
        raise NotFound
    return seen


def _rows(seen: Progress) -> list[tuple[JobRecord, sweeps.Trial]]:
    """Each job with what came of it: the best result first, those without one as they began."""
    sign = -1 if sweeps.more_is_better(seen.sweep.objective) else 1
    pairs = zip(seen.jobs, seen.trials, strict=True)
    return sorted(pairs, key=lambda pair: (pair[1].value is None, sign * (pair[1].value or 0.0), pair[0].id))


def _training(text: str) -> JobRecord:
    """The training job that is to be tried with other settings."""
    job = jobs.get(the_actor(), the_control_plane(), whole_number(text))
    if job.project_id != the_project().id or job.kind != "train":
        raise NotFound
    return job


def _draft(before: JobRecord) -> Draft:
    name = methods.of_version(before.method_version_id).name
    return job_form.of_job(methods.get(the_actor(), the_control_plane(), name), before)


def _form(before: JobRecord, draft: Draft, sent: MultiDict[str, str], errors: dict[str, str]) -> str:
    fields = sweep_form.fields(job_form.groups(draft), sent, errors)
    labels = {one.control: one.label for one in fields}
    labels |= {"trials": gettext("Jobs at most"), "at_once": gettext("Jobs at a time"), "name": gettext("Name")}
    return render_template(
        "sweeps/new.html",
        before=before,
        draft=draft,
        fields=fields,
        sent=sent,
        errors=errors,
        labels=labels,
        objectives=[(one, words.objective(one)) for one in sweeps.OBJECTIVES],
        chosen=sent.get("objective", HELD_OUT_LOSS),
        trials=sent.get("trials", TRIALS),
        at_once=sent.get("at_once", AT_ONCE),
        snippet=fleet_snippets.start_sweep(the_project().name, draft.record.name, job_form.references(draft)),
    )


def _control(problem: Invalid) -> str:
    """The field that a refusal is about; "" where it is none."""
    params: dict[str, Any] = problem.params
    if "parameter" in params:
        return sweep_form.PREFIX + str(params["parameter"])
    return "name" if problem.code == "name_invalid" else str(params.get("field", ""))


def _number(value: float) -> str:
    return formatting.number(value, locale())
