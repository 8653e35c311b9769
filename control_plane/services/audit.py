"""The audit record: one entry in the transaction of what it tells, chained afterwards in order of commit.

The chain: hash = sha256(previous hash + canonical JSON of the entry), both as UTF-8 text, beginning with an empty hash.
The JSON holds `_SEALED_FIELDS` and nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor, require
from control_plane.store.audit import AuditRecord, AuditSealRecord
from control_plane.store.database import transaction
from control_plane.store.projects import ProjectRecord

_SEALED_AT_ONCE = 5_000
_LATE_ENTRIES = 5_000

# by name: a column that a later migration adds must not break the seals that stand. Never change this tuple; a new
# field of an entry belongs into `details`.
_SEALED_FIELDS = (
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "action",
    "subject",
    "project_id",
    "details",
)


def record(
    actor: Actor, cp: ControlPlane, action: str, subject: str, project_id: int | None = None, **details: object
) -> None:
    """Write one entry; called inside the transaction of the change it tells. Details must not hold secrets."""
    AuditRecord.create(
        at=cp.clock(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        address=actor.address,
        action=action,
        subject=subject,
        project_id=project_id,
        details=details,
    )


def list_entries(
    actor: Actor, cp: ControlPlane, project: str | None = None, before: int = 0, limit: int = 100
) -> list[AuditRecord]:
    """The entries of a project (of everything, for administrators, if none is named), newest first.

    `before` is an entry's id to page on from; 0 begins at the newest. Raises NotFound, Denied.
    """
    query = AuditRecord.select()
    if project is None:
        require(actor, "user.see")  # which administrators alone have
    else:
        query = query.where(AuditRecord.project_id == _project_id(actor, project))
    if before:
        query = query.where(AuditRecord.id < before)
    return list(query.order_by(AuditRecord.id.desc()).limit(min(limit, 1_000)))


def seal(cp: ControlPlane) -> int:
    """Chain what was committed since the last call; how many entries that were. Called by a tick, never by writers."""
    with transaction():
        last = AuditSealRecord.select().order_by(AuditSealRecord.id.desc()).first()
        link = last.hash if last else ""
        # an entry is looked for by the lack of a seal, not by its number alone: numbers are given before the commit,
        # so a slow writer's entry may appear below entries that are sealed already
        recent = (last.entry if last else 0) - _LATE_ENTRIES
        sealed = AuditSealRecord.select(AuditSealRecord.entry).where(AuditSealRecord.entry > recent)
        entries = list(
            AuditRecord.select()
            .where(AuditRecord.id > recent, AuditRecord.id.not_in(sealed))
            .order_by(AuditRecord.id)
            .limit(_SEALED_AT_ONCE)
        )
        for entry in entries:
            link = _hash(link, entry)
            AuditSealRecord.create(entry=entry.id, hash=link)
    return len(entries)


def verify(cp: ControlPlane) -> int | None:
    """Walk the chain; the id of the first entry that was changed or removed since it was sealed, None if all hold."""
    seals: Iterable[AuditSealRecord] = AuditSealRecord.select().order_by(AuditSealRecord.id).iterator()
    link = ""
    for link_record in seals:
        entry = AuditRecord.get_or_none(AuditRecord.id == link_record.entry)
        if entry is None or _hash(link, entry) != link_record.hash:
            return int(link_record.entry)
        link = link_record.hash
    return None


def _hash(previous: str, entry: AuditRecord) -> str:
    sealed = {name: entry.__data__[name] for name in _SEALED_FIELDS}
    text = json.dumps(sealed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((previous + text).encode("utf-8", "surrogatepass")).hexdigest()


def _project_id(actor: Actor, name: str) -> int:
    project = ProjectRecord.get_or_none(ProjectRecord.name == name)
    if project is None:
        raise NotFound
    require(actor, "audit.see", project.id)
    return int(project.id)
