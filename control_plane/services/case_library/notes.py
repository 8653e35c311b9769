"""What colleagues say of a case: a rating from 1 to 5 and a few words, one of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, FieldInvalid
from control_plane.domain.names import checked_description
from control_plane.domain.permissions import Actor
from control_plane.services import audit, cases
from control_plane.store.cases import CaseNoteRecord
from control_plane.store.database import transaction
from control_plane.store.people import UserRecord

BEST = 5


@dataclass(frozen=True)
class Note:
    """What one person said."""

    user: str
    rating: int  # 1 … 5
    text: str
    written_at: float


@dataclass(frozen=True)
class Rating:
    """The mean of what people gave a case, and how many they are."""

    mean: float
    count: int


def write(actor: Actor, cp: ControlPlane, case: str, rating: int, text: str = "") -> Note:
    """Rate a case, in place of what one said before. Raises NotFound, Denied, FieldInvalid."""
    if actor.kind != "user":
        raise Denied(permission="case.see")
    found = cases.get(actor, cp, case)
    if not 1 <= rating <= BEST:
        raise FieldInvalid(field="rating", problem=f"1 … {BEST}")
    note = Note(actor.name, rating, checked_description(text), cp.clock())
    said = {"rating": note.rating, "text": note.text, "written_at": note.written_at}
    with transaction():
        mine = (CaseNoteRecord.case == case, CaseNoteRecord.user == int(actor.id))
        if not CaseNoteRecord.update(**said).where(*mine).execute():
            CaseNoteRecord.create(case=case, user=int(actor.id), **said)
        place = found.record.project_id if found.record else None
        audit.record(actor, cp, "case.rate", f"case:{case}", place, rating=rating)
    return note


def of_case(actor: Actor, cp: ControlPlane, case: str) -> list[Note]:
    """What people said of a case, the newest first. Raises NotFound, Denied."""
    cases.get(actor, cp, case)
    query = (
        CaseNoteRecord.select(CaseNoteRecord, UserRecord)
        .join(UserRecord)
        .where(CaseNoteRecord.case == case)
        .order_by(CaseNoteRecord.written_at.desc(), CaseNoteRecord.id.desc())
    )
    return [Note(str(one.user.name), int(one.rating), str(one.text), float(one.written_at)) for one in query]


def ratings(names: Sequence[str]) -> dict[str, Rating]:
    """The rating of each case that has one; the caller has looked which of them the reader may see."""
    query: Any = (
        CaseNoteRecord.select(CaseNoteRecord.case, fn.AVG(CaseNoteRecord.rating), fn.COUNT(CaseNoteRecord.id))
        .where(CaseNoteRecord.case.in_(list(names)))
        .group_by(CaseNoteRecord.case)
        .tuples()
    )
    return {str(case): Rating(float(mean), int(count)) for case, mean, count in query}
