"""The steps of a run as its page shows them: how each stands in words, what it led to, and where it stands drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import url_for
from flask_babel import gettext

from control_plane.context import ControlPlane
from control_plane.domain import lifecycle
from control_plane.domain.graph import APPROVAL, DATA, DEPLOY, DONE, OPEN, REFUSED, SKIPPED, Step
from control_plane.domain.permissions import Actor
from control_plane.domain.workflows import layout
from control_plane.services import deployments, evaluation_rows, evaluations, results
from control_plane.services.datasets import versions
from control_plane.services.deployments import Condition
from control_plane.services.fleet import scheduling
from control_plane.services.workflows import approvals
from control_plane.services.workflows.runs import Progress, Seen
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.workflows import ApprovalRecord
from control_plane.wording import say, waiting, why
from web import words
from web.languages import locale

WRONG_SHOWN = 12
ANSWERS_SHOWN = 10  # on a page of an evaluation
_PROMPT = 100  # characters
_INNER = layout.WIDTH - 28  # of a box: where its words stand, in pixels
_SIZE = 13.5  # of the font of a step's title; a margin above what the page's font is


@dataclass(frozen=True)
class Made:
    """Something that a step made, with its page; empty where that is gone."""

    text: str
    url: str


@dataclass(frozen=True)
class Row:
    """A step: a row of the table, and a box of the drawing."""

    step: Step
    title: str
    look: str  # a state as macros/status.html takes them
    word: str  # how it stands; empty: as that state is called
    seen: Seen
    url: str  # the page of what carries it out; that of its row where there is none yet
    waits: str = ""  # why it does not begin
    seconds: float | None = None
    made: list[Made] = field(default_factory=list)
    evaluation: EvaluationRecord | None = None  # what it found
    approval: ApprovalRecord | None = None
    decided_by: str = ""


@dataclass(frozen=True)
class Box:
    """A step as it is drawn: its upper left corner, the lines of its title and its state with their heights."""

    row: Row
    x: float
    y: float
    lines: list[tuple[str, float]]
    state_y: float


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    boxes: list[Box]
    paths: list[str]
    box_width: int = layout.WIDTH
    box_height: int = layout.HEIGHT


@dataclass(frozen=True)
class Asked:
    """A decision that is open: what it is about, and whether the reader may decide."""

    row: Row
    about: list[Made]
    may: bool
    own: bool  # the reader has started the run
    somebody: bool  # anybody may decide
    expires_at: float


@dataclass(frozen=True)
class WrongRow:
    """A held-out row that the model got wrong."""

    number: int  # from 0
    prompt: str  # its beginning
    page: int  # of the evaluation's wrong rows on which it is


@dataclass(frozen=True)
class Wrong:
    """Those rows: how many there are, and the first few."""

    count: int
    rows: list[WrongRow]


def step_word(step: Step) -> str:
    """What a step is, to a reader."""
    names: dict[str, str] = {
        "data": gettext("Data"),
        "import": gettext("Fetch the base model"),
        "train": gettext("Train"),
        "evaluate": gettext("Compare both on held-out rows"),
        "export": gettext("Package for serving"),
        "approval": step.title or gettext("Approval"),
        "deploy": gettext("Serve"),
    }
    return names.get(step.kind, step.title or step.name)


def rows(actor: Actor, cp: ControlPlane, project: str, progress: Progress) -> list[Row]:
    """Every step of a run, in the graph's order."""
    jobs = [seen.job for seen in progress.steps if seen.job is not None]
    queued = [job.id for job in jobs if job.state == lifecycle.QUEUED]
    facts = _Facts(
        project=project,
        seconds=results.seconds_of([job.id for job in jobs], cp.clock()),
        ahead=scheduling.ahead(queued) if queued else {},
        condition=condition(actor, cp, progress),
        models=results.model_names({seen.made[key] for seen in progress.steps for key in _of(seen, "model")}),
        verdicts=_verdicts(actor, cp, progress),
        names=approvals.names_of(seen.approval for seen in progress.steps if seen.approval),
    )
    return [_row(facts, progress, seen) for seen in progress.steps]


def drawing(found: list[Row]) -> Drawing:
    """The rows as a drawing."""
    drawn = layout.drawn({row.step.name: list(row.step.before) for row in found})
    of_name = {row.step.name: row for row in found}
    boxes = [_box(of_name[one.name], one.x, one.y) for one in drawn.boxes]
    return Drawing(drawn.width, drawn.height, boxes, [line.path for line in drawn.lines])


def asked(actor: Actor, progress: Progress, found: list[Row]) -> list[Asked]:
    """The decisions that are open."""
    of_name = {row.step.name: row for row in found}
    return [
        Asked(
            row=row,
            about=[made for edge in row.step.inputs.values() for made in of_name[edge.step].made],
            may=(may := approvals.may_decide(actor, progress.run, row.approval)),
            own=approvals.is_own(actor, progress.run),
            somebody=may or bool(approvals.deciders(progress.run, row.approval)),
            expires_at=row.approval.expires_at,
        )
        for row in found
        if row.approval is not None and row.seen.state == OPEN
    ]


def wrong(cp: ControlPlane, evaluation: EvaluationRecord) -> Wrong | None:
    """The held-out rows that the model under test got wrong, the first of them by name; None where there are none."""
    count = evaluation_rows.count(cp, evaluation, "wrong")
    if not count:
        return None
    found = evaluation_rows.read(cp, evaluation, "wrong", 0, WRONG_SHOWN)
    rows = [
        WrongRow(int(row["row"]), " ".join(str(row["prompt"]).split())[:_PROMPT], at // ANSWERS_SHOWN + 1)
        for at, row in enumerate(found)
    ]
    return Wrong(count, rows)


def condition(actor: Actor, cp: ControlPlane, progress: Progress) -> Condition | None:
    """How the deployment stands that the run waits for, if it waits for one."""
    number = progress.first("deployment")
    if progress.run.outcome or not number:
        return None
    return deployments.condition(deployments.get(actor, cp, number))


@dataclass(frozen=True)
class _Facts:
    project: str
    seconds: Mapping[int, float]
    ahead: Mapping[int, int]
    condition: Condition | None
    models: Mapping[int, str]
    verdicts: Mapping[int, EvaluationRecord]
    names: Mapping[int, str]


def _of(seen: Seen, kind: str) -> list[str]:
    """The outputs of a kind that the step itself has made; an approval only passes on."""
    if seen.step.kind == APPROVAL:
        return []
    return [name for name, is_a in seen.step.outputs.items() if is_a == kind and seen.made.get(name)]


def _scored(facts: _Facts, seen: Seen) -> list[str]:
    return [name for name in _of(seen, "evaluation") if seen.made[name] in facts.verdicts]


def _verdicts(actor: Actor, cp: ControlPlane, progress: Progress) -> dict[int, EvaluationRecord]:
    numbers = {seen.made[name] for seen in progress.steps for name in _of(seen, "evaluation")}
    return evaluations.of_ids(actor, cp, progress.run.project_id, numbers)


def _row(facts: _Facts, progress: Progress, seen: Seen) -> Row:
    step, job = seen.step, seen.job
    look, word, waits = _stands(facts, seen)
    url = f"#step-{step.name}"
    if job is not None and not job.purged_at:
        url = url_for("jobs.show", project=facts.project, job_id=job.id)
    made = _made(facts, seen)
    if made and job is None and step.kind in (DATA, DEPLOY):
        url = made[0].url
    if step.kind == APPROVAL and seen.state == OPEN:
        url = f"#decide-{step.name}"
    return Row(
        step=step,
        title=step_word(step),
        look=look,
        word=word,
        seen=seen,
        url=url,
        waits=waits,
        seconds=facts.seconds.get(job.id) if job is not None else None,
        made=made,
        evaluation=next((facts.verdicts[seen.made[name]] for name in _scored(facts, seen)), None),
        approval=seen.approval,
        decided_by=facts.names.get(seen.approval.decided_by_id or 0, "") if seen.approval else "",
    )


def _stands(facts: _Facts, seen: Seen) -> tuple[str, str, str]:
    """(state as macros/status.html takes them, its word or "", why it waits)"""
    job = seen.job
    if job is not None:
        return job.state, "", _waits(facts, seen)
    if seen.step.kind == DEPLOY and seen.state == OPEN and facts.condition is not None:
        one = facts.condition
        return one.state, "", why(one.state, one.code, one.params, locale())
    if seen.step.kind == APPROVAL:
        decided = {
            OPEN: ("warning", gettext("Waits for a decision")),
            DONE: ("succeeded", gettext("Approved")),
            REFUSED: ("failed", gettext("Refused")),
        }
        if seen.state in decided:
            return *decided[seen.state], ""
    known = {
        "done": ("succeeded", gettext("Done")),
        "open": ("starting", ""),
        "blocked": ("queued", gettext("Comes later")),
        "ready": ("queued", gettext("Next")),
        SKIPPED: ("cancelled", gettext("Not reached")),
    }
    why_shut = say(seen.shut.code, dict(seen.shut.params), locale()) if seen.shut else ""
    return *known.get(seen.state, (seen.state, "")), why_shut


def _waits(facts: _Facts, seen: Seen) -> str:
    job = seen.job
    if job is None or job.state != lifecycle.QUEUED:
        return ""
    return waiting(job.waiting_code, job.waiting_params | {"ahead": facts.ahead.get(job.id, 0)}, locale())


def _made(facts: _Facts, seen: Seen) -> list[Made]:
    found = []
    for name in _of(seen, "dataset"):
        if pair := versions.with_dataset(seen.made[name]):
            dataset, version = pair
            url = _page(facts, "datasets.show", name=dataset.name, version=version.number)
            found.append(Made(f"{dataset.label} v{version.number}", "" if dataset.purged_at else url))
    for name in _of(seen, "model"):
        number = seen.made[name]
        found.append(Made(facts.models.get(number, f"#{number}"), _page(facts, "models.show", model_id=number)))
    for name in _scored(facts, seen):
        number = seen.made[name]
        url = _page(facts, "evaluations.show", evaluation_id=number)
        found.append(Made(words.verdict(facts.verdicts[number].verdict), url))
    for name in _of(seen, "deployment"):
        found.append(Made(seen.step.title, _page(facts, "deployments.show", deployment_id=seen.made[name])))
    return found


def _page(facts: _Facts, endpoint: str, **arguments: Any) -> str:
    return url_for(endpoint, project=facts.project, **arguments)


def _box(row: Row, x: float, y: float) -> Box:
    lines = layout.written(row.title, _INNER, _SIZE, 2)
    first = y + (20 if len(lines) > 1 else 28)
    placed = [(text, first + 17 * at) for at, text in enumerate(lines)]
    return Box(row, x, y, placed, placed[-1][1] + 19 if placed else y + 40)


def reason(progress: Progress) -> str:
    """Why a run has stopped or was refused, in words."""
    run = progress.run
    return say(run.reason, run.reason_params, locale()) if run.reason else ""
