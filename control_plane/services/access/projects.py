"""Projects and their members: who may see what."""

from __future__ import annotations

from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, NameTaken, NotFound, UserUnknown
from control_plane.domain.names import checked, checked_title
from control_plane.domain.permissions import OWNER, Actor, require
from control_plane.services import audit
from control_plane.services.access import identity
from control_plane.services.things.kinds import is_kept, kept
from control_plane.store.database import transaction
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord, ProjectRecord


def create(actor: Actor, cp: ControlPlane, name: str, title: str) -> ProjectRecord:
    """Make a project whose owner is the actor. Raises Denied, NameInvalid, NameTaken."""
    require(actor, "project.create")
    with transaction():
        if ProjectRecord.select().where(ProjectRecord.name == checked(name), is_kept(ProjectRecord)).exists():
            raise NameTaken(name=name)
        project = ProjectRecord.create(name=name, title=checked_title(title.strip()), created_at=cp.clock())
        if actor.kind == "user":
            MemberRecord.create(project=project, user=int(actor.id), role=OWNER.name)
        audit.record(actor, cp, "project.create", f"project:{project.id}", project.id, name=name)
    return project


def list_projects(actor: Actor, cp: ControlPlane) -> list[ProjectRecord]:
    """The projects that the actor may see, by name; what is in the trash is left out."""
    query = ProjectRecord.select().where(is_kept(ProjectRecord)).order_by(ProjectRecord.name)
    return [project for project in query if actor.may("project.see", project.id)]


def get(actor: Actor, cp: ControlPlane, name: str, permission: str = "project.see") -> ProjectRecord:
    """The project of this name, if the actor has `permission` in it. Raises NotFound, InTrash, Denied."""
    found = ProjectRecord.get_or_none(ProjectRecord.name == name, is_kept(ProjectRecord))
    return _allowed(actor, found or _in_trash(actor, name), permission)


def of_id(actor: Actor, cp: ControlPlane, project_id: int, permission: str = "project.see") -> ProjectRecord:
    """The project of this id, if the actor has `permission` in it. Raises NotFound, InTrash, Denied."""
    return _allowed(actor, ProjectRecord.get_or_none(ProjectRecord.id == project_id), permission)


def inside(actor: Actor, record: Any, number: int, permission: str) -> Any:
    """The row of this id that is in a project which is kept; the row may itself be in the trash.

    Raises NotFound, Denied, and InTrash with the project.
    """
    found = record.get_or_none(record.id == number) if 0 < number < 2**63 else None
    if found is None:
        raise NotFound
    require(actor, permission, found.project_id)
    kept(ProjectRecord.get_by_id(found.project_id))
    return found


def members(actor: Actor, cp: ControlPlane, project: str) -> list[tuple[UserRecord, str]]:
    """The project's members as (user, role), by name. Raises NotFound, Denied."""
    project_id = get(actor, cp, project, "member.see").id
    query = (
        MemberRecord.select(MemberRecord, UserRecord)
        .join(UserRecord)
        .where(MemberRecord.project == project_id)
        .order_by(UserRecord.name)
    )
    return [(member.user, member.role_id) for member in query]


def set_member(actor: Actor, cp: ControlPlane, project: str, user_name: str, role: str) -> None:
    """Give a user this role in the project, in place of an earlier one.

    Raises NotFound, Denied, FieldInvalid, UserUnknown.
    """
    project_id = get(actor, cp, project, "member.change").id
    with transaction():
        if role not in (known := identity.role_names()):
            raise FieldInvalid(field="role", problem=", ".join(known))
        user = _user(user_name)
        MemberRecord.delete().where(MemberRecord.project == project_id, MemberRecord.user == user.id).execute()
        MemberRecord.create(project=project_id, user=user, role=role)
        audit.record(actor, cp, "member.set", f"user:{user.id}", project_id, name=user_name, role=role)
    identity.changed(cp, user.id)


def remove_member(actor: Actor, cp: ControlPlane, project: str, user_name: str) -> None:
    """Take a user out of the project. Raises NotFound, Denied."""
    project_id = get(actor, cp, project, "member.change").id
    with transaction():
        user = _user(user_name)
        found = MemberRecord.delete().where(MemberRecord.project == project_id, MemberRecord.user == user.id).execute()
        if not found:
            raise NotFound
        audit.record(actor, cp, "member.remove", f"user:{user.id}", project_id, name=user_name)
    identity.changed(cp, user.id)


def _allowed(actor: Actor, project: ProjectRecord | None, permission: str) -> ProjectRecord:
    if project is None:
        raise NotFound
    require(actor, permission, project.id)
    kept(project)
    return project


def _in_trash(actor: Actor, name: str) -> ProjectRecord | None:
    """The newest of this name that is in the trash and that the actor may see: what is kept has its name by now."""
    named = ProjectRecord.select().where(ProjectRecord.name == name, ProjectRecord.purged_at == 0.0)
    newest = named.order_by(ProjectRecord.deleted_at.desc())
    return next((one for one in newest if actor.may("project.see", one.id)), None)


def _user(name: str) -> UserRecord:
    user = UserRecord.get_or_none(UserRecord.name == name)
    if user is None:
        raise UserUnknown(name=name[:80])
    return user
