"""Passwords and keys that people give to reach other systems: sealed with AES-GCM, opened only to be used.

The key is the setting `secrets_key`, or lies with mode 0600 as `secrets.key` in the data folder; whoever has a copy of
the database alone can open nothing. A secret is never shown again: pages and calls say only that there is one.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, SecretUnreadable
from control_plane.domain.permissions import Actor
from control_plane.store.secrets import SecretRecord

_NONCE = 12  # bytes
_LONGEST = 10_000  # characters of one secret


def keep(actor: Actor, cp: ControlPlane, project_id: int, values: Mapping[str, str]) -> str | None:
    """Seal secrets by name; what they are kept as, None where there is none. Called inside a transaction.

    Raises FieldInvalid for one that is too long, without repeating it.
    """
    given = {name: value for name, value in values.items() if value}
    if not given:
        return None
    if too_long := next((name for name, value in given.items() if len(value) > _LONGEST), ""):
        raise FieldInvalid(field=too_long, problem=f"≤ {_LONGEST}")
    number, nonce = secrets.token_hex(16), secrets.token_bytes(_NONCE)
    sealed = nonce + _cipher(cp).encrypt(nonce, json.dumps(given).encode(), _place(number, project_id))
    SecretRecord.create(
        id=number,
        project=project_id,
        sealed=base64.b64encode(sealed).decode("ascii"),
        created_by=actor.id,
        created_at=cp.clock(),
    )
    return number


def opened(cp: ControlPlane, number: str | None) -> dict[str, str]:
    """The secrets by name, to be used and let go; none for None. Raises SecretUnreadable."""
    if number is None:
        return {}
    record = SecretRecord.get_or_none(SecretRecord.id == number)
    if record is None:
        raise SecretUnreadable
    try:
        sealed = base64.b64decode(record.sealed, validate=True)
        plain = _cipher(cp).decrypt(sealed[:_NONCE], sealed[_NONCE:], _place(record.id, record.project_id))
    except (InvalidTag, ValueError, binascii.Error) as problem:
        raise SecretUnreadable from problem
    found: dict[str, str] = json.loads(plain)
    return found


def remove(number: str | None) -> None:
    """Forget secrets for good; called inside a transaction."""
    if number is not None:
        SecretRecord.delete().where(SecretRecord.id == number).execute()


def _place(number: str, project_id: int) -> bytes:
    """What a sealed text is bound to: moved to another row, it opens no more."""
    return f"tunesmith secret {number} of project {project_id}".encode()


def _cipher(cp: ControlPlane) -> AESGCM:
    return AESGCM(cp.settings.secrets_key.bytes or _key(cp.settings.data))


@cache
def _key(data: Path) -> bytes:
    """The key in the data folder, made where there is none."""
    path = data / "secrets.key"
    if not path.exists():
        fresh = data / f".secrets.key.{secrets.token_hex(8)}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # of two who make one, the first is right
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (ValueError, OSError) as problem:
        raise SecretUnreadable from problem
    if len(key) != 32:
        raise SecretUnreadable
    return key
