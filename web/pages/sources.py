"""Sources of data: choosing a connector, looking what is there, and fetching it into a draft."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from control_plane.domain.errors import Conflict, Invalid, NotFound, TooMany, Unavailable
from control_plane.services.datasets import connectors, drafts, sources
from control_plane.store.sources import SourceRecord
from web import snippets, source_form
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.paging import asked_number, whole_number
from web.source_form import Filled

blueprint = Blueprint("sources", __name__, url_prefix="/p/<project>/data/sources")


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
        snippet=snippets.fetch(project, filled.connector.name, filled.connector.parameters.get("required", [])),
    )
