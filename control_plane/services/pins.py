"""What a job pins, so that it can be run again and mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from control_plane.services.things.kinds import MODEL, kept
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.machines import EnvironmentLockRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord


def of(job: JobRecord, attempt: AttemptRecord | None) -> dict[str, Any]:
    """Method, parameters, inputs and seed of a job; environment and hardware of an attempt of it, if there is one."""
    method = MethodVersionRecord.get_by_id(job.method_version_id)
    pinned = {
        "method": method.name,
        "method_hash": method.hash,
        "parameters": job.parameters,
        "inputs": {name: _input(pin) for name, pin in job.inputs.items()},
        "seed": job.seed,
    }
    return pinned if attempt is None else pinned | _environment(attempt)


def given(job: JobRecord, name: str) -> int | None:
    """The id of what the job was given as this input; None where it was given nothing, or `name` is empty."""
    pin = job.inputs.get(name)
    return (int(pin["id"]) or None) if pin else None


def refuse_gone(project_id: int, inputs: Iterable[Mapping[str, Any]]) -> None:
    """Let pass what is kept still, in a project that is; called inside the transaction that makes a row of it.

    `inputs` are models and dataset versions as {"kind", "id"}. What was looked at before the transaction may have been
    deleted since. Raises InTrash, NotFound.
    """
    kept(ProjectRecord.get_by_id(project_id))
    for pin in inputs:
        if pin["kind"] == MODEL:
            kept(ModelRecord.get_by_id(pin["id"]))
        else:
            kept(DatasetRecord.get_by_id(DatasetVersionRecord.get_by_id(pin["id"]).dataset_id))


def _input(pin: dict[str, Any]) -> dict[str, Any]:
    if pin["kind"] != "dataset" or "files" in pin:
        return pin
    return pin | {"split_seed": DatasetVersionRecord.get_by_id(pin["id"]).split_seed}


def _environment(attempt: AttemptRecord) -> dict[str, Any]:
    names = ("system", "release", "architecture", "cpu_name", "cpu_count", "memory_total", "driver")
    hardware = {name: attempt.hardware[name] for name in names if attempt.hardware.get(name)}
    given = devices_of(attempt)
    listed = attempt.hardware.get("devices", ())
    named = [one["name"] for one in listed if one["uuid"] in given]
    return {
        "environment_lock_hash": attempt.environment_lock_hash,
        "hardware": hardware | {"device": ", ".join(given), "device_name": ", ".join(named)},
    }


def devices_of(attempt: AttemptRecord) -> list[str]:
    """The uuids of what the attempt was given on the machine of rank 0."""
    part = AttemptPartRecord.get_or_none(AttemptPartRecord.attempt == attempt.id, AttemptPartRecord.rank == 0)
    return list(part.devices) if part else []


def lock_text(attempt: AttemptRecord) -> str:
    """The environment that an attempt ran in, as requirements; empty if it never got that far."""
    lock = EnvironmentLockRecord.get_or_none(EnvironmentLockRecord.lock_hash == attempt.environment_lock_hash)
    return str(lock.lock) if lock else ""
