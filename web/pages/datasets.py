"""Data: what there is, whether it can be trusted, and putting a new version in."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.domain.rows import FORMATS
from control_plane.services.datasets import connectors, drafts, rows, searching, sources, versions
from control_plane.services.things import kinds
from web import check_words, dataset_page, snippets, source_page, uploading
from web.access import requires, the_actor, the_control_plane, the_project
from web.failures import sentence
from web.languages import locale
from web.pages.item import Item
from web.paging import Page, asked_number
from web.refusals import shown_again
from web.security import takes_upload

blueprint = Blueprint("datasets", __name__, url_prefix="/p/<project>/data")
OTHERS = frozenset({"drafts", "labellings", "row_edits", "sources", "versions"})  # blueprints of pages about data
navigation = Item("work", "datasets.index", _("Data"), "database", "dataset.see", "g d", also=OTHERS)

ROWS_SHOWN = 20


@blueprint.get("")
@requires("dataset.see")
def index(project: str) -> ResponseReturnValue:
    """Every dataset of the project with its newest version."""
    tag = request.args.get("tag", "")
    found = versions.list_datasets(the_actor(), the_control_plane(), project, tag)
    tags = kinds.tags_of(kinds.DATASET, the_project().id)
    snippet = snippets.list_datasets(project)
    may_upload = the_actor().may("dataset.upload", the_project().id)
    begun = drafts.list_drafts(the_actor(), the_control_plane(), project) if may_upload else []
    return render_template("datasets/index.html", found=found, tag=tag, tags=tags, drafts=begun, snippet=snippet)


@blueprint.get("/upload")
@requires("dataset.upload")
def new(project: str) -> ResponseReturnValue:
    """The form: a file of any kind, or a source. `name` is the dataset that is to get a new version."""
    name = request.args.get("name", "")
    snippet = snippets.upload(project, name)
    offered = connectors.listed(the_actor(), the_control_plane(), project, locale())
    return render_template(
        "datasets/upload.html", dataset=name, formats=FORMATS, connectors=offered, said=sentence, snippet=snippet
    )


@blueprint.post("/upload")
@requires("dataset.upload")
@shown_again("upload", new)
def upload(project: str) -> ResponseReturnValue:
    """A draft of what was sent."""
    draft = uploading.receive(project)
    return redirect(url_for("drafts.show", project=project, draft_id=draft.id))


takes_upload(upload)


@blueprint.get("/<name>")
@requires("dataset.see")
def show(project: str, name: str) -> ResponseReturnValue:
    """One dataset: its versions, what is known about the chosen one, and its rows."""
    actor, cp = the_actor(), the_control_plane()
    dataset, found = versions.get_dataset(actor, cp, project, name)
    version, split = dataset_page.chosen(found), dataset_page.split_asked()
    text, check = request.args.get("q", "").strip()[:200], request.args.get("check", "")
    at = Page(max(1, asked_number("page", 1)), ROWS_SHOWN, 0)
    after = max(0, asked_number("after", 0))
    found_rows = searching.find(actor, cp, int(version.id), split, text, check, at.offset, at.size, after)
    marked = searching.checks(cp, version)
    source = sources.of_dataset(dataset)
    return dataset_page.drawn(
        "datasets/show.html", dataset, found, version, split=split, text=text, check=check, rows=found_rows.rows,
        page=Page(at.number, at.size, found_rows.total), after=after, looked_to=found_rows.after,
        source=source and source_page.seen(source, found[0]),
        snippet=snippets.list_rows(project, version.id),
        checks=[("", gettext("any")), *((code, check_words.check(code)) for code in marked)],
    )  # fmt: skip


@blueprint.get("/<name>/left-out")
@requires("dataset.see")
def left_out(project: str, name: str) -> ResponseReturnValue:
    """The faulty rows that a version was saved without, each as it was: to be mended and sent again."""
    actor, cp = the_actor(), the_control_plane()
    _dataset, found = versions.get_dataset(actor, cp, project, name)
    version = dataset_page.chosen(found)
    if not version.left_out_rows:
        raise NotFound
    written = rows.left_out(actor, cp, version.id)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{version.number}-left-out.jsonl"'}
    return Response(written, mimetype="application/jsonl", headers=headers)
