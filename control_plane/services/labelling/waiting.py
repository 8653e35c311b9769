"""What waits to be judged: labellings with items that somebody could judge, or decide on, now."""

from __future__ import annotations

from typing import Any

from peewee import SQL, fn

from control_plane.domain.labelling import DISAGREED, ItemState, State
from control_plane.domain.permissions import Actor
from control_plane.services.things.kinds import is_kept
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.labelling import JudgementRecord, LabelItemRecord, LabellingRecord

PERMISSION = "dataset.upload"  # of whoever judges


def of_project(actor: Actor, project_id: int, limit: int) -> list[tuple[LabellingRecord, int]]:
    """The project's labellings in which something waits for the actor, the oldest first, with how many items."""
    if not actor.may(PERMISSION, project_id):
        return []
    count = fn.COUNT(LabelItemRecord.id).alias("items")
    query = (
        LabellingRecord.select(LabellingRecord, count)
        .join(LabelItemRecord, on=(LabelItemRecord.labelling == LabellingRecord.id))
        .where(LabellingRecord.project == project_id, _is_open(), _is_left_to(actor))
        .group_by(LabellingRecord.id)
        .order_by(LabellingRecord.id)
    )
    found: list[Any] = list(query.limit(limit).objects())
    return [(one, int(one.items)) for one in found]


def for_actor(actor: Actor, since: Any) -> Any:
    """Labellings that others began after a moment, in which something waits for the actor."""
    items = LabelItemRecord.select(SQL("1")).where(LabelItemRecord.labelling == LabellingRecord.id, _is_left_to(actor))
    return LabellingRecord.select().where(
        LabellingRecord.project.in_([number for number in actor.roles if actor.may(PERMISSION, number)]),
        LabellingRecord.created_by != actor.id,
        LabellingRecord.created_at > since,
        _is_open(),
        fn.EXISTS(items),
    )


def _is_open() -> Any:
    kept = DatasetVersionRecord.select(DatasetVersionRecord.id).join(DatasetRecord).where(is_kept(DatasetRecord))
    return (LabellingRecord.state != State.CLOSED) & LabellingRecord.dataset_version.in_(kept)


def _is_left_to(actor: Actor) -> Any:
    """Of an item: too few have judged it, or two disagree, and the actor has said nothing of it."""
    said = JudgementRecord.select(JudgementRecord.item).where(
        JudgementRecord.judge == actor.id, JudgementRecord.action != ""
    )
    is_left = (LabelItemRecord.outcome == "") & (LabelItemRecord.judged < LabelItemRecord.seats)
    is_wanted = (LabelItemRecord.state == ItemState.READY) & (is_left | (LabelItemRecord.outcome == DISAGREED))
    return is_wanted & LabelItemRecord.id.not_in(said)
