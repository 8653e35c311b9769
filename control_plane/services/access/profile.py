"""One's own account: what everybody may change of it."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, OldPasswordWrong
from control_plane.domain.limits import SIGN_IN_ADDRESS, SIGN_IN_NAME
from control_plane.domain.names import checked_title
from control_plane.domain.permissions import Actor
from control_plane.services import audit
from control_plane.services.access import credentials, identity, passwords, people
from control_plane.store.database import transaction
from control_plane.store.people import UserRecord

LANGUAGES = ("", "en", "de", "zh")


def change(actor: Actor, cp: ControlPlane, title: str, language: str) -> UserRecord:
    """Set the actor's full name and the language of their pages (empty: the browser's). Raises FieldInvalid."""
    with transaction():
        user = people.user(actor, cp)
        user.title, user.language = checked_title(title), _checked(language)
        user.save(only=[UserRecord.title, UserRecord.language])
        audit.record(actor, cp, "user.profile", f"user:{user.id}", title=title, language=language)
    return user


def set_language(actor: Actor, cp: ControlPlane, language: str) -> None:
    """Choose the language of the actor's pages; empty: the browser's. Raises FieldInvalid."""
    with transaction():
        user = people.user(actor, cp)
        user.language = _checked(language)
        user.save(only=[UserRecord.language])
        audit.record(actor, cp, "user.language", f"user:{user.id}", language=language)


def change_password(actor: Actor, cp: ControlPlane, old: str, new: str, keep: str = "") -> None:
    """Set another password, which wants the present one; sessions other than that of the secret `keep` end.

    Open links are void too; API tokens stay. Tries are counted with those of signing in. Raises OldPasswordWrong,
    PasswordTooShort, FieldInvalid, TooMany.
    """
    passwords.check(new)  # before the costly hashes
    user = people.user(actor, cp)
    cp.throttle.take(SIGN_IN_NAME, actor.address, user.name)
    cp.throttle.take(SIGN_IN_ADDRESS, actor.address)
    if not passwords.matches(user.password_hash, old):
        with transaction():
            audit.record(actor, cp, "user.password_refused", f"user:{user.id}")
        raise OldPasswordWrong
    cp.throttle.give_back(SIGN_IN_ADDRESS, actor.address)
    hashed = passwords.hashed(new)
    with transaction():
        # the hashes took a while: of two who change it at once, the second no longer knows it
        same = (UserRecord.id == user.id) & (UserRecord.password_hash == user.password_hash) & UserRecord.active
        if not UserRecord.update(password_hash=hashed).where(same).execute():
            raise OldPasswordWrong
        credentials.end_sessions(user.id, keep)
        credentials.void_links(cp, user.id)
        audit.record(actor, cp, "user.password_change", f"user:{user.id}")
    identity.changed(cp, user.id)


def sign_out_others(actor: Actor, cp: ControlPlane, keep: str) -> None:
    """End each session of the actor's but that of the secret `keep`; API tokens stay."""
    with transaction():
        user = people.user(actor, cp)
        ended = credentials.end_sessions(user.id, keep)
        audit.record(actor, cp, "session.close_all", f"user:{user.id}", name=user.name, sessions=ended)
    identity.changed(cp, user.id)


def _checked(language: str) -> str:
    if language not in LANGUAGES:
        raise FieldInvalid(field="language", problem=", ".join(LANGUAGES[1:]))
    return language
