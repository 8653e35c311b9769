"""Cases, and the workflow run of one: few presses from its card to a chat with the tuned model, nothing to type."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.cases.archive import LARGEST
from control_plane.domain.errors import CaseWithoutData, Denied, FieldInvalid, Invalid, NotFound
from control_plane.domain.graph import DATA, Graph
from control_plane.domain.manifest import Manifest
from control_plane.domain.plans import TASKS, Plan
from control_plane.services import cases, methods
from control_plane.services.case_library import notes
from control_plane.services.datasets import json_lines, rows, versions
from control_plane.services.workflows import planning, sources
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows.sources import Source, Wanted
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from web import rail, snippets, uploading, words
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.pages.item import Item
from web.paging import asked_number, whole_number
from web.refusals import shown_again
from web.security import takes_upload

blueprint = Blueprint("cases", __name__)
navigation = Item("work", "cases.index", _("Cases"), "briefcase", "case.see", "g c")
_SHOWN_ROWS = 8
_SHOWN_RUNS = 5


@blueprint.get("/p/<project>/cases")
@requires("case.see")
def index(project: str) -> ResponseReturnValue:
    """Each case as a card; those of a field, of a task, and that do not take too long, where that is asked for."""
    actor, cp = the_actor(), the_control_plane()
    every = {one.name: sources.plan_of(one, locale()) for one in cases.list_cases(actor, cp) if _is_here(one)}
    domain, task = (request.args.get(key, "") for key in ("field", "task"))
    minutes = asked_number("minutes", 0)
    found = cases.list_cases(actor, cp, domain, task, minutes)
    return render_template(
        "cases/index.html",
        cases=[every[case.name] for case in found if case.name in every],
        fields=sorted({(plan.domain, plan.field) for plan in every.values()}, key=lambda one: one[1]),
        tasks=[(one, words.task(one)) for one in TASKS if any(plan.task == one for plan in every.values())],
        is_filtered=bool(domain or task or minutes),
        asked={"field": domain, "task": task, "minutes": minutes or ""},
        ratings=notes.ratings(list(every)),
        largest=LARGEST,
    )


@blueprint.get("/p/<project>/cases/<name>")
@requires("case.see")
def show(project: str, name: str) -> ResponseReturnValue:
    """The story of a case: the problem, what is needed, what comes of it; and the door for one's own data."""
    actor, cp = the_actor(), the_control_plane()
    case = cases.get(actor, cp, name)
    saved = case.record
    graph, problem = _graph(case)
    plan = sources.plan_of(case, locale())
    return render_template(
        "cases/show.html",
        case=plan,
        problem=problem,
        saved=saved,
        may_change=saved is not None and actor.may("case.change", saved.project_id),
        said=notes.of_case(actor, cp, name),
        rated=notes.ratings([name]).get(name),
        offered=_own_data(project, plan),
        models=[step.title for step in graph if step.kind == "import"],
        methods=[_manifest(step.method).display for step in graph if step.kind == "train"],
        runs=workflow_runs.list_runs(actor, cp, project, name, _SHOWN_RUNS),
    )


@blueprint.post("/p/<project>/cases/<name>/try")
@requires("dataset.upload")
def try_it(project: str, name: str) -> ResponseReturnValue:
    """Put the case's sample data into the project (the same data again is the same version), and look at it."""
    actor, cp = the_actor(), the_control_plane()
    dataset = sources.plan_of(cases.get(actor, cp, name)).dataset
    if not dataset.train:
        raise CaseWithoutData
    train = BytesIO(cases.read_file(actor, cp, name, dataset.train))
    test = BytesIO(cases.read_file(actor, cp, name, dataset.test)) if dataset.test else None
    version, _reused = json_lines.upload(actor, cp, project, dataset.name, train, test, dataset.format)
    return redirect(url_for("cases.check", project=project, name=name, dataset=version.id))


@blueprint.post("/p/<project>/cases/<name>/own")
@requires("dataset.upload")
@shown_again("upload", show)
def own(project: str, name: str) -> ResponseReturnValue:
    """A file of one's own becomes a draft; once that is saved, its page leads back here."""
    cases.get(the_actor(), the_control_plane(), name)
    draft = uploading.receive(project)
    return redirect(url_for("drafts.show", project=project, draft_id=draft.id, case=name))


takes_upload(own)


@blueprint.get("/p/<project>/cases/<name>/run")
@requires("job.submit")
def check(project: str, name: str) -> ResponseReturnValue:
    """Is my data fine? Is the plan fine? (`step=plan`)"""
    actor, cp = the_actor(), the_control_plane()
    case = cases.get(actor, cp, name)
    version = _version(asked_number("dataset", 0))
    template, snippet = "cases/data.html", snippets.list_rows(project, version.id)
    if request.args.get("step") == "plan":
        template, snippet = "cases/plan.html", snippets.start_workflow_run(project, name, version.id)
    plan, (graph, problem) = sources.plan_of(case, locale()), _graph(case, version)
    there = workflow_runs.foreseen(actor, cp, project, graph) if not problem else set()
    return render_template(
        template,
        case=plan,
        problem=problem,
        version=version,
        rows=rows.page(actor, cp, version.id, "train", 0, _SHOWN_ROWS),
        steps=[step for step in graph if step.kind != DATA],
        there=there,
        stops=rail.of_case(graph, f"{version.dataset.name} v{version.number}", there),
        is_own=version.dataset.name != plan.dataset.name,
        settings=_settings(graph),
        snippet=snippet,
    )


@blueprint.post("/p/<project>/cases/<name>/run")
@requires("job.submit")
def start(project: str, name: str) -> ResponseReturnValue:
    """Start training; what follows, follows by itself."""
    text, key = request.form.get("dataset", ""), request.form.get("key", "")
    if not (number := whole_number(text)):
        raise FieldInvalid(field="dataset", problem=text[:40])
    wanted = Wanted(case=name, dataset_version_id=number, idempotency_key=key)
    run = workflow_runs.start(the_actor(), the_control_plane(), project, wanted)
    return redirect(url_for("workflow_runs.show", project=project, run_id=run.id))


def _is_here(case: cases.Case) -> bool:
    """Whether a case is one of the address's project: shipped, shared, or saved in it."""
    return case.record is None or case.record.shared or case.record.project_id == the_project().id


def _graph(case: cases.Case, version: DatasetVersionRecord | None = None) -> tuple[Graph, str]:
    """A case's graph, and what stands in its way here, a method or the data among it; then it cannot be started."""
    actor, cp = the_actor(), the_control_plane()
    graph: Graph = ()
    try:
        built = planning.build(actor, cp, Source(sources.of_case(case)), {})
        graph = built.graph
        if version is not None:
            graph = planning.on_data(actor, cp, the_project(), built, version.id)
            planning.check_data(actor, cp, graph)
    except (Invalid, Denied) as problem:
        return graph, sentence(problem)
    return graph, ""


def _own_data(project: str, plan: Plan) -> list[tuple[int, str]]:
    """The newest version of each dataset that is like the case's own: id and words, the newest first."""
    actor, cp = the_actor(), the_control_plane()
    found = [
        (int(version.id), gettext("%(name)s, version %(number)s", name=dataset.name, number=version.number))
        for dataset, version, _count in versions.list_datasets(actor, cp, project)
        if version.format == plan.dataset.format and dataset.name != plan.dataset.name
    ]
    return sorted(found, reverse=True)


def _version(number: int) -> DatasetVersionRecord:
    """A dataset version of the address's project."""
    version = versions.get_version(the_actor(), the_control_plane(), number)
    if DatasetRecord.get_by_id(version.dataset_id).project_id != the_project().id:
        raise NotFound
    return version


def _settings(graph: Graph) -> list[tuple[str, object]]:
    """What each training will be given, under the titles of its method."""
    found: list[tuple[str, object]] = []
    for step in graph:
        if step.kind == "train":
            manifest = _manifest(step.method)
            titles = manifest.parameters["properties"]
            found.append((gettext("Method"), manifest.display))
            found += [(titles[key].get("title", key), words.value(value)) for key, value in step.parameters.items()]
    return found


def _manifest(method: str) -> Manifest:
    return methods.manifest(methods.get(the_actor(), the_control_plane(), method), locale())
