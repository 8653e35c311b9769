"""The audit record: one entry in the transaction of what it tells, chained afterwards (`audit_chain.py`)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor, require
from control_plane.store.audit import AuditRecord
from control_plane.store.projects import ProjectRecord


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


@dataclass(frozen=True)
class Wanted:
    """Parts of what an entry's fields hold, in any case; empty: anything. `actions` are whole ones that will do too."""

    who: str = ""
    action: str = ""
    subject: str = ""
    actions: Collection[str] = ()


def list_entries(
    actor: Actor,
    cp: ControlPlane,
    project: str | None = None,
    before: int = 0,
    limit: int = 100,
    wanted: Wanted = Wanted(),
) -> list[AuditRecord]:
    """The entries of a project (of everything, for administrators, if none is named), newest first.

    `before` is an entry's id to page on from; 0 begins at the newest. Raises NotFound, Denied.
    """
    query = AuditRecord.select()
    if project is None:
        require(actor, "user.see")  # which administrators alone have
    else:
        query = query.where(AuditRecord.project_id == _project_id(actor, project))
    if wanted.who:
        query = query.where(AuditRecord.actor_name.contains(wanted.who))
    if wanted.action:
        query = query.where(AuditRecord.action.contains(wanted.action) | AuditRecord.action.in_(list(wanted.actions)))
    if wanted.subject:
        query = query.where(AuditRecord.subject.contains(wanted.subject))
    if before:
        query = query.where(AuditRecord.id < before)
    return list(query.order_by(AuditRecord.id.desc()).limit(min(limit, 1_000)))


def _project_id(actor: Actor, name: str) -> int:
    project = ProjectRecord.get_or_none(ProjectRecord.name == name, ProjectRecord.deleted_at == 0.0)
    if project is None:
        raise NotFound
    require(actor, "audit.see", project.id)
    return int(project.id)
