"""Sources of data: choosing a connector, looking what is there, and fetching it into a draft."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.errors import Conflict, Invalid, NotFound, TooMany, Unavailable
from control_plane.services import schedules
from control_plane.services.datasets import connectors, drafts, sources, versions
from control_plane.store.datasets import DatasetRecord
from control_plane.store.sources import SourceRecord
from web import dataset_page, schedule_form, snippets, source_form, source_page
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.paging import asked_number, whole_number
from web.refusals import shown_again
from web.source_form import Filled

blueprint = Blueprint("sources", __name__, url_prefix="/p/<project>/data/sources")


@blueprint.get("/of/<name>")
@requires("dataset.see")
def show(project: str, name: str) -> ResponseReturnValue:
    """The source of a dataset: where from, what came of it, and when it is fetched."""
    dataset, found = versions.get_dataset(the_actor(), the_control_plane(), project, name)
    source = _of(dataset)
    wished = source_page.schedule_of(source)
    return dataset_page.drawn(
        "sources/show.html", dataset, found, dataset_page.chosen(found), seen=source_page.seen(source, found[0]),
        form=schedule_form.filled(wished), choices=schedule_form.choices(), days=schedule_form.days(),
        zones=[(zone, zone) for zone in schedules.time_zones()],
        snippet=snippets.list_sources(project),
    )  # fmt: skip


@blueprint.post("/of/<name>/refresh")
@requires("dataset.upload")
def refresh(project: str, name: str) -> ResponseReturnValue:
    """Fetch it again now; the pages of the dataset follow that."""
    overwrite = "overwrite" in request.form  # confirmed in the page's dialog
    sources.refresh(the_actor(), the_control_plane(), int(_named(project, name).id), overwrite)
    return redirect(url_for("sources.show", project=project, name=name))


@blueprint.post("/of/<name>/schedule")
@requires("dataset.upload")
@shown_again("schedule", show)
def schedule(project: str, name: str) -> ResponseReturnValue:
    """Say when it is fetched by itself."""
    wished = schedule_form.read(request.form)
    sources.schedule(the_actor(), the_control_plane(), int(_named(project, name).id), wished)
    flash(schedule_form.said(wished))
    return redirect(url_for("sources.show", project=project, name=name))


@blueprint.post("/of/<name>/remove")
@requires("dataset.upload")
def remove(project: str, name: str) -> ResponseReturnValue:
    """Fetch it no more, and forget its secrets."""
    sources.remove(the_actor(), the_control_plane(), int(_named(project, name).id))
    flash(gettext("The source is gone. The dataset stays as it is."))
    return redirect(url_for("datasets.show", project=project, name=name))


@blueprint.get("/new/<connector>")
@requires("dataset.upload")
def new(project: str, connector: str) -> ResponseReturnValue:
    """The form of a connector; `from` is a source that it is filled in like, `name` the dataset's."""
    source = _source(asked_number("from", 0), connector)
    offered = connectors.get(the_control_plane(), connector, locale())
    return _page(project, source_form.fresh(offered, request.args.get("name", "")[:64], source))


@blueprint.post("/new/<connector>")
@requires("dataset.upload")
def begin(project: str, connector: str) -> ResponseReturnValue:
    """Fetch it, and go to its draft; or only look what there is. A refused form comes again without its secrets."""
    source = _source(whole_number(request.form.get(source_form.LIKE, "")), connector)
    filled = source_form.received(connectors.get(the_control_plane(), connector, locale()), request.form, source)
    if filled.errors:
        return _page(project, filled), 400
    asked = the_actor(), the_control_plane(), project, connector, filled.parameters, filled.secrets
    try:
        is_begun = source_form.PICK in request.form and not filled.is_whole_with({})
        if is_begun or request.form.get("act") == "look":
            return _page(project, replace(filled, found=sources.describe(*asked, like=filled.like)))
        draft = sources.begin(*asked, name=filled.name, like=filled.like)
    except (Invalid, Conflict, TooMany, Unavailable) as problem:
        field = str(problem.params.get("parameter", problem.params.get("field", "")))
        return _page(project, filled.without(field, sentence(problem))), 400
    if given_up := whole_number(request.form.get("draft", "")):  # which this one takes the place of
        drafts.cancel(the_actor(), the_control_plane(), given_up)
    return redirect(url_for("drafts.show", project=project, draft_id=draft.id))


def _of(dataset: DatasetRecord) -> SourceRecord:
    """The source of a dataset. Raises NotFound where it has none."""
    source = sources.of_dataset(dataset)
    if source is None:
        raise NotFound
    return source


def _named(project: str, name: str) -> SourceRecord:
    return _of(versions.get_dataset(the_actor(), the_control_plane(), project, name)[0])


def _source(number: int, connector: str) -> SourceRecord | None:
    """The source that a form begins like; None for 0. Raises NotFound where it is another project's or connector's."""
    if not number:
        return None
    source = sources.get(the_actor(), the_control_plane(), number)
    if source.project_id != the_project().id or source.connector != connector:
        raise NotFound
    return source


def _page(project: str, filled: Filled) -> str:
    return render_template(
        "sources/new.html",
        filled=filled,
        pick=source_form.pick,
        draft=whole_number(request.values.get("draft", "")),
        snippet=snippets.list_connectors(project),
    )
