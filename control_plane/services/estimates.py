"""What a job will take before it runs: worked out from its model, rows and parameters, corrected by earlier jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from control_plane.domain import estimates
from control_plane.domain.estimates import Estimate, Measured, Rows
from control_plane.domain.lifecycle import SUCCEEDED
from control_plane.domain.manifest import Manifest
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord

_EARLIER = 20  # jobs of the method that are looked at, the newest


def bare(manifest: Manifest, parameters: Mapping[str, Any], pinned: Mapping[str, Mapping[str, Any]]) -> Estimate | None:
    """What follows from the sizes of the model that learns; None where the method or the model does not tell enough."""
    training = manifest.resources.training
    source, lesson = pinned.get(manifest.subject), pinned.get(manifest.lesson)
    if training is None or source is None or lesson is None:
        return None
    shape = estimates.shape_of(ModelRecord.get_by_id(source["id"]).card)
    if shape is None:
        return None
    version = DatasetVersionRecord.get_by_id(lesson["id"])
    facts = version.facts
    rows = Rows(version.train_rows, facts.get("longest", 0), facts.get("median", 0), facts.get("longest_answer", 0))
    others = (pin["id"] for name, pin in pinned.items() if pin["kind"] == "model" and name != manifest.subject)
    beside = sum(_weights(ModelRecord.get_by_id(number)) for number in others)
    return estimates.estimate(shape, training, parameters, rows, beside)


def _weights(model: ModelRecord) -> int:
    """Bytes of a model that is read beside the one that learns; 0 where its card does not say."""
    shape = estimates.shape_of(model.card)
    return shape.parameters * shape.bytes_a_number if shape else 0


def corrected(manifest: Manifest, estimate: Estimate) -> int:
    """The memory that the scheduler goes by."""
    return int(estimate.memory * estimates.memory_factor(measured(manifest.name)))


def measured(method: str) -> list[Measured]:
    """The newest jobs of a method, of any version and project, that succeeded and had been estimated."""
    query = (
        AttemptRecord.select(
            AttemptRecord.peak_memory_bytes,
            AttemptRecord.running_at,
            AttemptRecord.ended_at,
            AttemptRecord.hardware,
            AttemptPartRecord.devices,
            JobRecord.estimate,
        )
        .join(JobRecord)
        .join(MethodVersionRecord)
        .switch(AttemptRecord)
        .join(AttemptPartRecord, on=(AttemptPartRecord.attempt == AttemptRecord.id))
        .where(MethodVersionRecord.name == method, AttemptRecord.state == SUCCEEDED, AttemptPartRecord.rank == 0)
        .order_by(AttemptRecord.id.desc())
        .limit(_EARLIER)
    )
    rows: Iterable[tuple[Any, ...]] = query.tuples()  # type: ignore[assignment]  # the stubs know records alone
    return [_earlier(*row) for row in rows if row[-1]]


def _earlier(
    peak: int, running: float, ended: float, hardware: dict[str, Any], devices: list[str], told: dict[str, Any]
) -> Measured:
    listed = {one["uuid"]: one for one in hardware.get("devices", ())}
    device = listed.get(devices[0] if devices else "", {})
    kind = str(device.get("kind", ""))
    return Measured(
        kind, str(device.get("name") or kind), int(told["memory"]), float(told["work"]), peak, ended - running
    )
