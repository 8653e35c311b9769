"""Deliveries: what a listener was told, or waits to be told. They are listed, sent again and forgotten."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.domain.errors import DeliveryWaits, NotFound
from control_plane.domain.permissions import Actor
from control_plane.services import audit
from control_plane.services.listeners import listening
from control_plane.store.database import transaction
from control_plane.store.listeners import DeliveryRecord, ListenerRecord

PERIOD = 3_600.0  # seconds between two looks at what is old
MOST = 100  # of one page
_AT_ONCE = 1_000  # of one transaction
_DAY = 86_400.0


def listed(
    actor: Actor, cp: ControlPlane, listener_id: int, before: int = 0, limit: int = MOST
) -> tuple[ListenerRecord, list[DeliveryRecord]]:
    """What a listener was told, the newest first; `before` is the id to page on from. Raises NotFound, Denied."""
    listener = listening.get(actor, cp, listener_id)
    query = DeliveryRecord.select().where(DeliveryRecord.listener == listener.id)
    if before:
        query = query.where(DeliveryRecord.id < before)
    return listener, list(query.order_by(DeliveryRecord.id.desc()).limit(max(1, min(limit, MOST))))


def replay(actor: Actor, cp: ControlPlane, delivery_id: int) -> DeliveryRecord:
    """Send the same event once more, however the last time ended. Raises NotFound, Denied, DeliveryWaits."""
    delivery = DeliveryRecord.get_or_none(DeliveryRecord.id == delivery_id)
    if delivery is None:
        raise NotFound
    listener = listening.get(actor, cp, delivery.listener_id, "listener.change")
    with transaction():
        over = (DeliveryRecord.id == delivery.id) & (DeliveryRecord.outcome != "")
        if not DeliveryRecord.update(outcome="", attempts=0, next_at=cp.clock()).where(over).execute():
            raise DeliveryWaits
        said = {"name": listener.label, "delivery": delivery.id}
        audit.record(actor, cp, "listener.replay", f"listener:{listener.id}", listener.project_id, **said)
    cp.signals.wake("schedule", f"listener:{listener.id}")
    found: DeliveryRecord = DeliveryRecord.get_by_id(delivery.id)
    return found


def forget_old(cp: ControlPlane) -> int:
    """Forget what was to be told long ago; how many. What still waits of it is for a listener that is stopped."""
    until, forgotten = cp.clock() - cp.settings.delivery_days * _DAY, 0
    old = DeliveryRecord.select(DeliveryRecord.id).where(DeliveryRecord.created_at < until)
    while numbers := [one.id for one in old.limit(_AT_ONCE)]:
        with transaction():
            forgotten += DeliveryRecord.delete().where(DeliveryRecord.id.in_(numbers)).execute()
    return forgotten
