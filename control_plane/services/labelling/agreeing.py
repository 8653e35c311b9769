"""A model's answers that say what their rows say already: somebody sees some together and accepts those at one press.

Only what was shown is accepted, so that nothing counts as judged that nobody has seen; and it can be taken back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid
from control_plane.domain.labelling import Kind
from control_plane.domain.permissions import Actor
from control_plane.services import audit
from control_plane.services.labelling import judging
from control_plane.services.labelling.judging import Item
from control_plane.services.labelling.making import own_answer
from control_plane.store.database import transaction
from control_plane.store.labelling import LabelItemRecord, LabellingRecord

MOST = 20  # that somebody looks through at once

_LOOKED_AT = 500  # items: what is beyond is found once these are judged


def shown(actor: Actor, cp: ControlPlane, labelling_id: int) -> list[Item]:
    """Items that the actor may judge and whose answer is the row's own, in their order, at most MOST of the next 500.

    Raises NotFound, Denied, InTrash, LabellingClosed.
    """
    labelling = judging.open_one(actor, cp, labelling_id)
    found: list[Item] = []
    for item in judging.free(actor, labelling.id, cp.clock(), _LOOKED_AT):
        one = judging.seen(actor, cp, labelling, item)
        if _agrees(one):
            found.append(one)
        if len(found) == MOST:
            break
    return found


def accept(actor: Actor, cp: ControlPlane, labelling_id: int, item_ids: Sequence[int]) -> list[int]:
    """Accept items of `shown`, all of which the actor has seen; those that others have not judged meanwhile.

    Raises FieldInvalid, NotFound, Denied, InTrash, LabellingClosed.
    """
    _limit(item_ids)
    labelling = judging.open_one(actor, cp, labelling_id)
    wanted = [judging.seen(actor, cp, labelling, item) for item in _items(labelling, item_ids)]
    agreeing = [one.record.id for one in wanted if _agrees(one)]
    with transaction():
        done = judging.accept_all(actor, cp, labelling, agreeing)
        said = {"labelling": labelling.id, "count": len(done)}
        audit.record(actor, cp, "labelling.accept", f"labelling:{labelling.id}", labelling.project_id, **said)
    cp.signals.wake(f"labelling:{labelling.id}")
    return done


def take_back(actor: Actor, cp: ControlPlane, labelling_id: int, item_ids: Sequence[int]) -> int:
    """Have items that the actor accepted be judged again; how many. A decision, or one made meanwhile, stays.

    Raises FieldInvalid, NotFound, Denied, InTrash, LabellingClosed.
    """
    _limit(item_ids)
    labelling = judging.open_one(actor, cp, labelling_id)
    with transaction():
        count = judging.forget(actor, labelling, [item.id for item in _items(labelling, item_ids)])
        said = {"labelling": labelling.id, "count": count}
        audit.record(actor, cp, "labelling.take_back", f"labelling:{labelling.id}", labelling.project_id, **said)
    cp.signals.wake(f"labelling:{labelling.id}")
    return count


def _limit(item_ids: Sequence[int]) -> None:
    if not 0 < len(item_ids) <= MOST:
        raise FieldInvalid(field="item_ids", problem=f"1 … {MOST}")


def _items(labelling: LabellingRecord, item_ids: Iterable[int]) -> list[LabelItemRecord]:
    """Those of the labelling; what is of another one, or of none, is not told from what is gone."""
    mine = (LabelItemRecord.labelling == labelling.id) & LabelItemRecord.id.in_(list(item_ids))
    return list(LabelItemRecord.select().where(mine).order_by(LabelItemRecord.place))


def _agrees(one: Item) -> bool:
    """Whether a model says what the row says, white space at the ends and the writing of JSON aside."""
    if one.labelling.kind != Kind.ANSWERS or not one.labelling.asked:
        return False  # what the rows say themselves is what there is to judge
    own, said = own_answer(str(one.version.format), one.row).strip(), str(one.record.answer).strip()
    return own == said or (own[:1] in "{[" and _value(own) is not None and _value(own) == _value(said))


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
