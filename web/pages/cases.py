"""Cases, and the guided run of one: seven presses from its card to a chat with the tuned model, nothing to type."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import FieldInvalid, NotFound
from control_plane.domain.lifecycle import CANCELLED, FAILED, QUEUED, SUCCEEDED
from control_plane.domain.plans import Plan
from control_plane.services import cases, datasets, guided, methods
from control_plane.services.fleet import scheduling
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.wording import say, waiting
from web import snippets
from web.access import requires, the_actor, the_control_plane, the_project
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_number

blueprint = Blueprint("cases", __name__)
navigation = Item("work", "cases.index", _("Cases"), "briefcase", "case.see", "g c")
_SHOWN_ROWS = 8
_RAIL: dict[str, str] = {SUCCEEDED: "done", FAILED: "failed", CANCELLED: "failed"}


@blueprint.get("/p/<project>/cases")
@requires("case.see")
def index(project: str) -> ResponseReturnValue:
    """Each case as a card."""
    found = cases.list_cases(the_actor(), the_control_plane())
    return render_template("cases/index.html", cases=[guided.plan_of(case, locale()) for case in found])


@blueprint.get("/p/<project>/cases/<name>")
@requires("case.see")
def show(project: str, name: str) -> ResponseReturnValue:
    """The story of a case: the problem, what is needed, what comes of it."""
    actor, cp = the_actor(), the_control_plane()
    case = cases.get(actor, cp, name)
    runs = [run for run in guided.of_project(actor, cp, project) if run.case == name]
    return render_template("cases/show.html", case=guided.plan_of(case, locale()), runs=runs)


@blueprint.post("/p/<project>/cases/<name>/try")
@requires("dataset.upload")
def try_it(project: str, name: str) -> ResponseReturnValue:
    """Put the case's sample data into the project (the same data again is the same version), and look at it."""
    actor, cp = the_actor(), the_control_plane()
    dataset = guided.plan_of(cases.get(actor, cp, name)).dataset
    train, test = (BytesIO(cases.read_file(actor, cp, name, file)) for file in (dataset.train, dataset.test))
    version, _reused = datasets.upload(actor, cp, project, dataset.name, train, test, dataset.format)
    return redirect(url_for("cases.check", project=project, name=name, dataset=version.id))


@blueprint.get("/p/<project>/cases/<name>/run")
@requires("job.submit")
def check(project: str, name: str) -> ResponseReturnValue:
    """Is my data fine? Is the plan fine? (`step=plan`)"""
    actor, cp = the_actor(), the_control_plane()
    case = cases.get(actor, cp, name)
    version = _version(asked_number("dataset", 0))
    template, snippet = "cases/data.html", snippets.list_rows(project, version.id)
    if request.args.get("step") == "plan":
        template, snippet = "cases/plan.html", snippets.start_guided_run(project, name, version.id)
    rows = datasets.rows(actor, cp, version.id, "train", 0, _SHOWN_ROWS)
    base = guided.base_of(actor, cp, project, case)
    plan = guided.plan_of(case, locale())
    settings = _settings(plan)
    return render_template(
        template, case=plan, version=version, rows=rows, base=base, settings=settings, snippet=snippet
    )


@blueprint.post("/p/<project>/cases/<name>/run")
@requires("job.submit")
def start(project: str, name: str) -> ResponseReturnValue:
    """Start training; what follows, follows by itself."""
    number, key = request.form.get("dataset", ""), request.form.get("key", "")
    if not number.isdecimal() or len(number) > 15:
        raise FieldInvalid(field="dataset", problem=number[:40])
    run = guided.start(the_actor(), the_control_plane(), project, name, int(number), key)
    return redirect(url_for("cases.run", project=project, name=name, run_id=run.id))


@blueprint.get("/p/<project>/cases/<name>/run/<int:run_id>")
@requires("job.see")
def run(project: str, name: str, run_id: int) -> ResponseReturnValue:
    """How far it is: import, training, evaluation, packaging."""
    actor, cp = the_actor(), the_control_plane()
    case = cases.get(actor, cp, name)
    progress = guided.progress(actor, cp, run_id)
    if progress.run.project_id != the_project().id or progress.run.case != name:
        raise NotFound
    return render_template(
        "cases/run.html",
        case=guided.plan_of(case, locale()),
        progress=progress,
        stages=guided.STAGES,
        reached=guided.STAGES.index(progress.run.stage) if progress.run.stage in guided.STAGES else len(guided.STAGES),
        stops=_stops(project, progress),
        waiting={stage: _waiting(job) for stage, job in progress.jobs.items()},
        reason=say(progress.run.reason, progress.run.reason_params, locale()) if progress.run.reason else "",
        topic=_topic(progress),
        snippet=snippets.watch_guided_run(project, run_id),
    )


def _version(number: int) -> DatasetVersionRecord:
    """A dataset version of the address's project."""
    version = datasets.get_version(the_actor(), the_control_plane(), number)
    if DatasetRecord.get_by_id(version.dataset_id).project_id != the_project().id:
        raise NotFound
    return version


def _settings(plan: Plan) -> list[tuple[str, object]]:
    """What the training will be given, under the titles of its method."""
    record = methods.get(the_actor(), the_control_plane(), plan.train.method)
    properties = methods.manifest(record, locale()).parameters["properties"]
    return [(properties.get(key, {}).get("title", key), value) for key, value in plan.train.parameters.items()]


def _topic(progress: guided.Progress) -> str:
    """What changes this page: the project's news, and each job's own."""
    own = [f"job:{job.id}" for job in progress.jobs.values() if job is not None]
    return " ".join([f"project:{the_project().id}", *own])


def _waiting(job: JobRecord | None) -> str:
    if job is None or job.state != QUEUED:
        return ""
    ahead = scheduling.ahead([job.id]).get(job.id, 0)
    return waiting(job.waiting_code, job.waiting_params | {"ahead": ahead}, locale())


def _stops(project: str, progress: guided.Progress) -> dict[str, dict[str, str]]:
    """The Rail of a run: data is there, the jobs are as far as they are, deploying is what comes next."""
    stops = {"data": {"state": "done"}, "train": {"state": "next"}}
    for stop, stage in (("train", guided.TRAIN), ("evaluate", guided.EVALUATE), ("package", guided.EXPORT)):
        job = progress.jobs[stage]
        if job is not None:
            address = url_for("jobs.show", project=project, job_id=job.id)
            stops[stop] = {"state": _RAIL.get(job.state, "current"), "note": f"#{job.id}", "url": address}
    stops["deploy"] = {"state": "next" if progress.packaged else "later"}
    return stops
