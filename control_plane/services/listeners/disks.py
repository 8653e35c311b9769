"""Disks that are almost full: the control plane's own, and the machines' as they report them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import ONLINE, STALE
from control_plane.services.listeners import outbox
from control_plane.store.database import transaction
from control_plane.store.listeners import ListenerRecord
from control_plane.store.machines import MachineRecord

PERIOD = 60.0  # seconds between two looks
_AGAIN = 86_400.0  # a listener is told of the same disk once a day, for as long as it is full


def watch(cp: ControlPlane) -> int:
    """Have listeners told of the disks with too little room; how many deliveries that made."""
    if not ListenerRecord.select().exists():
        return 0
    low = [(subject, free) for subject, free in _disks(cp) if free < cp.settings.low_disk_bytes]
    if not low:
        return 0
    with transaction():
        return sum(outbox.tell(cp, "disk.low", None, subject, {"free": free}, once_in=_AGAIN) for subject, free in low)


def _disks(cp: ControlPlane) -> Iterator[tuple[Mapping[str, Any], int]]:
    """What has a disk, and its free bytes."""
    own = {"kind": "control_plane", "id": "control_plane", "name": cp.settings.public_host}
    yield own, shutil.disk_usage(cp.settings.data).free
    here = (MachineRecord.removed_at == 0.0, MachineRecord.connectivity.in_((ONLINE, STALE)))
    for machine in MachineRecord.select(MachineRecord.id, MachineRecord.name, MachineRecord.inventory).where(*here):
        free = int(machine.inventory.get("disk_free", 0))
        if free:  # one that has not said so yet has told of no disk
            yield {"kind": "machine", "id": machine.id, "name": machine.name}, free
