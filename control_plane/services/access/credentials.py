"""Secrets of full strength: how they are made and what is stored of them. Called inside a transaction."""

from __future__ import annotations

import hashlib
import secrets

from control_plane.context import ControlPlane
from control_plane.store.people import ApiTokenRecord, OneTimeLinkRecord, SessionRecord, UserRecord


def hashed(secret: str) -> str:
    """What is stored of a secret: its sha256. (Passwords are weaker and take argon2.)"""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_session(cp: ControlPlane, user: UserRecord) -> str:
    """A signed-in browser's secret."""
    secret, now = secrets.token_urlsafe(32), cp.clock()
    SessionRecord.create(
        user=user, secret_hash=hashed(secret), created_at=now, expires_at=now + cp.settings.session_seconds
    )
    return secret


def new_token(cp: ControlPlane, user: UserRecord, name: str, seconds: float) -> tuple[str, ApiTokenRecord]:
    """An API token and its record."""
    token, now = f"tsk_{secrets.token_urlsafe(32)}", cp.clock()
    record = ApiTokenRecord.create(
        user=user, name=name, secret_hash=hashed(token), created_at=now, expires_at=now + seconds
    )
    return token, record


def new_link(cp: ControlPlane, user: UserRecord) -> str:
    """The address at which `user` sets their password, once; earlier links of theirs are void."""
    void_links(cp, user.id)
    secret, expires_at = secrets.token_urlsafe(32), cp.clock() + cp.settings.setup_link_seconds
    OneTimeLinkRecord.create(user=user, secret_hash=hashed(secret), expires_at=expires_at)
    return f"{web_url(cp)}/welcome/{secret}"


def end_sessions(user_id: int, but: str = "") -> int:
    """End each session of a user, except the one of the secret `but`; how many."""
    theirs = (SessionRecord.user == user_id) & (SessionRecord.secret_hash != hashed(but))
    return int(SessionRecord.delete().where(theirs).execute())


def revoke_tokens(cp: ControlPlane, user_id: int) -> int:
    """Refuse each API token of a user from now on; how many."""
    theirs = (ApiTokenRecord.user == user_id) & (ApiTokenRecord.revoked_at == 0.0)
    return int(ApiTokenRecord.update(revoked_at=cp.clock()).where(theirs).execute())


def void_links(cp: ControlPlane, user_id: int) -> None:
    """Let no open one-time link of a user work any more."""
    theirs = (OneTimeLinkRecord.user == user_id) & (OneTimeLinkRecord.used_at == 0.0)
    OneTimeLinkRecord.update(used_at=cp.clock()).where(theirs).execute()


def web_url(cp: ControlPlane) -> str:
    """The dashboard's address, without a slash at its end."""
    if cp.settings.web_address:
        return cp.settings.web_address.rstrip("/")
    scheme = "https" if cp.settings.web_certificate else "http"
    return f"{scheme}://{cp.settings.public_host}:{cp.settings.web_port}"
