"""What a job would take and where it could run, told before anybody asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import estimates as domain
from control_plane.domain.estimates import Measured
from control_plane.domain.manifest import Manifest
from control_plane.domain.matching import Device, Machine, Need, prospect
from control_plane.domain.permissions import Actor, require
from control_plane.services import asking, estimates, methods
from control_plane.services.fleet import snapshots
from control_plane.store.machines import MachineRecord

_READY = "ready"


@dataclass(frozen=True)
class Place:
    """What a job would find on a machine: `state` is ready, or why not now (domain/matching.py::prospect)."""

    machine_id: str
    machine_name: str
    device: str  # as its maker calls it
    state: str
    seconds: float | None  # None: no job like it has run on such a device yet


@dataclass(frozen=True)
class Forecast:
    """What a job will take, in bytes, and each machine that has a device for it, the best first."""

    memory: int
    disk: int
    parts: Mapping[str, int]  # of the memory, before it was corrected; empty where the model's sizes are not known
    factor: float  # by which earlier jobs correct it
    places: list[Place]


def forecast(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    method: str,
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, int | Mapping[str, Any]] | None = None,
) -> Forecast:
    """What a job with these would take. Raises what `asking.check` raises."""
    asked = asking.check(actor, cp, project, method, parameters=parameters, inputs=inputs)
    require(actor, "machine.see")
    manifest = methods.manifest(asked.method_version)
    guess = estimates.bare(manifest, asked.parameters, asked.inputs)
    measured = estimates.measured(manifest.name) if guess else []
    need = Need(frozenset(manifest.platforms), manifest.exclusive, asked.memory_bytes, asked.disk_bytes)
    found = [(machine, there) for machine in snapshots.machines(cp) if (there := prospect(machine, need))]
    known = _named([machine.id for machine, _ in found])
    places = [_place(machine, *there, known, measured, guess.work if guess else 0.0) for machine, there in found]
    places.sort(key=lambda one: (one.state != _READY, one.seconds is None, one.seconds or 0.0, one.machine_name))
    parts = {name: size for name, size in guess.parts.items() if size} if guess else {}
    return Forecast(asked.memory_bytes, asked.disk_bytes, parts, domain.memory_factor(measured), places)


def machines_for(cp: ControlPlane, manifest: Manifest, memory: int) -> list[str]:
    """The names of the machines that have a device for such a job, those that are ready first."""
    need = Need(frozenset(manifest.platforms), manifest.exclusive, memory, manifest.resources.disk_bytes)
    found = [
        (there[1] != _READY, machine.id) for machine in snapshots.machines(cp) if (there := prospect(machine, need))
    ]
    known = _named([number for _, number in found])
    return [name for _, name in sorted((waits, known[number][0]) for waits, number in found)]


_Names = dict[str, tuple[str, dict[str, str]]]  # machine → its name, and its devices' names by uuid


def _place(machine: Machine, device: Device, state: str, known: _Names, measured: list[Measured], work: float) -> Place:
    name, devices = known[machine.id]
    model = devices.get(device.uuid, device.kind)
    return Place(machine.id, name, model, state, domain.seconds(measured, model, work) if work else None)


def _named(machine_ids: list[str]) -> _Names:
    columns = MachineRecord.id, MachineRecord.name, MachineRecord.inventory
    rows = MachineRecord.select(*columns).where(MachineRecord.id.in_(machine_ids))
    return {row.id: (str(row.name), _devices(row.inventory)) for row in rows}


def _devices(inventory: Mapping[str, Any]) -> dict[str, str]:
    return {one["uuid"]: str(one.get("name") or one["kind"]) for one in inventory.get("devices", ())}
