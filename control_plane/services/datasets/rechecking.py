"""Versions that were made without a draft (uploaded in one call, edited, labelled, samples of a case): the process that
reads drafts looks at their rows afterwards, and they get their report.

That such a version is to be checked stands in its row, so that one whose check was cut off by a restart is begun anew.
Its rows stay as they are: every check keeps what it finds, and marks it.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import PreparationBroke
from control_plane.domain.preparation import (
    CHOICES,
    UNREADABLE,
    Choice,
    Finding,
    Mapping,
    Order,
    Report,
    Source,
    Split,
    Step,
    read,
    told,
)
from control_plane.domain.rows import FORMATS
from control_plane.preparations import VERSION
from control_plane.services import references
from control_plane.services.datasets import preparing, process, reports, row_index, saving
from control_plane.services.datasets.process import Fault
from control_plane.services.watching import watched
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord


def advance(cp: ControlPlane) -> int:
    """Begin the checks whose turn it is, where no draft needs the room; how many.

    Nobody waits at a page for them: one place is left for a draft, where there are several.
    """
    running = list(cp.preparations.running(VERSION))
    most = max(1, cp.settings.preparations - 1)
    free = min(cp.settings.preparations - cp.preparations.count(), most - len(running))
    if free <= 0:
        return 0
    waiting = DatasetVersionRecord.select().where(
        DatasetVersionRecord.to_check, DatasetVersionRecord.id.not_in(running)
    )
    next_turn = partial(cp.signals.wake, "schedule")
    turn = waiting.order_by(DatasetVersionRecord.id).limit(free)
    return sum(cp.preparations.begin((VERSION, one.id), partial(_watch, cp, one), next_turn) for one in turn)


def _watch(cp: ControlPlane, version: DatasetVersionRecord, stop: threading.Event) -> None:
    watched(f"the check of dataset version {version.id}", partial(_check, cp, version, stop))


def _check(cp: ControlPlane, version: DatasetVersionRecord, stop: threading.Event) -> None:
    name = f"check-{version.id}"
    shutil.rmtree(cp.blobs.staging(name))  # of a process that nobody watches any more
    room = cp.blobs.staging(name)

    def step() -> Fault | None:
        fault = process.run(cp, _order(cp, version), room, stop, lambda *_: None)
        if fault is None:
            _keep(cp, version, room)
        return fault

    fault = process.carried_out(f"the check of dataset version {version.id}", step, room, PreparationBroke)
    if fault is not None:
        _note(cp, version, source=reports.without(version, fault))


def _order(cp: ControlPlane, version: DatasetVersionRecord) -> Order:
    """To save the rows as they are. Raises NotFound."""
    parts = [
        (part, sha256) for part, sha256 in (("train", version.train_sha256), ("test", version.test_sha256)) if sha256
    ]
    train, *test = [
        Source(f"{part}.jsonl", str(cp.blobs.path(sha256)), "jsonl", encoding="utf-8") for part, sha256 in parts
    ]
    return Order(
        step=Step.SAVE,
        train=train,
        test=test[0] if test else None,
        limits=preparing.limits(cp),
        mapping=Mapping(version.format, {part: [part] for part in FORMATS[version.format]}),
        split=Split(share=0),
        choices={check: Choice.KEEP for check, choices in CHOICES.items() if Choice.KEEP in choices},
    )


def _keep(cp: ControlPlane, version: DatasetVersionRecord, room: Path) -> None:
    """The report and the marks become those of the version. Raises PreparationBroke where they are of other rows.

    What was found when the rows were brought (`Scan.facts`: a byte-order mark …) stays: the process reads our copy.
    """
    written = (room / "report.json").read_bytes()
    report = read(Report, json.loads(written))
    if (report.train_rows, report.test_rows) != (version.train_rows, version.test_rows):
        raise PreparationBroke
    whole = json.dumps(told(_with_left_out(cp, version, report)), ensure_ascii=False).encode()
    with cp.blobs.holding():
        marks, sha256 = saving.blob(cp, room / "marks"), cp.blobs.put_bytes(whole)
        _note(cp, version, marks_sha256=marks, report_sha256=sha256, facts={**report.facts, **version.facts})


def _with_left_out(cp: ControlPlane, version: DatasetVersionRecord, report: Report) -> Report:
    """The report with the rows that the version was saved without, which the process has not seen."""
    if not version.left_out_rows:
        return report
    lines = row_index.lines(cp, version.left_out_sha256)
    reasons = Counter(json.loads(line).get("check", UNREADABLE) for line in lines)
    found = {one.check: one for one in report.findings}
    for check, count in reasons.items():
        one = found.get(check) or Finding(check, 0, Choice.DROP, list(CHOICES.get(check, ())))
        found[check] = replace(one, count=one.count + count, choice=one.choice if one.count else Choice.DROP)
    rows, left_out = report.rows + version.left_out_rows, report.left_out_rows + version.left_out_rows
    return replace(report, rows=rows, left_out_rows=left_out, findings=list(found.values()))


def _note(cp: ControlPlane, version: DatasetVersionRecord, **columns: Any) -> None:
    """The check is over."""
    mine = (DatasetVersionRecord.id == version.id) & DatasetVersionRecord.to_check
    with transaction():
        if DatasetVersionRecord.update(to_check=False, **columns).where(mine).execute():
            named = [columns.get("marks_sha256", ""), columns.get("report_sha256", "")]
            references.add(cp, references.DATASET, version.id, named)
    project = DatasetRecord.get_by_id(version.dataset_id).project_id
    cp.signals.wake(f"project:{project}")
