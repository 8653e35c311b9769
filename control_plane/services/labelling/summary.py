"""How far a labelling is, and how far the people agree who judged the same items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.agreement import Agreement, agreement
from control_plane.domain.labelling import DISAGREED, JUDGING, Action, ItemState
from control_plane.domain.permissions import Actor
from control_plane.services.labelling.making import get
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.labelling import JudgementRecord, LabelItemRecord, LabellingRecord


@dataclass(frozen=True)
class Agreed:
    """Two people and how far they agree; the names of both."""

    first: str
    second: str
    agreement: Agreement


@dataclass(frozen=True)
class Counts:
    """Items of a labelling by what they have come to."""

    items: int = 0
    waiting: int = 0  # for the model
    unusable: int = 0
    accepted: int = 0
    corrected: int = 0
    rejected: int = 0
    disagreed: int = 0

    @property
    def settled(self) -> int:
        """Those that are judged."""
        return self.accepted + self.corrected + self.rejected

    @property
    def left(self) -> int:
        """Those that somebody has to judge still."""
        return self.items - self.waiting - self.unusable - self.settled - self.disagreed


@dataclass(frozen=True)
class Overtaken:
    """The labelled data has a newer version that is not the labelling's own: what that saves lacks its rows."""

    labelled: int  # numbers of versions under the dataset
    newest: int
    newest_id: int


@dataclass(frozen=True)
class Summary:
    """A labelling with its numbers, each pair of people who judged the same items, and whether its data went on."""

    labelling: LabellingRecord
    counts: Counts
    agreed: list[Agreed]
    overtaken: Overtaken | None = None


def of(actor: Actor, cp: ControlPlane, labelling_id: int) -> Summary:
    """How far a labelling is. Raises NotFound, Denied, InTrash."""
    labelling = get(actor, cp, labelling_id)
    return Summary(labelling, counts([labelling.id])[labelling.id], _agreed(labelling.id), overtaken(labelling))


def overtaken(labelling: LabellingRecord) -> Overtaken | None:
    """Whether another version of the labelled data has come since; None if there is none but the labelling's own."""
    labelled = DatasetVersionRecord.get_by_id(labelling.dataset_version_id)
    since = DatasetVersionRecord.select(
        DatasetVersionRecord.id, DatasetVersionRecord.number, DatasetVersionRecord.source
    ).where(DatasetVersionRecord.dataset == labelled.dataset_id, DatasetVersionRecord.number > labelled.number)
    others = (one for one in since.order_by(DatasetVersionRecord.number.desc()) if not _made_by(labelling, one))
    newest = next(others, None)
    return Overtaken(labelled.number, newest.number, newest.id) if newest else None


def _made_by(labelling: LabellingRecord, version: DatasetVersionRecord) -> bool:
    return bool(version.source.get("labelling") == labelling.id)


def counts(labelling_ids: list[int]) -> dict[int, Counts]:
    """The numbers of each of these labellings."""
    columns = LabelItemRecord.labelling, LabelItemRecord.state, LabelItemRecord.outcome
    query = LabelItemRecord.select(*columns, fn.COUNT(LabelItemRecord.id))
    found: dict[int, dict[str, int]] = {number: {} for number in labelling_ids}
    mine = LabelItemRecord.labelling.in_(labelling_ids)
    rows: Any = query.where(mine).group_by(*columns).tuples()
    for labelling_id, state, outcome, number in rows:
        names = {
            ItemState.WAITING: "waiting", ItemState.UNUSABLE: "unusable", Action.ACCEPT: "accepted",
            Action.CORRECT: "corrected", Action.REJECT: "rejected", DISAGREED: "disagreed",
        }  # fmt: skip
        of = found[labelling_id]
        name = names.get(outcome if state == ItemState.READY else state)
        of["items"] = of.get("items", 0) + number
        if name:
            of[name] = of.get(name, 0) + number
    return {number: Counts(**of) for number, of in found.items()}


def _agreed(labelling_id: int) -> list[Agreed]:
    """Each pair of people, those with the most common items first."""
    query = JudgementRecord.select(
        JudgementRecord.item, JudgementRecord.judge, JudgementRecord.judge_name, JudgementRecord.action
    ).where(
        JudgementRecord.labelling == labelling_id,
        JudgementRecord.action.in_(list(JUDGING)),
        ~JudgementRecord.is_decision,
    )
    by_item: dict[int, list[JudgementRecord]] = {}
    for one in query.order_by(JudgementRecord.judge):
        by_item.setdefault(one.item_id, []).append(one)
    pairs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    names: dict[str, str] = {}
    for said in by_item.values():
        if len(said) == 2:
            first, second = said
            names |= {first.judge: first.judge_name, second.judge: second.judge_name}
            pairs.setdefault((first.judge, second.judge), []).append((first.action, second.action))
    found = [(agreement(said), who) for who, said in pairs.items()]
    told = [Agreed(names[who[0]], names[who[1]], one) for one, who in found if one is not None]
    return sorted(told, key=lambda one: -one.agreement.n)
