"""Labellings begin, are looked at, and end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import labelling as domain
from control_plane.domain import variations
from control_plane.domain.errors import (
    FieldInvalid,
    LabellingClosed,
    LabellingEmpty,
    LabellingTooLarge,
    LabellingUnfit,
    NotFound,
)
from control_plane.domain.labelling import ItemState, Kind, State
from control_plane.domain.names import checked
from control_plane.domain.permissions import Actor
from control_plane.domain.rows import answer
from control_plane.preparations import LABELLING
from control_plane.services import audit, pins
from control_plane.services.access import projects
from control_plane.services.datasets import row_index, searching, versions
from control_plane.services.labelling import answering
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.labelling import LabelItemRecord, LabellingRecord
from control_plane.store.projects import MemberRecord

MOST_LISTED = 200
SPLITS = ("train", "test", "all")

_ANSWERED = ("prompt_completion", "chat")  # formats whose questions a model can be asked
_LARGEST_SEED = 2**31 - 1
_MOST_FOUND = 100_000  # rows with a text
_AT_ONCE = 300  # items of one statement

Place = tuple[str, int]  # the part, and the row's number in it from 1


@dataclass(frozen=True)
class Rows:
    """Which rows of a version: those with these numbers, or that have a text and were found by a check; at most `count`
    of them (0: all), drawn by the labelling's seed."""

    split: str = "train"  # train | test | all
    numbers: Sequence[int] = ()
    text: str = ""
    check: str = ""
    count: int = 0


@dataclass(frozen=True)
class Wanted:
    """A labelling as it is asked for. Without a deployment or an endpoint the rows' own answers are judged."""

    dataset_version_id: int
    kind: Kind = Kind.ANSWERS
    rows: Rows = Rows()
    deployment: str = ""
    endpoint: str = ""  # by name, instead of a deployment
    name: str = ""  # empty: the dataset's
    instruction: str = ""  # of variations; empty: ours
    per_row: int = 1  # variations
    overlap: float = 0.0  # 0..1: the share of items that two people judge
    seed: int = 42


def start(actor: Actor, cp: ControlPlane, project: str, wanted: Wanted) -> LabellingRecord:
    """Begin a labelling; its answers come in the background (`fetching.py`).

    Raises NotFound, Denied, InTrash, NameInvalid, FieldInvalid, LabellingUnfit, LabellingEmpty, LabellingTooLarge,
    NothingServes.
    """
    place = projects.get(actor, cp, project, "dataset.upload")
    version = versions.get_version(actor, cp, wanted.dataset_version_id)
    dataset = DatasetRecord.get_by_id(version.dataset_id)
    if dataset.project_id != place.id:
        raise NotFound
    _check(version, wanted)
    asked = answering.chosen(actor, cp, project, wanted.deployment, wanted.endpoint)
    chosen = _chosen(actor, cp, version, wanted)
    items = _items(cp, version, wanted, chosen, bool(asked))
    with transaction():
        pins.refuse_gone(place.id, [{"kind": "dataset", "id": version.id}])
        labelling = LabellingRecord.create(
            project=place,
            name=checked(wanted.name or dataset.name),
            dataset_version=version,
            kind=wanted.kind,
            asked=asked,
            instruction=_instruction(wanted),
            per_row=wanted.per_row,
            overlap=wanted.overlap,
            seed=wanted.seed,
            state=State.ASKING if asked else State.OPEN,
            created_by=actor.id,
            created_at=cp.clock(),
        )
        for first in range(0, len(items), _AT_ONCE):
            some = [item | {"labelling": labelling.id} for item in items[first : first + _AT_ONCE]]
            LabelItemRecord.insert_many(some).execute()
        said = {"name": labelling.name, "kind": str(wanted.kind), "count": len(items)}
        audit.record(actor, cp, "labelling.start", _subject(labelling), place.id, **said)
        told = [member.user_id for member in MemberRecord.select().where(MemberRecord.project == place.id)]
    changed(cp, labelling)
    cp.signals.wake(*(f"notifications:{number}" for number in told))
    return labelling


def get(actor: Actor, cp: ControlPlane, labelling_id: int, permission: str = "dataset.see") -> LabellingRecord:
    """A labelling. Raises NotFound, Denied, InTrash with its project."""
    found: LabellingRecord = projects.inside(actor, LabellingRecord, labelling_id, permission)
    return found


def of_project(actor: Actor, cp: ControlPlane, project: str) -> list[LabellingRecord]:
    """The labellings of a project, those that go on first, then the newest. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "dataset.see").id
    query = LabellingRecord.select().where(LabellingRecord.project == project_id)
    order = (LabellingRecord.state == State.CLOSED, LabellingRecord.id.desc())
    return list(query.order_by(*order).limit(MOST_LISTED))


def stop(actor: Actor, cp: ControlPlane, labelling_id: int) -> LabellingRecord:
    """Ask for no more answers; those that are there can be judged. Raises NotFound, Denied, LabellingClosed."""
    return _turn(actor, cp, labelling_id, "labelling.stop", lambda _: State.OPEN)


def resume(actor: Actor, cp: ControlPlane, labelling_id: int) -> LabellingRecord:
    """Ask for what is still missing, and once more for what was unusable. Raises NotFound, Denied, LabellingClosed."""
    labelling = get(actor, cp, labelling_id, "dataset.upload")
    if not labelling.asked:
        return labelling
    return _turn(actor, cp, labelling_id, "labelling.resume", _with_unusable_again)


def close(actor: Actor, cp: ControlPlane, labelling_id: int) -> LabellingRecord:
    """Nothing more is asked or judged; what was said stays. Raises NotFound, Denied."""
    labelling = get(actor, cp, labelling_id, "dataset.upload")
    if labelling.state == State.CLOSED:
        return labelling
    return _turn(actor, cp, labelling_id, "labelling.close", lambda _: State.CLOSED)


def changed(cp: ControlPlane, labelling: LabellingRecord) -> None:
    """Wake who looks at a labelling, and what asks for its answers; once the change can be read."""
    cp.signals.wake(f"labelling:{labelling.id}", f"project:{labelling.project_id}", "schedule")


def question_of(cp: ControlPlane, version: DatasetVersionRecord, split: str, number: int) -> dict[str, Any]:
    """A row of a version, by its number from 1. Raises NotFound where it was deleted for good."""
    sha256 = version.train_sha256 if split == "train" else version.test_sha256
    line = next(row_index.lines(cp, sha256, number - 1, 1), None)
    if line is None:
        raise NotFound
    row: dict[str, Any] = json.loads(line)
    return row


def own_answer(format: str, row: dict[str, Any]) -> str:
    """What a row itself answers; of a text the whole of it."""
    return str(row["text"]) if format == "text" else answer(format, row) or ""


def _with_unusable_again(labelling: LabellingRecord) -> State:
    """Have the unusable items wait again, inside the transaction; the state that follows."""
    mine = LabelItemRecord.labelling == labelling.id
    unusable = mine & (LabelItemRecord.state == ItemState.UNUSABLE)
    again = {"state": ItemState.WAITING, "attempts": 0, "problem": "", "problem_params": {}}
    LabelItemRecord.update(**again).where(unusable).execute()
    is_missing = LabelItemRecord.select().where(mine, LabelItemRecord.state == ItemState.WAITING).exists()
    return State.ASKING if is_missing else State.OPEN


def _turn(
    actor: Actor, cp: ControlPlane, labelling_id: int, action: str, turn: Callable[[LabellingRecord], State]
) -> LabellingRecord:
    labelling = get(actor, cp, labelling_id, "dataset.upload")
    with transaction():
        same = (LabellingRecord.id == labelling.id) & (LabellingRecord.state != State.CLOSED)
        columns = {"fence": LabellingRecord.fence + 1, "version": LabellingRecord.version + 1, "reason": ""}
        columns |= {"reason_params": {}, "state": turn(labelling)}
        if not LabellingRecord.update(**columns).where(same).execute():
            raise LabellingClosed
        audit.record(actor, cp, action, _subject(labelling), labelling.project_id, name=labelling.name)
    cp.labellings.stop((LABELLING, labelling.id))
    changed(cp, labelling)
    return get(actor, cp, labelling_id)


def _subject(labelling: LabellingRecord) -> str:
    return f"labelling:{labelling.id}"


def _check(version: DatasetVersionRecord, wanted: Wanted) -> None:
    """Raises FieldInvalid, LabellingUnfit."""
    is_asked = bool(wanted.deployment or wanted.endpoint)
    fits = variations.ASKABLE if wanted.kind == Kind.VARIATIONS or not is_asked else _ANSWERED
    if version.format not in fits:
        raise LabellingUnfit(given=version.format, accepted=list(fits))
    if (wanted.kind == Kind.VARIATIONS and not is_asked) or (wanted.deployment and wanted.endpoint):
        raise FieldInvalid(field="deployment", problem="…")
    # what is made of held-out rows would give them away
    splits = ("train",) if wanted.kind == Kind.VARIATIONS else ("train", "test") if wanted.rows.numbers else SPLITS
    if wanted.rows.split not in splits:
        raise FieldInvalid(field="split", problem=", ".join(splits))
    if not 1 <= wanted.per_row <= (domain.MOST_VARIATIONS if wanted.kind == Kind.VARIATIONS else 1):
        raise FieldInvalid(field="per_row", problem=f"1 … {domain.MOST_VARIATIONS}")
    if not 0 <= wanted.overlap <= 1:
        raise FieldInvalid(field="overlap", problem="0 … 1")
    if not 0 <= wanted.seed <= _LARGEST_SEED:
        raise FieldInvalid(field="seed", problem=f"0 … {_LARGEST_SEED}")
    if wanted.rows.count < 0:
        raise FieldInvalid(field="count", problem="≥ 0")
    if len(wanted.instruction) > domain.LONGEST_INSTRUCTION:
        raise FieldInvalid(field="instruction", problem=f"≤ {domain.LONGEST_INSTRUCTION}")


def _instruction(wanted: Wanted) -> str:
    if wanted.kind != Kind.VARIATIONS:
        return ""
    return wanted.instruction.replace("\r\n", "\n").strip() or variations.INSTRUCTION


def _chosen(actor: Actor, cp: ControlPlane, version: DatasetVersionRecord, wanted: Wanted) -> list[Place]:
    """The rows of which items are made, in order. Raises FieldInvalid, LabellingEmpty, LabellingTooLarge."""
    rows = wanted.rows
    parts = ("train", "test") if rows.split == "all" else (rows.split,)
    found = [(part, number) for part in parts for number in _numbers(actor, cp, version, part, rows)]
    if rows.count:
        found = [found[at] for at in domain.sample(len(found), rows.count, wanted.seed)]
    if not found:
        raise LabellingEmpty
    if (count := len(found) * wanted.per_row) > domain.MOST_ITEMS:
        raise LabellingTooLarge(count=count, most=domain.MOST_ITEMS)
    return found


def _numbers(actor: Actor, cp: ControlPlane, version: DatasetVersionRecord, part: str, rows: Rows) -> list[int]:
    count = version.train_rows if part == "train" else version.test_rows
    if rows.numbers:
        if any(not 1 <= number <= count for number in rows.numbers):
            raise FieldInvalid(field="numbers", problem=f"1 … {count}")
        return sorted(set(rows.numbers))
    if rows.text:
        return _with_text(actor, cp, version, part, rows)
    if rows.check:
        return list(searching.marked(cp, version, part, rows.check))
    return list(range(1, count + 1))


def _with_text(actor: Actor, cp: ControlPlane, version: DatasetVersionRecord, part: str, rows: Rows) -> list[int]:
    """The numbers of the rows that are sought, however many looks that takes; of the first hundred thousand."""
    numbers: list[int] = []
    after = 0
    while len(numbers) < _MOST_FOUND:
        found = searching.find(actor, cp, version.id, part, rows.text, rows.check, 0, _MOST_FOUND, after)
        numbers += [number for number, _row in found.rows]
        after = found.after
        if not after:
            break
    return numbers


def _items(
    cp: ControlPlane, version: DatasetVersionRecord, wanted: Wanted, chosen: list[Place], is_asked: bool
) -> list[dict[str, Any]]:
    made = wanted.kind == Kind.VARIATIONS
    places = [(*row, number) for row in chosen for number in (range(1, wanted.per_row + 1) if made else (0,))]
    twice = domain.judged_twice(len(places), wanted.overlap, wanted.seed)
    items = []
    for at, (split, row, variation) in enumerate(places):
        own = "" if is_asked else own_answer(version.format, question_of(cp, version, split, row))
        state = ItemState.WAITING if is_asked else ItemState.READY
        item = {"place": at + 1, "split": split, "row": row, "variation": variation, "state": state, "answer": own}
        items.append(item | {"seats": 2 if at in twice else 1})
    return items
