"""A webhook's trigger is called by another system: with its key as a bearer token, or with a signature made by it."""

from __future__ import annotations

import hashlib
import hmac
import secrets as random

from control_plane.context import ControlPlane
from control_plane.domain.errors import TokenRefused, TooMany
from control_plane.domain.listeners.signature import sign
from control_plane.domain.workflows.triggers import MOST_AN_HOUR, WEBHOOK
from control_plane.services import secrets
from control_plane.services.triggers import firing
from control_plane.services.triggers.setting import KEY, working
from control_plane.store.database import transaction
from control_plane.store.triggers import FiringRecord, TriggerRecord

_FRESH = 300.0  # seconds that a signature is good
_HOUR = 3_600.0


def call(cp: ControlPlane, trigger_id: int, bearer: str, signature: str, body: bytes, once: str) -> FiringRecord:
    """Have a run started soon. With the same key and `once`, or the same signature, it is the same firing.

    What is signed does not hold `once`: a signature that somebody else has seen starts nothing more with another one.

    Raises TokenRefused, also where there is no such trigger, and TooMany.
    """
    trigger = _called(trigger_id)
    key = secrets.opened(cp, trigger.secret_id)[KEY] if trigger is not None else ""
    if trigger is not None and _is_key(key, bearer):
        mark = f"once:{once or random.token_hex(16)}"
    elif trigger is not None and _is_signed(cp, key, signature, body):
        mark = f"signature:{signature}"
    else:
        raise TokenRefused
    name = f"call:{hashlib.sha256(mark.encode()).hexdigest()}"
    now = cp.clock()
    with transaction():
        known: FiringRecord | None = FiringRecord.get_or_none(
            FiringRecord.trigger == trigger.id, FiringRecord.key == name
        )
        if known is not None:
            return known
        recent = (FiringRecord.trigger == trigger.id) & (FiringRecord.created_at > now - _HOUR)
        if FiringRecord.select().where(recent).count() >= MOST_AN_HOUR:
            raise TooMany
        return firing.fire(cp, trigger, name, firing.quiet_of(trigger).after(now))


def _called(trigger_id: int) -> TriggerRecord | None:
    mine = (TriggerRecord.id == trigger_id) & (TriggerRecord.kind == WEBHOOK)
    found: TriggerRecord | None = working().where(mine).first()
    return found


def _is_key(key: str, bearer: str) -> bool:
    return bool(bearer) and hmac.compare_digest(key.encode(), bearer.encode())


def _is_signed(cp: ControlPlane, key: str, signature: str, body: bytes) -> bool:
    """Whether it is one as Tunesmith's own webhooks bear, and was made just now."""
    stamp = dict(part.partition("=")[::2] for part in signature.split(",")).get("t", "")
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12 or abs(cp.clock() - int(stamp)) > _FRESH:
        return False
    return hmac.compare_digest(sign(key, int(stamp), body).encode(), signature.encode("utf-8", "replace"))
