"""Data: what there is, whether it can be trusted, and putting a new version in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import FileStorage

from control_plane.domain.datasets import FORMATS
from control_plane.domain.errors import DiskFull, Invalid, NotFound, RowsInvalid, TunesmithError
from control_plane.services import datasets
from control_plane.store.datasets import DatasetVersionRecord
from web import snippets
from web.access import requires, the_actor, the_control_plane
from web.failures import sentence
from web.pages.item import Item
from web.paging import asked_number, asked_page
from web.security import takes_upload

blueprint = Blueprint("datasets", __name__, url_prefix="/p/<project>/data")
navigation = Item("work", "datasets.index", _("Data"), "database", "dataset.see", "g d")

ROWS_SHOWN = 20
_FILES = {"train.jsonl": "train", "test.jsonl": "test"}  # the service's names for what was sent


@dataclass(frozen=True)
class Entered:
    """The form of an upload as it was filled in, and what was wrong with it."""

    name: str = ""
    share: str = "20"  # percent of the rows to hold out
    seed: str = "42"
    errors: dict[str, str] = field(default_factory=dict)  # control → sentence
    problems: list[str] = field(default_factory=list)  # of the file, the first ones
    problem_count: int = 0


@blueprint.get("")
@requires("dataset.see")
def index(project: str) -> ResponseReturnValue:
    """Every dataset of the project with its newest version."""
    found = datasets.list_datasets(the_actor(), the_control_plane(), project)
    return render_template("datasets/index.html", found=found, snippet=snippets.list_datasets(project))


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
    train, test = request.files.get("train"), request.files.get("test")
    entered = _entered(train)
    if train is None or not train.filename:
        return _again(project, _with_error(entered, "train", gettext("Choose a file.")))
    if entered.errors:
        return _again(project, entered)
    held_out = cast(BinaryIO, test.stream) if test is not None and test.filename else None
    try:
        version, reused = datasets.upload(
            the_actor(),
            the_control_plane(),
            project,
            entered.name,
            cast(BinaryIO, train.stream),
            held_out,
            test_share=int(entered.share) / 100,
            split_seed=int(entered.seed),
        )
    except (Invalid, DiskFull) as problem:
        return _again(project, _faulty(entered, problem))
    return _kept(project, entered.name, version, reused)


takes_upload(upload)


@blueprint.get("/<name>")
@requires("dataset.see")
def show(project: str, name: str) -> ResponseReturnValue:
    """One dataset: its versions, what is known about the chosen one, and its rows."""
    actor, cp = the_actor(), the_control_plane()
    dataset, versions = datasets.get_dataset(actor, cp, project, name)
    version = _chosen(versions)
    split = "test" if request.args.get("split") == "test" else "train"
    page = asked_page(version.test_rows if split == "test" else version.train_rows, ROWS_SHOWN)
    rows = datasets.rows(actor, cp, version.id, split, page.offset, page.size)
    return render_template(
        "datasets/show.html",
        dataset=dataset,
        versions=versions,
        version=version,
        split=split,
        page=page,
        rows=rows,
        fields=FORMATS[version.format],
        snippet=snippets.list_rows(project, version.id),
    )


def _chosen(versions: list[DatasetVersionRecord]) -> DatasetVersionRecord:
    wanted = asked_number("version", versions[0].number if versions else 0)
    found = next((version for version in versions if version.number == wanted), None)
    if found is None:
        raise NotFound
    return found


def _entered(train: FileStorage | None) -> Entered:
    share, seed = request.form.get("share", "20").strip(), request.form.get("seed", "42").strip()
    errors = {}
    if not share.isdecimal() or len(share) > 4 or int(share) > 50:
        errors["share"] = gettext("Enter a whole number from 0 to 50.")
    if not re.fullmatch(r"[0-9]{1,9}", seed):
        errors["seed"] = gettext("Enter a whole number.")
    name = request.form.get("name", "").strip() or _name_of(train)
    return Entered(name, share, seed, errors)


def _name_of(train: FileStorage | None) -> str:
    """A dataset's name from its file's: lower case, what is not allowed becomes a hyphen."""
    stem = PurePath(train.filename or "").stem.lower() if train else ""
    return re.sub(r"[^a-z0-9._-]+", "-", stem).strip("-._")[:64]


def _with_error(entered: Entered, control: str, text: str) -> Entered:
    return Entered(entered.name, entered.share, entered.seed, {**entered.errors, control: text})


def _faulty(entered: Entered, problem: TunesmithError) -> Entered:
    """What to show of a refused upload: a fault of a field at the field, faults of rows as a list."""
    if problem.code == "name_invalid":
        return _with_error(entered, "name", sentence(problem))
    sent = request.files.get(_FILES.get(str(problem.params.get("file")), ""))
    if isinstance(problem, RowsInvalid) and sent is not None:
        report = datasets.check(the_control_plane(), _rewound(sent), sent.filename or "")
        return _listing(entered, report.problems, report.problem_count)
    if sent is not None:
        problem.params["file"] = sent.filename
    return _listing(entered, [problem], 1)


def _rewound(sent: FileStorage) -> BinaryIO:
    sent.stream.seek(0)
    return cast(BinaryIO, sent.stream)


def _listing(entered: Entered, problems: list[Any], count: int) -> Entered:
    words = [sentence(problem) for problem in problems]
    return Entered(entered.name, entered.share, entered.seed, entered.errors, words, count)


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
    if "HX-Request" in request.headers:
        return Response(headers={"HX-Redirect": address})
    return redirect(address)
