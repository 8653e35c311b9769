"""Data: what there is, whether it can be trusted, and putting a new version in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.services.datasets import rows, searching, versions
from control_plane.services.things import kinds
from control_plane.store.datasets import DatasetVersionRecord
from web import check_words, dataset_page, snippets, uploading
from web.access import requires, the_actor, the_control_plane, the_project
from web.fragments import redirected
from web.pages.item import Item
from web.paging import Page, asked_number
from web.security import takes_upload
from web.uploading import Entered

blueprint = Blueprint("datasets", __name__, url_prefix="/p/<project>/data")
navigation = Item("work", "datasets.index", _("Data"), "database", "dataset.see", "g d", also=frozenset({"versions"}))

ROWS_SHOWN = 20


@blueprint.get("")
@requires("dataset.see")
def index(project: str) -> ResponseReturnValue:
    """Every dataset of the project with its newest version."""
    tag = request.args.get("tag", "")
    found = versions.list_datasets(the_actor(), the_control_plane(), project, tag)
    tags = kinds.tags_of(kinds.DATASET, the_project().id)
    snippet = snippets.list_datasets(project)
    return render_template("datasets/index.html", found=found, tag=tag, tags=tags, snippet=snippet)


@blueprint.get("/upload")
@requires("dataset.upload")
def new(project: str) -> ResponseReturnValue:
    """The form: a file, a name, and what to hold out."""
    entered = Entered(name=request.args.get("name", ""))
    return render_template("datasets/upload.html", entered=entered, snippet=snippets.upload(project, entered.name))


@blueprint.post("/upload")
@requires("dataset.upload")
def upload(project: str) -> ResponseReturnValue:
    """Check and keep the file. One with a fault changes nothing and says where the faults are."""
    entered, version, reused = uploading.receive(project)
    if version is None:
        return _again(project, entered)
    return _kept(project, entered.name, version, reused)


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
    some, total = searching.find(actor, cp, int(version.id), split, text, check, at.offset, at.size)
    marked = searching.checks(cp, version)
    return dataset_page.drawn(
        "datasets/show.html", dataset, found, version, split=split, text=text, check=check, rows=some,
        page=Page(at.number, at.size, total), snippet=snippets.list_rows(project, version.id),
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


def _again(project: str, entered: Entered) -> ResponseReturnValue:
    """The form as it was. For htmx only what is wrong, so that the chosen file stays chosen."""
    if "HX-Request" in request.headers:
        return render_template("datasets/problems.html", entered=entered)
    snippet = snippets.upload(project, entered.name)
    return render_template("datasets/upload.html", entered=entered, snippet=snippet), 400


def _kept(project: str, name: str, version: DatasetVersionRecord, reused: bool) -> ResponseReturnValue:
    if reused:
        flash(gettext("The same data was there already as version %(number)s.", number=version.number))
    else:
        flash(gettext("Version %(number)s was saved.", number=version.number))
    address = url_for("datasets.show", project=project, name=name, version=version.number)
    return redirected(address)
