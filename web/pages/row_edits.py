"""Rows of a dataset that are changed, added or taken out in the browser: what comes of it is another version."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.services.datasets import editing, rows, versions
from control_plane.store.datasets import DatasetVersionRecord
from web import dataset_page, row_form, snippets
from web.access import requires, the_actor, the_control_plane
from web.paging import Page, asked_page
from web.refusals import shown_again

blueprint = Blueprint("row_edits", __name__, url_prefix="/p/<project>/data/<name>/edit")
ROWS_SHOWN = 10


@blueprint.get("")
@requires("dataset.upload")
def show(project: str, name: str) -> ResponseReturnValue:
    """A page of rows as a form, and an empty row to add."""
    dataset, found = versions.get_dataset(the_actor(), the_control_plane(), project, name)
    version, split = dataset_page.chosen(found), dataset_page.split_asked()
    page = _page(version, split)
    return dataset_page.drawn(
        "datasets/edit.html", dataset, found, version, split=split, page=page,
        rows=row_form.drawn(version.format, _numbered(version, split, page), request.form),
        removed=request.form.getlist("remove"), snippet=snippets.edit_rows(project, version.id, split),
    )  # fmt: skip


@blueprint.post("")
@requires("dataset.upload")
@shown_again("edit", show)
def save(project: str, name: str) -> ResponseReturnValue:
    """What is different on the page becomes another version."""
    actor, cp, form = the_actor(), the_control_plane(), request.form
    _dataset, found = versions.get_dataset(actor, cp, project, name)
    version, split = dataset_page.chosen(found), dataset_page.split_asked()
    shown = _numbered(version, split, _page(version, split))
    removed = {number for number, _row in shown if str(number) in form.getlist("remove")}
    changed = {
        number: new
        for number, row in shown
        if number not in removed and (new := row_form.changed(version.format, number, row, form)) is not None
    }
    added = row_form.changed(version.format, 0, {}, form)
    made, reused = editing.edit(actor, cp, int(version.id), split, changed, removed, [added] if added else [])
    if reused:
        flash(gettext("The same data was there already as version %(number)s.", number=made.number))
    else:
        flash(gettext("Version %(number)s was saved.", number=made.number))
    return redirect(url_for("datasets.show", project=project, name=name, version=made.number, split=split))


def _page(version: DatasetVersionRecord, split: str) -> Page:
    return asked_page(version.test_rows if split == "test" else version.train_rows, ROWS_SHOWN)


def _numbered(version: DatasetVersionRecord, split: str, page: Page) -> list[tuple[int, dict[str, Any]]]:
    some = rows.page(the_actor(), the_control_plane(), int(version.id), split, page.offset, page.size)
    return list(enumerate(some, page.offset + 1))
