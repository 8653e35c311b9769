"""The queue: who judges which item, and what they say of it.

An item that is given out is kept for its person until its lease is over: then it is given to somebody else, and a
judgement that comes late counts if nobody else's does yet. One transaction writes at a time, so no item is given to
more people than judge it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import JOIN, fn

from control_plane.context import ControlPlane
from control_plane.domain import labelling as domain
from control_plane.domain import variations
from control_plane.domain.errors import (
    DecisionNotYours,
    FieldInvalid,
    ItemTaken,
    ItemUnready,
    LabellingClosed,
    NotFound,
)
from control_plane.domain.labelling import DISAGREED, JUDGING, Action, ItemState, Judgement, Kind, State
from control_plane.domain.permissions import Actor
from control_plane.services import audit
from control_plane.services.access import projects
from control_plane.services.datasets import versions
from control_plane.services.labelling.making import get, question_of
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.labelling import JudgementRecord, LabelItemRecord, LabellingRecord

MOST_LISTED = 200
_PERMISSION = "dataset.upload"
_OUTCOMES = (*JUDGING, DISAGREED)


@dataclass(frozen=True)
class Item:
    """An item as somebody sees it: the row that it belongs to, and what it has come to."""

    record: LabelItemRecord
    labelling: LabellingRecord
    version: DatasetVersionRecord
    row: dict[str, Any]
    mine: Judgement | None = None  # what the reader has said
    lease_until: float = 0.0  # until when it is kept for the reader
    said: list[JudgementRecord] = field(default_factory=list)  # once people disagree: by whom, the decision last

    @property
    def is_disputed(self) -> bool:
        """Whether two people disagree and nobody has decided."""
        return bool(self.record.outcome == DISAGREED)

    @property
    def new_row(self) -> dict[str, Any]:
        """The row that a variation is."""
        found: dict[str, Any] = json.loads(self.record.answer)
        return found


def next_item(actor: Actor, cp: ControlPlane, labelling_id: int) -> Item | None:
    """An item that is kept for the actor from now on: the one that they have, else the next; None where none is left.

    Raises NotFound, Denied, InTrash, LabellingClosed.
    """
    labelling = get(actor, cp, labelling_id, _PERMISSION)
    version = versions.get_version(actor, cp, labelling.dataset_version_id)
    now = cp.clock()
    with transaction():
        _refuse_closed(labelling.id)
        item = _held(actor, labelling.id, now) or _free(actor, labelling.id, now).first()
        if item is None:
            return None
        until = now + domain.LEASE_SECONDS
        kept = JudgementRecord.update(lease_until=until).where(*_of(item.id, actor))
        if not kept.execute():
            JudgementRecord.create(
                item=item, labelling=labelling, judge=actor.id, judge_name=actor.name, lease_until=until
            )
    return _seen(cp, labelling, version, item, lease_until=until)


def show(actor: Actor, cp: ControlPlane, item_id: int) -> Item:
    """An item, with what the actor has said of it, and with what all have where they disagree.

    Raises NotFound, Denied, InTrash.
    """
    item, labelling = _find(actor, cp, item_id)
    version = versions.get_version(actor, cp, labelling.dataset_version_id)
    found = JudgementRecord.get_or_none(*_of(item.id, actor))
    mine = Judgement(Action(found.action), found.answer) if found and found.action else None
    said = _judgements([item]) if item.outcome == DISAGREED or _decided(item.id) else []
    return _seen(cp, labelling, version, item, mine=mine, lease_until=found.lease_until if found else 0.0, said=said)


def list_items(
    actor: Actor,
    cp: ControlPlane,
    labelling_id: int,
    outcome: str = "",
    state: str = "",
    offset: int = 0,
    limit: int = 20,
) -> list[Item]:
    """Items of a labelling in their order, at most 200: of an outcome, of a state, or all.

    Raises FieldInvalid, NotFound, InTrash.
    """
    for name, value, known in (("outcome", outcome, _OUTCOMES), ("state", state, tuple(ItemState))):
        if value and value not in known:
            raise FieldInvalid(field=name, problem=", ".join(known))
    labelling = get(actor, cp, labelling_id)
    version = versions.get_version(actor, cp, labelling.dataset_version_id)
    query = LabelItemRecord.select().where(LabelItemRecord.labelling == labelling.id)
    if outcome:
        query = query.where(LabelItemRecord.outcome == outcome)
    if state:
        query = query.where(LabelItemRecord.state == state)
    page = list(query.order_by(LabelItemRecord.place).offset(max(0, offset)).limit(max(0, min(limit, MOST_LISTED))))
    said: dict[int, list[JudgementRecord]] = {}
    for one in _judgements([item for item in page if item.outcome == DISAGREED]):
        said.setdefault(one.item_id, []).append(one)
    return [_seen(cp, labelling, version, item, said=said.get(item.id, [])) for item in page]


def judge(actor: Actor, cp: ControlPlane, item_id: int, action: str, answer: str = "") -> LabelItemRecord:
    """Say what an item is; once more says something else instead. Where two others disagree it decides.

    `answer` is the corrected text, of a variation the row as JSON. Raises NotFound, Denied, FieldInvalid,
    VariationUnreadable, LabellingClosed, ItemUnready, ItemTaken, DecisionNotYours.
    """
    item, labelling = _find(actor, cp, item_id)
    if item.state != ItemState.READY:
        raise ItemUnready
    version = versions.get_version(actor, cp, labelling.dataset_version_id)
    said = _said(item, labelling, version, action, answer)
    with transaction():
        _refuse_closed(labelling.id)
        item = LabelItemRecord.get_by_id(item.id)
        mine = JudgementRecord.get_or_none(*_of(item.id, actor))
        decides = _decides(item, mine)
        if not decides:
            _refuse_taken(item, mine, actor, cp.clock())
        _write(actor, cp, item, mine, said, decides)
        _settle(item)
        _raise_version(labelling)
        what = {"labelling": labelling.id, "row": item.row, "judgement": str(said.action)}
        audit.record(actor, cp, "labelling.judge", f"labelling:{labelling.id}", labelling.project_id, **what)
    cp.signals.wake(f"labelling:{labelling.id}")
    return LabelItemRecord.get_by_id(item.id)


def open_one(actor: Actor, cp: ControlPlane, labelling_id: int) -> LabellingRecord:
    """A labelling in which the actor may judge. Raises NotFound, Denied, InTrash, LabellingClosed."""
    labelling = get(actor, cp, labelling_id, _PERMISSION)
    versions.get_version(actor, cp, labelling.dataset_version_id)
    _refuse_closed(labelling.id)
    return labelling


def free(actor: Actor, labelling_id: int, now: float, limit: int) -> list[LabelItemRecord]:
    """The next items that too few have judged or are judging, and the actor has not."""
    return list(_free(actor, labelling_id, now).limit(limit))


def seen(actor: Actor, cp: ControlPlane, labelling: LabellingRecord, item: LabelItemRecord) -> Item:
    """An item with its row. Raises NotFound."""
    version = versions.get_version(actor, cp, labelling.dataset_version_id)
    return _seen(cp, labelling, version, item)


def accept_all(actor: Actor, cp: ControlPlane, labelling: LabellingRecord, item_ids: Sequence[int]) -> list[int]:
    """Accept items of which the actor has said nothing and others not enough; which they are. Inside a transaction."""
    _refuse_closed(labelling.id)
    done = []
    for item in LabelItemRecord.select().where(LabelItemRecord.id.in_(list(item_ids))).order_by(LabelItemRecord.place):
        mine = JudgementRecord.get_or_none(*_of(item.id, actor))
        is_open = item.state == ItemState.READY and not item.outcome and (mine is None or not mine.action)
        if is_open and _has_room(item, actor, cp.clock()):
            _write(actor, cp, item, mine, Judgement(Action.ACCEPT), decides=False)
            _settle(item)
            done.append(int(item.id))
    _raise_version(labelling)
    return done


def forget(actor: Actor, labelling: LabellingRecord, item_ids: Sequence[int]) -> int:
    """Forget that the actor accepted items, unless somebody decided on them; how many. Inside a transaction."""
    _refuse_closed(labelling.id)
    count = 0
    for item in LabelItemRecord.select().where(LabelItemRecord.id.in_(list(item_ids))):
        accepted = JudgementRecord.delete().where(*_of(item.id, actor), JudgementRecord.action == Action.ACCEPT)
        if not _decided(item.id) and accepted.execute():
            _settle(item)
            count += 1
    _raise_version(labelling)
    return count


def _raise_version(labelling: LabellingRecord) -> None:
    LabellingRecord.update(version=LabellingRecord.version + 1).where(LabellingRecord.id == labelling.id).execute()


def unskip(actor: Actor, cp: ControlPlane, labelling_id: int) -> int:
    """Have what the actor skipped given out to them again; how many items. Raises NotFound, Denied, LabellingClosed."""
    labelling = get(actor, cp, labelling_id, _PERMISSION)
    with transaction():
        _refuse_closed(labelling.id)
        skipped = (JudgementRecord.labelling == labelling.id) & (JudgementRecord.judge == actor.id)
        query = JudgementRecord.delete().where(skipped & (JudgementRecord.action == Action.SKIP))
        count = int(query.execute())
        audit.record(actor, cp, "labelling.unskip", f"labelling:{labelling.id}", labelling.project_id, count=count)
    return count


def skipped_by(actor: Actor, labelling: LabellingRecord) -> int:
    """How many items the actor has skipped."""
    mine = (JudgementRecord.labelling == labelling.id) & (JudgementRecord.judge == actor.id)
    return int(JudgementRecord.select().where(mine, JudgementRecord.action == Action.SKIP).count())


def last_of(actor: Actor, labelling: LabellingRecord) -> int | None:
    """The item of which the actor said something last."""
    mine = (JudgementRecord.labelling == labelling.id) & (JudgementRecord.judge == actor.id)
    query = JudgementRecord.select().where(mine, JudgementRecord.judged_at > 0)
    newest = query.order_by(JudgementRecord.judged_at.desc(), JudgementRecord.id.desc()).first()
    return int(newest.item_id) if newest else None


# ---- what is given out


def _held(actor: Actor, labelling_id: int, now: float) -> LabelItemRecord | None:
    """The item that is kept for the actor; also one whose time is over, if nobody else has its place."""
    query = (
        LabelItemRecord.select(LabelItemRecord)
        .join(JudgementRecord)
        .where(JudgementRecord.labelling == labelling_id, JudgementRecord.judge == actor.id)
        .where(JudgementRecord.action == "", LabelItemRecord.state == ItemState.READY)
        .order_by(LabelItemRecord.place)
    )
    return next((item for item in query if _has_room(item, actor, now)), None)


def _free(actor: Actor, labelling_id: int, now: float) -> Any:
    """The items, in their order, that too few have judged or are judging, and the actor has not."""
    mine = JudgementRecord.select(JudgementRecord.item).where(
        JudgementRecord.labelling == labelling_id, JudgementRecord.judge == actor.id
    )
    others = JudgementRecord.alias()
    is_taken = (others.item == LabelItemRecord.id) & (others.action == "") & (others.lease_until > now)
    return (
        LabelItemRecord.select(LabelItemRecord)
        .join(others, JOIN.LEFT_OUTER, on=is_taken)
        .where(LabelItemRecord.labelling == labelling_id, LabelItemRecord.state == ItemState.READY)
        .where(LabelItemRecord.judged < LabelItemRecord.seats, LabelItemRecord.outcome == "")
        .where(LabelItemRecord.id.not_in(mine))
        .group_by(LabelItemRecord.id)
        .having(LabelItemRecord.judged + fn.COUNT(others.id) < LabelItemRecord.seats)
        .order_by(LabelItemRecord.place)
    )


def _has_room(item: LabelItemRecord, actor: Actor, now: float) -> bool:
    """Whether fewer than are to have judged it, or are judging it, beside the actor."""
    others = (JudgementRecord.item == item.id) & (JudgementRecord.judge != actor.id)
    waiting = (JudgementRecord.action == "") & (JudgementRecord.lease_until > now)
    is_said = JudgementRecord.action.in_(list(JUDGING))
    count = JudgementRecord.select().where(others, ~JudgementRecord.is_decision, waiting | is_said).count()
    return bool(count < item.seats)


# ---- what is said


def _said(
    item: LabelItemRecord, labelling: LabellingRecord, version: DatasetVersionRecord, action: str, answer: str
) -> Judgement:
    """Raises FieldInvalid, VariationUnreadable."""
    if action not in list(Action):
        raise FieldInvalid(field="action", problem=", ".join(Action))
    if action != Action.CORRECT:
        return Judgement(Action(action))
    if labelling.kind == Kind.VARIATIONS:
        text = json.dumps(variations.read(str(version.format), answer), ensure_ascii=False)
    else:
        text = answer.replace("\r\n", "\n")
    if not text.strip() or len(text) > domain.LONGEST_ANSWER:
        raise FieldInvalid(field="answer", problem=f"1 … {domain.LONGEST_ANSWER}")
    if text.strip() == item.answer.strip():
        return Judgement(Action.ACCEPT)
    return Judgement(Action.CORRECT, text)


def _decides(item: LabelItemRecord, mine: JudgementRecord | None) -> bool:
    """Whether what is said of the item is a decision: others disagree, or the actor has decided before."""
    if mine is not None and mine.action in JUDGING:
        return bool(mine.is_decision)
    return bool(item.outcome == DISAGREED)


def _refuse_taken(item: LabelItemRecord, mine: JudgementRecord | None, actor: Actor, now: float) -> None:
    """Raises ItemTaken; DecisionNotYours where a third person has decided between the actor and somebody else."""
    if mine is not None and mine.action in JUDGING:
        if _decided(item.id):
            raise DecisionNotYours
        return
    if not _has_room(item, actor, now):
        raise ItemTaken


def _write(
    actor: Actor, cp: ControlPlane, item: LabelItemRecord, mine: JudgementRecord | None, said: Judgement, decides: bool
) -> None:
    told = {
        "action": said.action,
        "answer": said.answer,
        "is_decision": decides and said.action != Action.SKIP,
        "lease_until": 0.0,
        "judged_at": cp.clock(),
    }
    if mine is None:
        of = {"item": item, "labelling": item.labelling_id, "judge": actor.id, "judge_name": actor.name}
        JudgementRecord.create(**of, **told)
    else:
        JudgementRecord.update(**told).where(JudgementRecord.id == mine.id).execute()


def _settle(item: LabelItemRecord) -> None:
    """Write down what follows from all that was said; inside the transaction."""
    found = _judgements([item])
    said = [Judgement(Action(one.action), one.answer) for one in found if not one.is_decision]
    decision = next((Judgement(Action(one.action), one.answer) for one in found if one.is_decision), None)
    outcome = domain.outcome(said, item.seats, decision)
    columns = {"judged": len(said), "outcome": outcome.action, "result": outcome.answer}
    LabelItemRecord.update(**columns).where(LabelItemRecord.id == item.id).execute()


def _judgements(items: Sequence[LabelItemRecord]) -> list[JudgementRecord]:
    """What was said of items; of each the decision last."""
    query = JudgementRecord.select().where(
        JudgementRecord.item.in_([item.id for item in items]), JudgementRecord.action.in_(list(JUDGING))
    )
    return list(query.order_by(JudgementRecord.item, JudgementRecord.is_decision, JudgementRecord.judged_at))


def _decided(item_id: int) -> bool:
    return bool(JudgementRecord.select().where(JudgementRecord.item == item_id, JudgementRecord.is_decision).exists())


def _of(item_id: int, actor: Actor) -> tuple[Any, Any]:
    return JudgementRecord.item == item_id, JudgementRecord.judge == actor.id


def _find(actor: Actor, cp: ControlPlane, item_id: int) -> tuple[LabelItemRecord, LabellingRecord]:
    """Raises NotFound, Denied."""
    item = LabelItemRecord.get_or_none(LabelItemRecord.id == item_id) if 0 < item_id < 2**63 else None
    if item is None:
        raise NotFound
    return item, projects.inside(actor, LabellingRecord, item.labelling_id, _PERMISSION)


def _refuse_closed(labelling_id: int) -> None:
    if LabellingRecord.get_by_id(labelling_id).state == State.CLOSED:
        raise LabellingClosed


def _seen(
    cp: ControlPlane, labelling: LabellingRecord, version: DatasetVersionRecord, item: LabelItemRecord, **more: Any
) -> Item:
    return Item(item, labelling, version, question_of(cp, version, item.split, item.row), **more)
