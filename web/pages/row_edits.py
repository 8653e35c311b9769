"""Rows of a dataset that are changed, added or taken out in the browser: what comes of it is another version."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.edits import Edits
from control_plane.services.datasets import drafts, editing, rows, versions
from control_plane.store.datasets import DatasetVersionRecord
from web import dataset_page, draft_edits, row_form, snippets
from web.access import requires, the_actor, the_control_plane
from web.paging import Page, asked_number, asked_page
from web.refusals import shown_again

blueprint = Blueprint("row_edits", __name__, url_prefix="/p/<project>/data/<name>/edit")


@blueprint.get("")
@requires("dataset.upload")
def show(project: str, name: str) -> ResponseReturnValue:
    """A page of rows as a form, and an empty row to add."""
    dataset, found = versions.get_dataset(the_actor(), the_control_plane(), project, name)
    version, split = dataset_page.chosen(found), dataset_page.split_asked()
    page = _page(version, split)
    sent, removed = (request.form, request.form.getlist("remove")) if request.form else _of_draft(version, split)
    return dataset_page.drawn(
        "datasets/edit.html", dataset, found, version, split=split, page=page, draft=asked_number("draft", 0) or None,
        rows=row_form.drawn(version.format, _numbered(version, split, page), sent),
        removed=removed, snippet=snippets.edit_rows(project, version.id, split),
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
    begun = editing.begin(actor, cp, int(version.id), split, changed, removed, [added] if added else [])
    if before := asked_number("draft", 0):
        drafts.cancel(actor, cp, before)
    if begun.draft:
        return redirect(url_for("drafts.show", project=project, draft_id=begun.draft.id))
    assert begun.version is not None
    number = begun.version.number
    if begun.is_reused:
        flash(gettext("The same data was there already as version %(number)s.", number=number))
    else:
        flash(gettext("Version %(number)s was saved.", number=number))
    return redirect(url_for("datasets.show", project=project, name=name, version=number, split=split))


def _of_draft(version: DatasetVersionRecord, split: str) -> tuple[dict[str, str], list[str]]:
    """What was typed for edits that came to nothing, and which rows were to go. Raises NotFound."""
    number = asked_number("draft", 0)
    edits = drafts.edits(the_actor(), the_control_plane(), number) if number else Edits(split)
    typed = [*((int(at), row) for at, row in edits.changed.items()), *((0, row) for row in edits.added[:1])]
    form: dict[str, str] = {}
    for at, row in typed:
        form |= row_form.texts(version.format, at, json.loads(row))
    return form, [str(at) for at in edits.removed]


def _page(version: DatasetVersionRecord, split: str) -> Page:
    return asked_page(version.test_rows if split == "test" else version.train_rows, draft_edits.ROWS_SHOWN)


def _numbered(version: DatasetVersionRecord, split: str, page: Page) -> list[tuple[int, dict[str, Any]]]:
    some = rows.page(the_actor(), the_control_plane(), int(version.id), split, page.offset, page.size)
    return list(enumerate(some, page.offset + 1))
