"""Jobs: what runs, what failed and why; and a new one, whose form is its method's manifest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import Invalid, JobOver, MethodUnknown, NotFound
from control_plane.domain.lifecycle import SUCCEEDED
from control_plane.services import jobs, methods, models, results
from control_plane.services.fleet import points
from control_plane.services.prompts import searches
from control_plane.services.things import kinds
from control_plane.store.jobs import JobRecord
from control_plane.store.methods import MethodVersionRecord
from web import check_list, job_forecast, job_form, job_page, logs, policy_form, snippets, sparklines, words
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.fragments import fragment
from web.job_form import Draft, Offered
from web.job_page import JobView
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_number, asked_page, whole_number
from web.prompts import search_words

blueprint = Blueprint("jobs", __name__, url_prefix="/p/<project>/jobs")
navigation = Item("work", "jobs.index", _("Jobs"), "list-checks", "job.see", "g j")

JOBS_SHOWN = 25
EVENTS_SHOWN = 100
TELLING = ("loss", "reward", "accuracy")  # how the names of curves end that say whether it learns
REWARDS = "reward/"  # how those begin that say what one check of a reward gives
STREAMS = ("stdout", "stderr", "agent")


@blueprint.get("")
@requires("job.see")
def index(project: str) -> ResponseReturnValue:
    """The jobs of the project, newest first; what is shown is in the address."""
    actor, cp = the_actor(), the_control_plane()
    state, method = request.args.get("status", "").upper(), request.args.get("method", "")
    text = request.args.get("q", "").strip()
    sort, tag = request.args.get("sort", "-created"), request.args.get("tag", "")
    # unless one looks for something, a sweep is one thing, on its own page
    wanted = jobs.Wanted(state, method, text, tag, in_sweeps=bool(state or method or text or tag))

    def listed(offset: int) -> tuple[list[JobRecord], int]:
        return jobs.list_jobs(actor, cp, project, wanted, JOBS_SHOWN, offset, sort)

    found, total = listed((max(1, asked_number("page", 1)) - 1) * JOBS_SHOWN)
    page = asked_page(total, JOBS_SHOWN)
    if total and not found:  # beyond the last page
        found, total = listed(page.offset)
    offered = {record.name: methods.manifest(record, locale()).display for record in methods.list_methods(actor, cp)}
    curves = points.losses([job.id for job in found])
    losses = {key: {"path": sparklines.path(one), "first": one[0], "last": one[-1]} for key, one in curves.items()}
    names = {key: record.name for key, record in results.methods_of({job.method_version_id for job in found}).items()}
    return render_template(
        "jobs/index.html",
        jobs=found,
        page=page,
        methods=offered,
        method_names=names,
        losses=losses,
        owners=results.owners_of({job.created_by for job in found}),
        seconds=results.seconds_of([job.id for job in found], cp.clock()),
        is_filtered=bool(state or method or text or tag),
        tag=tag,
        tags=kinds.tags_of(kinds.JOB, the_project().id),
        snippet=snippets.list_jobs(project, state, method, text),
    )


# ---- a new job


@blueprint.get("/new")
@requires("job.submit")
def new(project: str) -> ResponseReturnValue:
    """The form of a method; without one named, the choice of methods."""
    before = _before()
    offered = job_form.Offered(the_actor(), the_control_plane(), project)
    record = _asked_method(before, offered)
    if record is None:
        known = [
            methods.manifest(one, locale())
            for kind in ("train", "evaluate", "export", "search")
            for one in methods.of_kind(the_actor(), the_control_plane(), kind)
        ]
        return render_template("jobs/methods.html", methods=known)
    draft = job_form.of_job(record, before) if before else _hinted(record, offered)
    return _form(project, draft, before, offered)


@blueprint.post("/new")
@requires("job.submit")
def submit(project: str) -> ResponseReturnValue:
    """Start the job; or the form again, with what is wrong at each field, or with a check more or less."""
    actor, cp = the_actor(), the_control_plane()
    draft = job_form.received(_method(request.form.get("method", "")), request.form)
    if check_list.CHANGE in request.form:
        return _again(project, replace(draft, errors={}))
    if not draft.is_readable:
        return _again(project, draft), 400
    try:
        job = jobs.submit(
            actor,
            cp,
            project,
            draft.method,
            draft.name,
            draft.parameters,
            job_form.references(draft),
            int(draft.seed),
            request.form.get("key", ""),
            policy_form.policy(draft.policy, cp.clock()),
        )
    except Invalid as problem:
        return _again(project, job_form.with_problem(draft, problem)), 400
    return redirect(url_for("jobs.show", project=project, job_id=job.id))


@blueprint.post("/plan")
@requires("job.submit")
def plan(project: str) -> ResponseReturnValue:
    """What exactly would run and what it takes, for the form as it stands; and what differs from the job before."""
    draft = job_form.received(_method(request.form.get("method", "")), request.form)
    takes = job_forecast.view(the_actor(), the_control_plane(), project, draft)
    return render_template("jobs/plan.html", takes=takes, **_plan(project, draft, _before()))


def _method(name: str) -> MethodVersionRecord:
    try:
        return methods.get(the_actor(), the_control_plane(), name)
    except MethodUnknown as problem:
        raise NotFound from problem


def _still_offered(record: MethodVersionRecord) -> MethodVersionRecord:
    """What is offered under a version's name today; of a method that was deleted, that version."""
    try:
        return methods.get(the_actor(), the_control_plane(), record.name)
    except MethodUnknown:
        return _method(methods.pinned(record))


def _asked_method(before: JobRecord | None, offered: Offered) -> MethodVersionRecord | None:
    """By name, by the job to run again, or the first of a kind, of those that take the chosen data if there are any."""
    if before is not None:
        return _still_offered(methods.of_version(before.method_version_id))
    if "method" in request.args:
        return _method(request.args["method"])
    kind, row_format = request.args.get("kind", ""), offered.format_of(asked_number("dataset", 0))
    fitting = methods.of_kind(the_actor(), the_control_plane(), kind, row_format)
    return next(iter(fitting or methods.of_kind(the_actor(), the_control_plane(), kind)), None)


def _before() -> JobRecord | None:
    """The job that is to run again, if one is named."""
    number = whole_number(request.values.get("from", ""))
    return _job(number) if number else None


def _hinted(record: MethodVersionRecord, offered: Offered) -> Draft:
    hints = request.args.to_dict()
    base_of = {}
    if number := asked_number("model", 0):
        actor, cp = the_actor(), the_control_plane()
        base_of[str(number)] = str(models.get(actor, cp, number).base_id or "")
        learnt = models.learnt_from(actor, cp, number) if "dataset" not in hints else None
        hints |= {"dataset": str(learnt)} if learnt else {}
    return job_form.hinted(job_form.fresh(record), offered, hints, base_of)


def _again(project: str, draft: Draft) -> str:
    """The form as it was sent, with what is wrong."""
    return _form(project, draft, _before(), job_form.Offered(the_actor(), the_control_plane(), project))


def _form(project: str, draft: Draft, before: JobRecord | None, offered: Offered) -> str:
    inputs = job_form.input_fields(draft, offered)
    groups, policy = job_form.groups(draft), job_form.policy_fields(draft)
    labels = {one.control: one.label for one in inputs}
    labels |= {one.control: one.label for one in (*policy, *(one for group in groups for one in group.fields))}
    return render_template(
        "jobs/new.html",
        draft=draft,
        inputs=inputs,
        groups=groups,
        policy=policy,
        asks_more=bool(job_form.plan(draft, 0.0).get("policy")),
        presets=job_form.presets(draft),
        labels=labels | {"name": gettext("Name"), "seed": gettext("Seed")},
        **_plan(project, draft, before),
    )


def _plan(project: str, draft: Draft, before: JobRecord | None) -> dict[str, Any]:
    now = the_control_plane().clock()
    planned = job_form.plan(draft, now)
    record = methods.of_version(before.method_version_id) if before else None
    old = (
        before
        and record
        and {
            "method": record.name,
            "method_hash": record.hash,
            "inputs": before.inputs,
            "parameters": before.parameters,
            "seed": before.seed,
            "policy": policy_form.asked(policy_form.policy(policy_form.values_of(before), now)),
        }
    )
    return {
        "plan": planned,
        "before": before,
        "differences": job_form.differences(old, planned) if old else [],
        "snippet": job_form.snippet(project, draft, now),
        "warnings": job_form.warnings(the_actor(), the_control_plane(), the_project().id, draft),
    }


# ---- one job


def _job(job_id: int) -> JobRecord:
    job = jobs.get(the_actor(), the_control_plane(), job_id)
    if job.project_id != the_project().id:
        raise NotFound
    return job


def _page(template: str, project: str, job_id: int, **more: Any) -> str:
    return _drawn(template, project, job_page.view(the_actor(), the_control_plane(), project, _job(job_id)), **more)


def _overview(template: str, project: str, job_id: int) -> str:
    return _drawn(template, project, job_page.overview(the_actor(), the_control_plane(), project, _job(job_id)))


def _drawn(template: str, project: str, seen: JobView, **more: Any) -> str:
    step = job_page.next_step(project, seen)
    snippet = snippets.of_job(project, seen.job.id, request.endpoint or "")
    return render_template(template, seen=seen, job=seen.job, step=step, snippet=snippet, **more)


@blueprint.get("/<int:job_id>")
@requires("job.see")
def show(project: str, job_id: int) -> ResponseReturnValue:
    """Is it learning, when is it done, what went wrong?"""
    actor, cp, job = the_actor(), the_control_plane(), _job(job_id)
    seen = job_page.overview(actor, cp, project, job)
    found = searches.of_job(cp, job) if seen.method.kind == "search" and job.state == SUCCEEDED else None
    return _drawn("jobs/show.html", project, seen, search=found, search_words=search_words)


@blueprint.get("/<int:job_id>/status")
@requires("job.see")
def status(project: str, job_id: int) -> ResponseReturnValue:
    """The part of the page that changes."""
    return fragment(_overview("jobs/status.html", project, job_id))


@blueprint.get("/<int:job_id>/series")
@requires("job.see")
def series(project: str, job_id: int) -> ResponseReturnValue:
    """The curves, from a cursor on: those that tell whether it learns, or (`other`) the rest."""
    found = jobs.series(the_actor(), the_control_plane(), _job(job_id).id, asked_number("after", 0))
    wanted = "other" not in request.args
    series = [one for one in found["series"] if _is_telling(one["name"]) == wanted]
    return found | {"series": [one | {"label": words.curve(one["name"])} for one in series]}


def _is_telling(name: str) -> bool:
    return name.endswith(TELLING) or name.startswith(REWARDS)


@blueprint.get("/<int:job_id>/logs")
@requires("job.see")
def log_page(project: str, job_id: int) -> ResponseReturnValue:
    """The log of one stream of one attempt."""
    stream = request.args.get("stream", "")
    written = jobs.logs(the_actor(), the_control_plane(), _job(job_id).id)
    return _page(
        "jobs/log.html", project, job_id, 
        stream=stream if stream in STREAMS else logs.telling(written), attempt_id=asked_number("attempt", 0),
    )  # fmt: skip


@blueprint.get("/<int:job_id>/log/<int:attempt_id>/<stream>")
@requires("job.see")
def log(project: str, job_id: int, attempt_id: int, stream: str) -> Response:
    """Bytes of a log of the attempt (0: the newest), as ts-log asks for them."""
    return logs.answer(the_actor(), the_control_plane(), _job(job_id).id, attempt_id, stream)


@blueprint.get("/<int:job_id>/config")
@requires("job.see")
def config(project: str, job_id: int) -> ResponseReturnValue:
    """Everything that the job pins."""
    return _page("jobs/config.html", project, job_id, config=jobs.config(the_actor(), the_control_plane(), job_id))


@blueprint.get("/<int:job_id>/files")
@requires("job.see")
def files(project: str, job_id: int) -> ResponseReturnValue:
    """What it left behind."""
    artifacts = jobs.files(the_actor(), the_control_plane(), _job(job_id).id)
    return _page("jobs/files.html", project, job_id, artifacts=artifacts)


@blueprint.get("/<int:job_id>/files/<int:artifact_id>/<path:path>")
@requires("job.see")
def download(project: str, job_id: int, artifact_id: int, path: str) -> Response:
    """One of those files. Only what the artifact lists is ever read."""
    cp = the_control_plane()
    job = jobs.named(the_actor(), cp, job_id)  # in the trash or not: this is a model's way to its files, too
    if job.project_id != the_project().id:
        raise NotFound
    found = (one for one in jobs.files(the_actor(), cp, job_id) if one.id == artifact_id)
    file = next((file for artifact in found for file in artifact.files if file["path"] == path), None)
    if file is None:
        raise NotFound
    name = path.rpartition("/")[2]
    return send_file(cp.blobs.path(file["sha256"]), "application/octet-stream", as_attachment=True, download_name=name)


@blueprint.get("/<int:job_id>/events")
@requires("job.see")
def events(project: str, job_id: int) -> ResponseReturnValue:
    """What its attempts reported, the newest first."""
    actor, cp = the_actor(), the_control_plane()
    kind = request.args.get("kind", "")
    page = asked_page(jobs.count_events(actor, cp, _job(job_id).id, kind), EVENTS_SHOWN)
    shown = jobs.newest_events(actor, cp, job_id, kind, page.size, page.offset)
    return _page("jobs/events.html", project, job_id, events=shown, page=page, kind=kind)


@blueprint.post("/<int:job_id>/cancel")
@requires("job.cancel")
def cancel(project: str, job_id: int) -> ResponseReturnValue:
    """Ask for its end."""
    try:
        jobs.cancel(the_actor(), the_control_plane(), _job(job_id).id)
        flash(gettext("The job is being cancelled."))
    except JobOver as problem:
        flash(sentence(problem), "error")
    return redirect(url_for("jobs.show", project=project, job_id=job_id))
