"""Users, how they sign in, and the tokens of their scripts. Secrets are shown once and stored as sha256."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    FieldInvalid,
    LinkExpired,
    NameTaken,
    NotFound,
    NotSignedIn,
    TokenRefused,
    WrongPassword,
)
from control_plane.domain.limits import PASSWORD_LINK, SIGN_IN_ACCOUNT, SIGN_IN_ADDRESS, SIGN_IN_KNOWN, SIGN_IN_NAME
from control_plane.domain.names import checked, checked_title
from control_plane.domain.permissions import Actor, require
from control_plane.services import audit
from control_plane.services.access import bootstrap, credentials, identity, passwords, projects
from control_plane.store.audit import AuditRecord
from control_plane.store.database import transaction
from control_plane.store.people import ApiTokenRecord, OneTimeLinkRecord, SessionRecord, UserRecord

_DAY = 86_400.0
_TOKEN_SECONDS = 90 * _DAY
_TOKEN_LONGEST = 366 * _DAY
_TOUCH_SECONDS = 60.0  # how stale `used_at` may be: not every call is a write


# ---- one-time links


def first_start(cp: ControlPlane) -> str | None:
    """Prepare an installation: `admin`, `local`, the project `default`, the bootstrap file. Safe to repeat.

    Returns the address at which the first password is set, a fresh one at each call; None once it is set.
    """
    return bootstrap.prepare(cp)


def link_user(cp: ControlPlane, secret: str) -> UserRecord:
    """Whose password this one-time link sets. Raises LinkExpired."""
    return _user_of(_open_link(cp, secret).user_id)


def redeem_link(cp: ControlPlane, secret: str, password: str, address: str) -> str:
    """Set the password that the link is for, sign in, and return the session's secret.

    Raises LinkExpired, PasswordTooShort, FieldInvalid, TooMany.
    """
    cp.throttle.take(PASSWORD_LINK, address)
    passwords.check(password)
    link_user(cp, secret)  # before the costly hash
    hashed = passwords.hashed(password)
    with transaction():
        link = _open_link(cp, secret)
        link.used_at = cp.clock()
        link.save()
        UserRecord.update(password_hash=hashed).where(UserRecord.id == link.user_id).execute()
        credentials.end_sessions(link.user_id)
        user = _user_of(link.user_id)
        actor = identity.actor_of(user, address)
        audit.record(actor, cp, "user.password_set", f"user:{user.id}")
        session = credentials.new_session(cp, user)
    identity.changed(cp, user.id)
    cp.throttle.give_back(PASSWORD_LINK, address)
    return session


def invite(
    actor: Actor, cp: ControlPlane, name: str, title: str, administrator: bool, project: str = "", role: str = ""
) -> str:
    """Add a user, with a role in a project if one is named; the one-time address at which they set their password.

    Raises Denied, NameInvalid, NameTaken, FieldInvalid, NotFound.
    """
    require(actor, "user.change")
    with transaction():
        if UserRecord.select().where(UserRecord.name == checked(name)).exists():
            raise NameTaken(name=name)
        user = UserRecord.create(
            name=name, title=checked_title(title), administrator=administrator, created_at=cp.clock()
        )
        audit.record(actor, cp, "user.invite", f"user:{user.id}", name=name, administrator=administrator)
        if project:
            projects.set_member(actor, cp, project, name, role)
        return credentials.new_link(cp, user)


def _open_link(cp: ControlPlane, secret: str) -> OneTimeLinkRecord:
    link = OneTimeLinkRecord.get_or_none(
        OneTimeLinkRecord.secret_hash == credentials.hashed(secret),
        OneTimeLinkRecord.used_at == 0.0,
        OneTimeLinkRecord.expires_at > cp.clock(),
    )
    if link is None:
        raise LinkExpired
    return link


# ---- sessions


def sign_in(cp: ControlPlane, name: str, password: str, address: str) -> str:
    """Check the password and return a new session's secret. Raises WrongPassword, TooMany, Slowed."""
    account = name.lower()[:64]
    user = UserRecord.get_or_none(UserRecord.name == name, UserRecord.active == True)  # noqa: E712 (an expression)
    known = user is not None and _was_here(user, address)
    counted = (SIGN_IN_KNOWN, address, account) if known else (SIGN_IN_ADDRESS, address)
    # counted before the costly hash, so that many at once are not all hashed before the first is refused
    cp.throttle.take(SIGN_IN_NAME, address, account)
    cp.throttle.take(*counted)
    if not known:
        cp.throttle.slow(SIGN_IN_ACCOUNT, account)
    if not passwords.matches(user.password_hash if user else "", password) or user is None:
        with transaction():
            # a password typed into the wrong field must not be written down: only a name that exists is
            nobody = Actor(kind="user", id="", name=name if user else "", address=address)
            audit.record(nobody, cp, "session.refused", f"address:{address}")
        raise WrongPassword
    cp.throttle.give_back(*counted)
    cp.throttle.release(SIGN_IN_ACCOUNT, account)
    renewed = {"password_hash": passwords.hashed(password)} if passwords.is_outdated(user.password_hash) else {}
    with transaction():
        # the hash took a while: whoever was switched off or got another password meanwhile does not come in
        same = (UserRecord.id == user.id) & (UserRecord.password_hash == user.password_hash) & UserRecord.active
        if not UserRecord.select().where(same).exists():
            raise WrongPassword
        if renewed:
            UserRecord.update(**renewed).where(UserRecord.id == user.id).execute()
        audit.record(identity.actor_of(user, address), cp, "session.open", f"user:{user.id}")
        return credentials.new_session(cp, user)


def _was_here(user: UserRecord, address: str) -> bool:
    """Whether this user proved from this address before that it is theirs."""
    return bool(
        AuditRecord.select()
        .where(
            AuditRecord.subject == f"user:{user.id}",
            AuditRecord.action.in_(("session.open", "user.password_set")),
            AuditRecord.address == address,
        )
        .exists()
    )


def sign_out(actor: Actor, cp: ControlPlane, secret: str) -> None:
    """End the session of this secret, if there is one."""
    with transaction():
        if SessionRecord.delete().where(SessionRecord.secret_hash == credentials.hashed(secret)).execute():
            audit.record(actor, cp, "session.close", f"user:{actor.id}")
    identity.changed(cp, int(actor.id))


def actor_of_session(cp: ControlPlane, secret: str, address: str) -> Actor:
    """Who a browser's cookie speaks for. Raises NotSignedIn."""
    theirs = SessionRecord.select(SessionRecord.user).where(
        SessionRecord.secret_hash == credentials.hashed(secret), SessionRecord.expires_at > cp.clock()
    )
    user = UserRecord.get_or_none(UserRecord.id.in_(theirs), UserRecord.active)
    if user is None:
        raise NotSignedIn
    return identity.actor_of(user, address)


def clean_sessions(cp: ControlPlane) -> int:
    """Delete sessions and links that have expired; how many. Called by a tick."""
    with transaction():
        gone = SessionRecord.delete().where(SessionRecord.expires_at <= cp.clock()).execute()
        return int(gone + OneTimeLinkRecord.delete().where(OneTimeLinkRecord.expires_at <= cp.clock()).execute())


# ---- users


def user(actor: Actor, cp: ControlPlane) -> UserRecord:
    """The actor's own record. Raises NotSignedIn for a machine or the system."""
    if actor.kind != "user":
        raise NotSignedIn
    return _user_of(int(actor.id))


def list_users(actor: Actor, cp: ControlPlane) -> list[UserRecord]:
    """Everybody, by name. Raises Denied."""
    require(actor, "user.see")
    return list(UserRecord.select().order_by(UserRecord.name))


# ---- API tokens


def create_token(
    actor: Actor, cp: ControlPlane, name: str, lifetime_seconds: float = 0.0
) -> tuple[str, ApiTokenRecord]:
    """A new token of the actor's own, as (the token, shown once, its record). 0 seconds mean 90 days.

    Raises NameInvalid, FieldInvalid.
    """
    seconds = lifetime_seconds or _TOKEN_SECONDS
    if not 0 < seconds <= _TOKEN_LONGEST:
        raise FieldInvalid(field="lifetime_seconds", problem=f"0 < x ≤ {_TOKEN_LONGEST:.0f}")
    with transaction():
        token, record = credentials.new_token(cp, user(actor, cp), checked(name), seconds)
        audit.record(actor, cp, "token.create", f"token:{record.id}", name=name)
    return token, record


def list_tokens(actor: Actor, cp: ControlPlane) -> list[ApiTokenRecord]:
    """The actor's own tokens that are not revoked, newest first."""
    own = (ApiTokenRecord.user == user(actor, cp).id) & (ApiTokenRecord.revoked_at == 0.0)
    return list(ApiTokenRecord.select().where(own).order_by(ApiTokenRecord.id.desc()))


def revoke_token(actor: Actor, cp: ControlPlane, token_id: int) -> None:
    """Refuse one of the actor's own tokens from now on. Raises NotFound."""
    with transaction():
        own = (ApiTokenRecord.id == token_id) & (ApiTokenRecord.user == user(actor, cp).id)
        revoked = ApiTokenRecord.update(revoked_at=cp.clock()).where(own, ApiTokenRecord.revoked_at == 0.0).execute()
        if not revoked:
            raise NotFound
        audit.record(actor, cp, "token.revoke", f"token:{token_id}")
    identity.changed(cp, int(actor.id))


def actor_of_token(cp: ControlPlane, token: str, address: str) -> Actor:
    """Who an API token speaks for. Raises TokenRefused."""
    now = cp.clock()
    found = ApiTokenRecord.get_or_none(
        ApiTokenRecord.secret_hash == credentials.hashed(token),
        ApiTokenRecord.revoked_at == 0.0,
        ApiTokenRecord.expires_at > now,
    )
    if found is None:
        raise TokenRefused
    if found.used_at < now - _TOUCH_SECONDS:
        with transaction():
            ApiTokenRecord.update(used_at=now).where(ApiTokenRecord.id == found.id).execute()
    return identity.actor_of(_user_of(found.user_id), address)


# ---- shared


def _user_of(user_id: int) -> UserRecord:
    found = UserRecord.get_or_none(UserRecord.id == user_id, UserRecord.active == True)  # noqa: E712 (an expression)
    if found is None:
        raise NotSignedIn
    return found
