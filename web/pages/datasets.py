"""Data: what there is, whether it can be trusted, and putting a new version in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _

from control_plane.domain.errors import NotFound
from control_plane.domain.rows import FORMATS
from control_plane.services import methods
from control_plane.services.datasets import rows, versions
from control_plane.services.things import kinds
from control_plane.store.datasets import DatasetVersionRecord
from web import snippets, uploading
from web.access import requires, the_actor, the_control_plane, the_project
from web.fragments import redirected
from web.pages.item import Item
from web.paging import asked_number, asked_page
from web.security import takes_upload
from web.uploading import Entered

blueprint = Blueprint("datasets", __name__, url_prefix="/p/<project>/data")
navigation = Item("work", "datasets.index", _("Data"), "database", "dataset.see", "g d")

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
    version = _chosen(found)
    split = "test" if request.args.get("split") == "test" else "train"
    page = asked_page(version.test_rows if split == "test" else version.train_rows, ROWS_SHOWN)
    some = rows.page(actor, cp, version.id, split, page.offset, page.size)
    return render_template(
        "datasets/show.html",
        dataset=dataset,
        versions=found,
        version=version,
        split=split,
        page=page,
        rows=some,
        fields=FORMATS[version.format],
        is_learnt_from=bool(methods.of_kind(actor, cp, "train", version.format)),
        snippet=snippets.list_rows(project, version.id),
    )


@blueprint.get("/<name>/left-out")
@requires("dataset.see")
def left_out(project: str, name: str) -> ResponseReturnValue:
    """The faulty rows that a version was saved without, each as it was: to be mended and sent again."""
    actor, cp = the_actor(), the_control_plane()
    _dataset, found = versions.get_dataset(actor, cp, project, name)
    version = _chosen(found)
    if not version.left_out_rows:
        raise NotFound
    written = rows.left_out(actor, cp, version.id)
    headers = {"Content-Disposition": f'attachment; filename="{name}-{version.number}-left-out.jsonl"'}
    return Response(written, mimetype="application/jsonl", headers=headers)


def _chosen(found: list[DatasetVersionRecord]) -> DatasetVersionRecord:
    wanted = asked_number("version", found[0].number if found else 0)
    chosen = next((version for version in found if version.number == wanted), None)
    if chosen is None:
        raise NotFound
    return chosen


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
