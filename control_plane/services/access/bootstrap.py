"""The first start: an administrator without a password, a first project, and access for whoever owns the data folder.

`bootstrap.json` in the data folder (mode 0600) holds {"token", "api_address", "authority_pem", "web_url"}. Its token is
that of the account `local`, an administrator without a password: whoever reads that folder mostly has the database and
the keys too, and what they do by the token at least stands in the audit. While the account is switched off, the file
holds the addresses alone.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from control_plane.context import ControlPlane
from control_plane.domain.permissions import OWNER, SYSTEM
from control_plane.services import audit
from control_plane.services.access import credentials
from control_plane.store.database import transaction
from control_plane.store.people import ApiTokenRecord, UserRecord
from control_plane.store.projects import MemberRecord, ProjectRecord

ADMIN = "admin"
LOCAL = "local"
PROJECT = "default"

_TOKEN_SECONDS = 10 * 366 * 86_400.0


def prepare(cp: ControlPlane) -> str | None:
    """Make what is missing; the address at which the first password is set, or None once an administrator has one."""
    with transaction():
        user = _administrator(cp)
        link = None if _is_set_up() else credentials.new_link(cp, user)
        local = _local_account(cp)
        _write(cp, _kept_or_new(cp, local) if local.active else "")
    return link


def give_token(cp: ControlPlane, local: UserRecord) -> None:
    """Put a fresh token of the account `local` into the file; inside a transaction."""
    _write(cp, credentials.new_token(cp, local, "bootstrap", _TOKEN_SECONDS)[0])


def take_token(cp: ControlPlane) -> None:
    """Take the token, which the transaction around this has revoked, out of the file; the addresses stay."""
    _write(cp, "")


def _administrator(cp: ControlPlane) -> UserRecord:
    people = (UserRecord.administrator == True) & (UserRecord.local == False)  # noqa: E712 (an expression)
    first = UserRecord.select().where(people, UserRecord.active).order_by(UserRecord.id).first()
    if first is not None:
        return first  # type: ignore[no-any-return]
    user = UserRecord.create(name=ADMIN, title="Administrator", administrator=True, created_at=cp.clock())
    project = ProjectRecord.create(name=PROJECT, title="Default", created_at=cp.clock())
    MemberRecord.create(project=project, user=user, role=OWNER.name)
    audit.record(SYSTEM, cp, "user.create", f"user:{user.id}", name=ADMIN, administrator=True)
    audit.record(SYSTEM, cp, "project.create", f"project:{project.id}", project.id, name=PROJECT)
    return user


def _local_account(cp: ControlPlane) -> UserRecord:
    found = UserRecord.get_or_none(UserRecord.local == True)  # noqa: E712 (an expression)
    if found is not None:
        return found
    made = UserRecord.create(name=LOCAL, administrator=True, local=True, created_at=cp.clock())
    audit.record(SYSTEM, cp, "user.create", f"user:{made.id}", name=LOCAL, administrator=True)
    return made


def _is_set_up() -> bool:
    administrators = UserRecord.select().where(UserRecord.administrator == True)  # noqa: E712 (an expression)
    return any(user.password_hash for user in administrators)


def _kept_or_new(cp: ControlPlane, local: UserRecord) -> str:
    """The token that the file holds while it is good, else a new one in its place."""
    kept = _kept_token(cp)
    usable = ApiTokenRecord.get_or_none(
        ApiTokenRecord.user == local,
        ApiTokenRecord.secret_hash == credentials.hashed(kept),
        ApiTokenRecord.revoked_at == 0.0,
        ApiTokenRecord.expires_at > cp.clock(),
    )
    if usable is not None:
        return kept
    token, record = credentials.new_token(cp, local, "bootstrap", _TOKEN_SECONDS)
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
