"""A version of a dataset beyond its rows: the report of its checks, one row alone, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from control_plane.domain.errors import NotFound
from control_plane.domain.rows import FORMATS
from control_plane.services.datasets import differences, readers, reports, rows, searching, seeing, versions
from control_plane.services.datasets.differences import Difference
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.wording import say
from web import data_words, dataset_page, findings, lengths, seen_page, snippets, word_differences, words
from web.access import requires, the_actor, the_control_plane
from web.languages import locale
from web.paging import Page, asked_number

blueprint = Blueprint("versions", __name__, url_prefix="/p/<project>/data/<name>")
ROWS_SHOWN = 20


@blueprint.get("/report")
@requires("dataset.see")
def report(project: str, name: str) -> ResponseReturnValue:
    """What the checks found, how long the rows are, where the version came from and where it was used."""
    actor, cp = the_actor(), the_control_plane()
    dataset, found = versions.get_dataset(actor, cp, project, name)
    version = dataset_page.chosen(found)
    report = reports.of_version(cp, version)
    return dataset_page.drawn(
        "datasets/report.html", dataset, found, version,
        is_checked=report is not None,
        check_fault=_check_fault(version),
        rows_read=report.rows if report else 0,
        left_out=report.left_out_rows if report else 0,
        findings=findings.found(report) if report else [],
        found_nothing=findings.nothing(report) if report else [],
        card=lengths.kept(version, report),
        address=url_for("versions.lengths", project=project, name=dataset.name, version=version.number),
        source=data_words.origin(version),
        marked=searching.checks(cp, version),
        used=readers.jobs_of(actor, cp, version.id),
        snippet=snippets.show_version(project, version.id),
    )  # fmt: skip


@blueprint.get("/lengths", endpoint="lengths")
@requires("dataset.see")
def by_tokens(project: str, name: str) -> ResponseReturnValue:
    """How long the rows are in tokens of a model; the card alone for htmx, which puts it on the report's page."""
    dataset, found = versions.get_dataset(the_actor(), the_control_plane(), project, name)
    version = dataset_page.chosen(found)
    card = lengths.measured(version, asked_number("model", 0))
    address = url_for("versions.lengths", project=project, name=dataset.name, version=version.number)
    if "HX-Request" in request.headers:
        return render_template("datasets/lengths.html", card=card, address=address, version=version)
    return dataset_page.drawn(
        "datasets/lengths_page.html", dataset, found, version, card=card, address=address,
        snippet=snippets.measure_lengths(project, int(version.id), asked_number("model", 0)),
    )  # fmt: skip


@blueprint.get("/row")
@requires("dataset.see")
def row(project: str, name: str) -> ResponseReturnValue:
    """One row, by its number from 1."""
    actor, cp = the_actor(), the_control_plane()
    dataset, found = versions.get_dataset(actor, cp, project, name)
    version, split = dataset_page.chosen(found), dataset_page.split_asked()
    number, total = asked_number("row", 1), version.test_rows if split == "test" else version.train_rows
    some = rows.page(actor, cp, version.id, split, number - 1, 1) if number else []
    if not some:
        raise NotFound
    return dataset_page.drawn(
        "datasets/row.html", dataset, found, version, row=some[0], number=number, total=total, split=split,
        snippet=snippets.see_row(project, int(version.id), number, split),
    )  # fmt: skip


@blueprint.get("/row/seen")
@requires("dataset.see")
def seen(project: str, name: str) -> ResponseReturnValue:
    """One row as a model sees it; the card alone for htmx, which puts it on the row's page."""
    actor, cp = the_actor(), the_control_plane()
    dataset, found = versions.get_dataset(actor, cp, project, name)
    version, split, number = dataset_page.chosen(found), dataset_page.split_asked(), asked_number("row", 1)
    card = seen_page.card(
        request.args,
        lambda wish: seeing.of_version(actor, cp, int(version.id), wish, split, number),
        version.format in seen_page.CONVERSATIONS,
    )
    place: dict[str, Any] = {"version": version.number, "split": split, "row": number}
    address = url_for("versions.seen", project=project, name=dataset.name, **place)
    if "HX-Request" in request.headers:
        return render_template("seen/card.html", card=card, place=place, address=address)
    return dataset_page.drawn(
        "datasets/seen.html", dataset, found, version, card=card, place=place, address=address, number=number,
        split=split, snippet=snippets.see_row(project, int(version.id), number, split, card.wish.model_id),
    )  # fmt: skip


@blueprint.get("/difference")
@requires("dataset.see")
def difference(project: str, name: str) -> ResponseReturnValue:
    """The rows that differ between two versions, by default the newest one and the one before it."""
    actor, cp = the_actor(), the_control_plane()
    dataset, found = versions.get_dataset(actor, cp, project, name)
    new = dataset_page.chosen(found)
    before = [one for one in found if one.number < new.number]
    old = dataset_page.chosen(found, "old") if asked_number("old", 0) else (before or [new])[0]
    page = Page(max(1, asked_number("page", 1)), ROWS_SHOWN, 0)
    compared = differences.compare(actor, cp, int(old.id), int(new.id), page.offset, page.size)
    return dataset_page.drawn(
        "datasets/difference.html", dataset, found, new, old=old, compared=compared, most=differences.MOST_ROWS,
        page=replace(page, total=compared.total),
        rows=[_worded(one, FORMATS[new.format]) for one in compared.rows],
        numbers=[(one.number, gettext("Version %(number)s", number=one.number)) for one in found],
        snippet=snippets.compare_versions(project, old.id, new.id),
    )  # fmt: skip


def _check_fault(version: DatasetVersionRecord) -> str:
    """Why the rows have no report; empty where they have one, or will."""
    fault = reports.fault_of(version)
    return say(fault.code, fault.params, locale()) if fault else ""


def _worded(one: Difference, fields: Sequence[str]) -> dict[str, Any]:
    """A row that differs as its line shows it; of a changed one, each field's words."""
    part = gettext("held out") if one.place[0] == "test" else gettext("to learn from")
    where = gettext("row %(number)s, %(part)s", number=one.place[1], part=part)
    shown = {"kind": one.kind, "where": where, "row": one.new or one.old, "pieces": None}
    if one.old is not None and one.new is not None:
        shown["pieces"] = {
            name: word_differences.compare(_text(one.old, name), _text(one.new, name)) for name in fields
        }
    return shown


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name, "")
    return value if isinstance(value, str) else words.as_json(value)
