"""What people say about a machine and do to it for good: its name, its labels, its removal."""

from __future__ import annotations

from collections.abc import Iterable

from control_plane.context import ControlPlane
from control_plane.domain import names
from control_plane.domain.errors import FieldInvalid
from control_plane.domain.permissions import Actor, require
from control_plane.services import audit
from control_plane.services.fleet import enrollment, machines
from control_plane.store.database import transaction
from control_plane.store.machines import MachineRecord

LONGEST_NAME = 200
MOST_LABELS = 16


def describe(actor: Actor, cp: ControlPlane, machine_id: str, name: str, labels: Iterable[str]) -> None:
    """Give a machine a name, and these labels alone. Raises Denied, NotFound, FieldInvalid, NameInvalid."""
    require(actor, "machine.change")
    name = name.strip()
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise FieldInvalid(field="name", problem=f"1 … {LONGEST_NAME}")
    chosen = sorted({names.checked(label) for label in labels})
    if len(chosen) > MOST_LABELS:
        raise FieldInvalid(field="labels", problem=f"0 … {MOST_LABELS}")
    with transaction():
        machines.get(actor, cp, machine_id)
        MachineRecord.update(name=name, labels=chosen).where(MachineRecord.id == machine_id).execute()
        audit.record(actor, cp, "machine.describe", f"machine:{machine_id}", name=name, labels=chosen)
    cp.signals.wake(f"machine:{machine_id}", "fleet")


def remove(actor: Actor, cp: ControlPlane, machine_id: str) -> None:
    """Refuse every further call of a machine and list it no more; what it did keeps its name. Twice is once.

    Raises Denied, NotFound.
    """
    require(actor, "machine.change")
    topics: list[str] = []
    with transaction():
        machine = machines.get(actor, cp, machine_id)
        if machine.removed_at:
            return
        if not machine.locked_reason:
            topics = enrollment.lock(actor, cp, machine_id, "revoked")
        MachineRecord.update(removed_at=cp.clock()).where(MachineRecord.id == machine_id).execute()
        audit.record(actor, cp, "machine.remove", f"machine:{machine_id}", name=str(machine.name))
    cp.signals.wake(*topics, f"machine:{machine_id}", "fleet")
