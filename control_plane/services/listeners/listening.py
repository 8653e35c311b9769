"""Listeners of a project: one is added, changed, tried out and removed."""

from __future__ import annotations

import secrets as random
from collections.abc import Iterable
from dataclasses import dataclass

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    FieldInvalid,
    ListenerAddressInvalid,
    ListenerEventsNone,
    ListenerEventUnknown,
    ListenersTooMany,
    ListenerTestWaits,
    MailNotSetUp,
    TunesmithError,
)
from control_plane.domain.listeners.events import CHOICES, TEST
from control_plane.domain.listeners.ways import BY_ADDRESS, MAIL, MOST, PYTHON, WAYS, WEBHOOK, checked_mail
from control_plane.domain.permissions import Actor
from control_plane.services import audit, secrets
from control_plane.services.access import projects
from control_plane.services.listeners import by_mail, by_python, outbox
from control_plane.services.listeners.by_http import ADDRESS, SIGNING, host_of
from control_plane.store.database import transaction
from control_plane.store.listeners import DeliveryRecord, ListenerRecord
from control_plane.store.people import UserRecord
from control_plane.wording import LOCALES

_LONGEST = 2_000  # characters of an address


@dataclass(frozen=True)
class Way:
    """A way in which listeners can be told here; `problem` is why it cannot be used as this installation is set up."""

    name: str
    choices: list[str]  # of what stands for its address; empty: any text
    problem: TunesmithError | None = None


def ways(actor: Actor, cp: ControlPlane, project: str) -> list[Way]:
    """The ways there are. Raises NotFound, Denied."""
    projects.get(actor, cp, project, "listener.change")
    try:
        by_mail.require_set_up(cp)
        no_mail: TunesmithError | None = None
    except MailNotSetUp as problem:
        no_mail = problem
    own = [Way(PYTHON, by_python.named(cp))] if by_python.named(cp) else []
    return [*(Way(name, []) for name in BY_ADDRESS), Way(MAIL, [], no_mail), *own]


def add(
    actor: Actor, cp: ControlPlane, project: str, way: str, address: str, events: Iterable[str], language: str
) -> tuple[ListenerRecord, str]:
    """Have a project's events told to somebody: the listener, and the key of a webhook's signature, shown this once.

    `address` is where it is told: an address, that of a mailbox, or the name of a Python listener. Nothing is sent.
    Raises NotFound, Denied, FieldInvalid, ListenerAddressInvalid, ListenerEventsNone, ListenerEventUnknown,
    ListenersTooMany, MailNotSetUp, PythonListenerClosed.
    """
    place = projects.get(actor, cp, project, "listener.change")
    label, wanted = _label(cp, way, address.strip()), _checked(events)
    signing = random.token_hex(32) if way == WEBHOOK else ""
    with transaction():
        if ListenerRecord.select().where(ListenerRecord.project == place.id).count() >= MOST:
            raise ListenersTooMany(most=MOST)
        listener = ListenerRecord.create(
            project=place,
            way=way,
            label=label,
            secret=secrets.keep(actor, cp, place.id, {ADDRESS: address.strip(), SIGNING: signing}),
            events=wanted,
            language=language if language in LOCALES else "en",
            created_by=int(actor.id),
            created_at=cp.clock(),
        )
        said = {"kind": way, "name": label, "events": wanted}
        audit.record(actor, cp, "listener.add", f"listener:{listener.id}", place.id, **said)
    cp.signals.wake(f"project:{place.id}")
    return listener, signing


def listed(actor: Actor, cp: ControlPlane, project: str) -> list[ListenerRecord]:
    """A project's listeners, the oldest first. Raises NotFound, Denied."""
    place = projects.get(actor, cp, project, "listener.see")
    return list(ListenerRecord.select().where(ListenerRecord.project == place.id).order_by(ListenerRecord.id))


def get(actor: Actor, cp: ControlPlane, listener_id: int, permission: str = "listener.see") -> ListenerRecord:
    """One listener. Raises NotFound, Denied, InTrash where its project is there."""
    listener: ListenerRecord = projects.inside(actor, ListenerRecord, listener_id, permission)
    return listener


def change(actor: Actor, cp: ControlPlane, listener_id: int, events: Iterable[str]) -> ListenerRecord:
    """Choose other events. From now on it is told in the actor's name; one that had stopped goes on.

    Raises NotFound, Denied, ListenerEventsNone, ListenerEventUnknown.
    """
    listener, wanted = get(actor, cp, listener_id, "listener.change"), _checked(events)
    with transaction():
        fresh = {"stopped": False, "error": "", "error_params": {}, "failed_at": 0.0} if listener.stopped else {}
        _change(listener, events=wanted, created_by=int(actor.id), **fresh)
        said = {"name": listener.label, "events": wanted}
        audit.record(actor, cp, "listener.change", f"listener:{listener.id}", listener.project_id, **said)
    cp.signals.wake("schedule", f"listener:{listener.id}")
    return get(actor, cp, listener_id)


def test(actor: Actor, cp: ControlPlane, listener_id: int) -> DeliveryRecord:
    """Tell it a test, on the way that events go. Raises NotFound, Denied, ListenerTestWaits."""
    listener = get(actor, cp, listener_id, "listener.change")
    with transaction():
        waits = (DeliveryRecord.event == TEST) & (DeliveryRecord.outcome == "")
        if DeliveryRecord.select().where(DeliveryRecord.listener == listener.id, waits).exists():
            raise ListenerTestWaits
        subject = {"kind": "listener", "id": listener.id, "name": listener.label}
        delivery = outbox.write(cp, listener, TEST, outbox.fresh_number(), subject, {})
        audit.record(actor, cp, "listener.test", f"listener:{listener.id}", listener.project_id, name=listener.label)
    cp.signals.wake("schedule", f"listener:{listener.id}")
    return delivery


def remove(actor: Actor, cp: ControlPlane, listener_id: int) -> None:
    """Tell it nothing more, and forget its address and what it was told. Raises NotFound, Denied."""
    listener = get(actor, cp, listener_id, "listener.change")
    with transaction():
        DeliveryRecord.delete().where(DeliveryRecord.listener == listener.id).execute()
        ListenerRecord.delete().where(ListenerRecord.id == listener.id).execute()
        secrets.remove(listener.secret_id)
        audit.record(actor, cp, "listener.remove", f"listener:{listener.id}", listener.project_id, name=listener.label)
    cp.signals.wake(f"listener:{listener.id}", f"project:{listener.project_id}")


def _label(cp: ControlPlane, way: str, address: str) -> str:
    """Whom it reaches, as people are told it: of an address only the host, as its path may be a secret."""
    if way not in WAYS:
        raise FieldInvalid(field="way", problem=", ".join(WAYS))
    if len(address) > _LONGEST:
        raise FieldInvalid(field="address", problem=f"≤ {_LONGEST}")
    if way == MAIL:
        by_mail.require_set_up(cp)
        return checked_mail(address)
    if way == PYTHON:
        by_python.require_named(cp, address)
        return address
    host = host_of(address)
    if way != WEBHOOK and not address.startswith("https://"):
        raise ListenerAddressInvalid(place=host)
    return host


def _checked(events: Iterable[str]) -> list[str]:
    wanted = sorted(set(events), key=lambda event: CHOICES.index(event) if event in CHOICES else -1)
    if not wanted:
        raise ListenerEventsNone
    if strange := next((event for event in wanted if event not in CHOICES), None):
        raise ListenerEventUnknown(event=strange[:64], known=list(CHOICES))
    return wanted


def _change(listener: ListenerRecord, **columns: object) -> None:
    ListenerRecord.update(version=ListenerRecord.version + 1, **columns).where(
        ListenerRecord.id == listener.id
    ).execute()


def who(listener: ListenerRecord) -> str:
    """The name of whoever added it, or chose its events last."""
    return str(UserRecord.get_by_id(listener.created_by_id).name)
