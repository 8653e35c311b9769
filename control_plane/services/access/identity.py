"""Who somebody is: the only place where a user becomes an actor, whichever way they came in."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied
from control_plane.domain.permissions import Actor, Role
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord
from control_plane.store.roles import RoleRecord


def actor_of(user: UserRecord, address: str) -> Actor:
    """The actor that this user is right now, with what their roles allow. `address` is where they ask from."""
    query = (
        MemberRecord.select(MemberRecord.project, RoleRecord.name, RoleRecord.permissions)
        .join(RoleRecord)
        .where(MemberRecord.user == user.id)
    )
    roles = {member.project_id: Role(member.role.name, frozenset(member.role.permissions)) for member in query}
    return Actor(
        kind="user",
        id=str(user.id),
        name=user.name,
        administrator=user.administrator,
        roles=roles,
        address=address,
    )


def acting_for(user_id: int, permission: str, project_id: int) -> Actor:
    """Whoever asked for something that goes on without them, with what they may do now.

    Raises Denied for who has lost the permission since: whoever left a project goes no further in it.
    """
    user = UserRecord.get_or_none(UserRecord.id == user_id, UserRecord.active == True)  # noqa: E712
    actor = actor_of(user, "") if user else None
    if actor is None or not actor.may(permission, project_id):
        raise Denied(permission=permission)
    return actor


def who_may(permission: str, project_id: int) -> set[int]:
    """The ids of the users who may do this in a project now, administrators among them."""
    roles = [role.name for role in RoleRecord.select() if permission in role.permissions]
    members = MemberRecord.select(MemberRecord.user).where(
        MemberRecord.project == project_id, MemberRecord.role.in_(roles)
    )
    may = (UserRecord.administrator == True) | UserRecord.id.in_(members)  # noqa: E712
    return {int(user.id) for user in UserRecord.select(UserRecord.id).where(UserRecord.active == True, may)}  # noqa: E712


def changed(cp: ControlPlane, user_id: int) -> None:
    """Whoever holds this user as an actor looks again; called after the transaction that changed what they may do."""
    cp.signals.wake("people", f"user:{user_id}")


def role_names() -> list[str]:
    """The roles that a member of a project may have, the built-in ones first."""
    query = RoleRecord.select(RoleRecord.name).order_by(RoleRecord.built_in.desc(), RoleRecord.id)
    return [role.name for role in query]
