"""Somebody's account as an administrator sees it: whoever leaves is out at once, whoever is shut out gets in again.

One active administrator who can sign in always stays; each verb looks in the transaction in which it writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from control_plane.context import ControlPlane
from control_plane.domain.errors import AccountIsLocal, LastAdministrator, NotFound, UserInactive
from control_plane.domain.permissions import Actor, require
from control_plane.services import audit
from control_plane.services.access import bootstrap, credentials, identity
from control_plane.store.database import transaction
from control_plane.store.people import ApiTokenRecord, SessionRecord, UserRecord
from control_plane.store.projects import MemberRecord, ProjectRecord


@dataclass(frozen=True)
class Account:
    """A user, their roles as (project, role) by project, and how many ways in are open just now."""

    user: UserRecord
    roles: list[tuple[str, str]]
    sessions: int
    tokens: int


def get(actor: Actor, cp: ControlPlane, name: str) -> Account:
    """One account. Raises Denied, NotFound."""
    require(actor, "user.see")
    user, now = _named(name), cp.clock()
    places = (
        MemberRecord.select(MemberRecord, ProjectRecord)
        .join(ProjectRecord)
        .where(MemberRecord.user == user.id)
        .order_by(ProjectRecord.name)
    )
    own = (ApiTokenRecord.user == user.id) & (ApiTokenRecord.revoked_at == 0.0)
    return Account(
        user=user,
        roles=[(place.project.name, place.role_id) for place in places],
        sessions=SessionRecord.select().where(SessionRecord.user == user.id, SessionRecord.expires_at > now).count(),
        tokens=ApiTokenRecord.select().where(own, ApiTokenRecord.expires_at > now).count(),
    )


def deactivate(actor: Actor, cp: ControlPlane, name: str) -> UserRecord:
    """Let somebody in no longer: their sessions end, their API tokens and open links are void, for good.

    Of the account `local`, the token in the data folder is gone too.

    Raises Denied, NotFound, LastAdministrator.
    """
    require(actor, "user.change")
    with transaction():
        user = _named(name)
        if user.active:
            _leave_an_administrator(user)
            user.active = False
            user.save(only=[UserRecord.active])
            sessions, tokens = credentials.end_sessions(user.id), credentials.revoke_tokens(cp, user.id)
            credentials.void_links(cp, user.id)
            if user.local:
                bootstrap.take_token(cp)
            audit.record(actor, cp, "user.deactivate", f"user:{user.id}", name=name, sessions=sessions, tokens=tokens)
    identity.changed(cp, user.id)
    return user


def activate(actor: Actor, cp: ControlPlane, name: str) -> UserRecord:
    """Let somebody in again, with the password they had; the tokens of before stay void. Raises Denied, NotFound.

    The account `local` gets a new token in the data folder.
    """
    require(actor, "user.change")
    with transaction():
        user = _named(name)
        if not user.active:
            user.active = True
            user.save(only=[UserRecord.active])
            if user.local:
                bootstrap.give_token(cp, user)
            audit.record(actor, cp, "user.activate", f"user:{user.id}", name=name)
    return user


def set_administrator(actor: Actor, cp: ControlPlane, name: str, administrator: bool) -> UserRecord:
    """Make somebody an administrator, or one no longer.

    Raises Denied, NotFound, LastAdministrator, AccountIsLocal.
    """
    require(actor, "user.change")
    with transaction():
        user = _person(name)
        if user.administrator != administrator:
            if not administrator:
                _leave_an_administrator(user)
            user.administrator = administrator
            user.save(only=[UserRecord.administrator])
            audit.record(actor, cp, "user.administrator", f"user:{user.id}", name=name, administrator=administrator)
    identity.changed(cp, user.id)
    return user


def create_link(actor: Actor, cp: ControlPlane, name: str) -> str:
    """A one-time address at which somebody sets a password, for a lost invitation or a forgotten password.

    Their earlier open links are void; the password they have stays good until then. Raises Denied, NotFound,
    UserInactive, AccountIsLocal.
    """
    require(actor, "user.change")
    with transaction():
        user = _person(name)
        if not user.active:
            raise UserInactive(name=name)
        audit.record(actor, cp, "user.link", f"user:{user.id}", name=name)
        return credentials.new_link(cp, user)


def sign_out(actor: Actor, cp: ControlPlane, name: str) -> UserRecord:
    """End each session of somebody, which may be oneself; API tokens stay. Raises Denied, NotFound."""
    if (actor.kind, actor.name) != ("user", name):
        require(actor, "user.change")
    with transaction():
        user = _named(name)
        ended = credentials.end_sessions(user.id)
        audit.record(actor, cp, "session.close_all", f"user:{user.id}", name=name, sessions=ended)
    identity.changed(cp, user.id)
    return user


def _named(name: str) -> UserRecord:
    user = UserRecord.get_or_none(UserRecord.name == name)
    if user is None:
        raise NotFound
    return user


def _person(name: str) -> UserRecord:
    user = _named(name)
    if user.local:
        raise AccountIsLocal(name=name)
    return user


def _leave_an_administrator(user: UserRecord) -> None:
    """Raises LastAdministrator where nobody else could do an administrator's work; inside the transaction."""
    if user.local or not (user.administrator and user.active):
        return
    people = (UserRecord.local == False) & (UserRecord.id != user.id)  # noqa: E712 (an expression)
    others = UserRecord.select().where(UserRecord.administrator, UserRecord.active, people)
    if user.password_hash:  # whoever is merely invited may never come
        others = others.where(UserRecord.password_hash != "")
    if not others.exists():
        raise LastAdministrator(name=user.name)
