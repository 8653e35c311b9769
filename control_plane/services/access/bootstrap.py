"""The first start: an administrator without a password, a first project, and a file by which scripts find both.

`bootstrap.json` in the data folder (mode 0600) holds {"token", "api_address", "authority_pem", "web_url"}. Its token is
the administrator's; the first password revokes it, and the file keeps the addresses alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from control_plane.context import ControlPlane
from control_plane.domain.permissions import OWNER, SYSTEM, Actor
from control_plane.services import audit
from control_plane.services.access import credentials
from control_plane.store.database import transaction
from control_plane.store.people import ApiTokenRecord, UserRecord
from control_plane.store.projects import MemberRecord, ProjectRecord

ADMIN = "admin"
PROJECT = "default"

_TOKEN_SECONDS = 366 * 86_400.0


def prepare(cp: ControlPlane) -> str | None:
    """Make what is missing; the address at which the first password is set, or None once an administrator has one."""
    with transaction():
        user = _administrator(cp)
        ready = _is_set_up()
        link = None if ready else credentials.new_link(cp, user)
        token = "" if ready else _token(cp, user)
    _write(cp, token)
    return link


def revoke(actor: Actor, cp: ControlPlane) -> None:
    """Refuse the bootstrap token from now on; inside a transaction."""
    unrevoked = (ApiTokenRecord.bootstrap == True) & (ApiTokenRecord.revoked_at == 0.0)  # noqa: E712 (an expression)
    if ApiTokenRecord.update(revoked_at=cp.clock()).where(unrevoked).execute():
        audit.record(actor, cp, "token.revoke", "token:bootstrap")


def forget_token(cp: ControlPlane) -> None:
    """Take the revoked token out of the file; the addresses stay."""
    _write(cp, "")


def _administrator(cp: ControlPlane) -> UserRecord:
    first = UserRecord.select().where(UserRecord.administrator == True).order_by(UserRecord.id).first()  # noqa: E712
    if first is not None:
        return first  # type: ignore[no-any-return]
    user = UserRecord.create(name=ADMIN, title="Administrator", administrator=True, created_at=cp.clock())
    project = ProjectRecord.create(name=PROJECT, title="Default", created_at=cp.clock())
    MemberRecord.create(project=project, user=user, role=OWNER.name)
    audit.record(SYSTEM, cp, "user.create", f"user:{user.id}", name=ADMIN, administrator=True)
    audit.record(SYSTEM, cp, "project.create", f"project:{project.id}", project.id, name=PROJECT)
    return user


def _is_set_up() -> bool:
    administrators = UserRecord.select().where(UserRecord.administrator == True)  # noqa: E712 (an expression)
    return any(user.password_hash for user in administrators)


def _token(cp: ControlPlane, user: UserRecord) -> str:
    """The token that the file holds while it is good, else a new one in its place."""
    kept = _kept_token(cp)
    usable = ApiTokenRecord.get_or_none(
        ApiTokenRecord.secret_hash == credentials.hashed(kept),
        ApiTokenRecord.revoked_at == 0.0,
        ApiTokenRecord.expires_at > cp.clock(),
    )
    if usable is not None:
        return kept
    revoke(SYSTEM, cp)
    token, record = credentials.new_token(cp, user, "bootstrap", _TOKEN_SECONDS)
    record.bootstrap = True
    record.save()
    audit.record(SYSTEM, cp, "token.create", f"token:{record.id}", name="bootstrap")
    return token


def _kept_token(cp: ControlPlane) -> str:
    try:
        content = json.loads(_file(cp).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return ""
    return str(content.get("token", "")) if isinstance(content, dict) else ""


def _write(cp: ControlPlane, token: str) -> None:
    authority = cp.settings.data / "authority" / "authority.pem"
    content = {
        "token": token,
        "api_address": f"{cp.settings.public_host}:{cp.settings.api_port}",
        "authority_pem": authority.read_text("ascii") if authority.exists() else "",
        "web_url": credentials.web_url(cp),
    }
    # private from its first byte, and never half-written
    fresh = _file(cp).with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(_file(cp))


def _file(cp: ControlPlane) -> Path:
    return cp.settings.data / "bootstrap.json"
