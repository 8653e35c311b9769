"""The form that takes a dataset's file, on the data page and on a case's page: what was entered, and what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import BinaryIO, cast

from flask import request
from flask_babel import gettext
from werkzeug.datastructures import FileStorage

from control_plane.domain import names
from control_plane.domain.datasets import Cause
from control_plane.domain.errors import DiskFull, Invalid, RowsInvalid, TunesmithError
from control_plane.services.datasets import json_lines
from control_plane.store.datasets import DatasetVersionRecord
from web.access import the_actor, the_control_plane
from web.failures import sentence

_FILES = {"train.jsonl": "train", "test.jsonl": "test"}  # the service's names for what was sent


@dataclass(frozen=True)
class Entered:
    """The form as it was filled in, and what was wrong with it."""

    name: str = ""
    share: str = "20"  # percent of the rows to hold out
    seed: str = "42"
    errors: dict[str, str] = field(default_factory=dict)  # control → sentence
    causes: list[tuple[str, Cause]] = field(default_factory=list)  # what is wrong with the file, each in words first
    problem_count: int = 0  # rows
    sound: int = 0  # rows without a fault, if they can be kept alone


def receive(project: str) -> tuple[Entered, DatasetVersionRecord | None, bool]:
    """Check and keep what was sent: the form, the version (None where something is wrong), and whether it was there.

    A file with a fault changes nothing.
    """
    train, test = request.files.get("train"), request.files.get("test")
    entered = _entered(train)
    if train is None or not train.filename:
        return _with_error(entered, "train", gettext("Choose a file.")), None, False
    if entered.errors:
        return entered, None, False
    held_out = cast(BinaryIO, test.stream) if test is not None and test.filename else None
    try:
        version, reused = json_lines.upload(
            the_actor(),
            the_control_plane(),
            project,
            entered.name,
            cast(BinaryIO, train.stream),
            held_out,
            test_share=int(entered.share) / 100,
            split_seed=int(entered.seed),
            faulty="leave_out" if request.form.get("faulty") == "leave_out" else "refuse",
        )
    except (Invalid, DiskFull) as problem:
        return _faulty(entered, problem), None, False
    return entered, version, reused


def name_of(file_name: str) -> str:
    """A dataset's name from its file's: `Notizen März.jsonl` → `notizen-maerz`; `data` if no letter is left."""
    return names.of_title(PurePath(file_name).stem) or "data"


def _entered(train: FileStorage | None) -> Entered:
    share, seed = request.form.get("share", "20").strip(), request.form.get("seed", "42").strip()
    errors = {}
    if not share.isdecimal() or len(share) > 4 or int(share) > 50:
        errors["share"] = gettext("Enter a whole number from 0 to 50.")
    if not re.fullmatch(r"[0-9]{1,9}", seed):
        errors["seed"] = gettext("Enter a whole number.")
    name = request.form.get("name", "").strip() or name_of(train.filename or "" if train else "")
    return Entered(name, share, seed, errors)


def _with_error(entered: Entered, control: str, text: str) -> Entered:
    return replace(entered, errors=entered.errors | {control: text})


def _faulty(entered: Entered, problem: TunesmithError) -> Entered:
    """What to show of a refused upload: a fault of a field at the field, faults of rows as a list."""
    if problem.code == "name_invalid":
        return _with_error(entered, "name", sentence(problem))
    sent = request.files.get(_FILES.get(str(problem.params.get("file")), ""))
    if isinstance(problem, RowsInvalid) and sent is not None:
        report = json_lines.check(the_control_plane(), _rewound(sent), sent.filename or "")
        return _listing(entered, report.causes, report.problem_count, report.rows)
    if sent is not None:
        problem.params["file"] = sent.filename
    return _listing(entered, [Cause(problem)], 1)


def _rewound(sent: FileStorage) -> BinaryIO:
    sent.stream.seek(0)
    return cast(BinaryIO, sent.stream)


def _listing(entered: Entered, causes: list[Cause], count: int, sound: int = 0) -> Entered:
    named = [(sentence(one.problem), one) for one in causes]
    return replace(entered, causes=named, problem_count=count, sound=sound)
