"""What a machine is given: the offer of an attempt, complete, and which blobs it may fetch for it."""

from __future__ import annotations

import hashlib
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.forms import ON_A_MODEL
from control_plane.domain.instructions import FileRef, Input, Offer, Output
from control_plane.domain.lifecycle import DRY_RUN
from control_plane.services import pins
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.machines import EnvironmentLockRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord

# kinds that read what strangers made; what a training takes is its owner's choice and hard to foresee
_BOUNDED = frozenset({"import", "evaluate", "export", DRY_RUN})
CHECKPOINT = "checkpoint"  # artifacts named checkpoint:<step>


def offer_of(cp: ControlPlane, attempt: AttemptRecord) -> Offer:
    """All that a machine needs to know to run this attempt."""
    job = JobRecord.get_by_id(attempt.job_id)
    method = MethodVersionRecord.get_by_id(job.method_version_id)
    return Offer(
        attempt_id=attempt.id,
        fence=attempt.fence,
        job_id=job.id,
        method=method.name,
        method_hash=method.hash,
        entry=method.manifest["entry"],
        network=method.manifest.get("network", False),
        code=_refs(method.files),
        requirements=method.requirements,
        environment_lock=_lock(method, attempt),
        parameters=job.parameters,
        inputs=tuple(_input(cp, name, pin) for name, pin in job.inputs.items()),
        outputs=tuple(
            Output(name=name, kind=one["kind"], form=one.get("form", ""), path=one["path"])
            for name, one in method.manifest["outputs"].items()
        ),
        devices=tuple(pins.devices_of(attempt)),
        seed=job.seed,
        resume=_resume(job),
        time_limit=job.time_limit,
        memory_bytes=job.memory_bytes if job.kind in _BOUNDED else 0,
    )


def model_input(name: str, model: ModelRecord) -> Input:
    """A model as a method or an engine reads it; a small addition brings what it sits on."""
    artifact = ArtifactRecord.get_by_id(model.artifact_id)
    sits_on = model_input("base", ModelRecord.get_by_id(model.base_id)) if model.form in ON_A_MODEL else None
    return Input(name=name, kind="model", form=model.form, files=_refs(artifact.files), base=sits_on)


def files_of(offer: Offer) -> set[str]:
    """The sha256 of each blob that an offer names."""
    given = [*offer.inputs, *([offer.resume] if offer.resume else [])]
    return {ref.sha256 for ref in offer.code} | {ref.sha256 for one in given for ref in files_of_input(one)}


def files_of_input(given: Input) -> tuple[FileRef, ...]:
    """An input's files, and those of what it sits on."""
    return given.files + (files_of_input(given.base) if given.base else ())


def requirements_hash(method: MethodVersionRecord) -> str:
    """What an environment is built from, as a hash."""
    return hashlib.sha256(method.requirements.encode()).hexdigest()


def platform(attempt: AttemptRecord) -> str:
    """The platform that an attempt's environment is built for, e.g. `linux-x86_64-cpu`."""
    inventory, given = attempt.hardware, pins.devices_of(attempt)
    kind = next((one["kind"] for one in inventory.get("devices", ()) if one["uuid"] in given), "cpu")
    return f"{inventory.get('system', '')}-{inventory.get('architecture', '')}-{kind}"


def _lock(method: MethodVersionRecord, attempt: AttemptRecord) -> str:
    known = EnvironmentLockRecord.get_or_none(
        EnvironmentLockRecord.requirements_hash == requirements_hash(method),
        EnvironmentLockRecord.platform == platform(attempt),
    )
    return str(known.lock) if known else ""


def _input(cp: ControlPlane, name: str, pin: dict[str, Any]) -> Input:
    if "files" in pin:  # of a dry run, which reads nobody's models and data
        shape = {"form": pin.get("form", ""), "format": pin.get("format", "")}
        return Input(name=name, kind=pin["kind"], **shape, files=_refs(pin["files"]))
    if pin["kind"] == "model":
        return model_input(name, ModelRecord.get_by_id(pin["id"]))
    version = DatasetVersionRecord.get_by_id(pin["id"])
    parts = {"train.jsonl": version.train_sha256, "test.jsonl": version.test_sha256}
    files = tuple(FileRef(path, sha256, cp.blobs.size(sha256)) for path, sha256 in parts.items() if sha256)
    return Input(name=name, kind="dataset", format=version.format, files=files)


def _resume(job: JobRecord) -> Input | None:
    """The newest committed checkpoint of any attempt of the job."""
    newest = (
        ArtifactRecord.select()
        .join(AttemptRecord)
        .where(
            AttemptRecord.job == job.id,
            ArtifactRecord.name.startswith(f"{CHECKPOINT}:"),
            ArtifactRecord.committed_at > 0,
        )
        .order_by(ArtifactRecord.committed_at.desc(), ArtifactRecord.id.desc())
        .first()
    )
    return None if newest is None else Input(name="resume", kind=CHECKPOINT, files=_refs(newest.files))


def _refs(files: list[dict[str, Any]]) -> tuple[FileRef, ...]:
    return tuple(FileRef(one["path"], one["sha256"], one["size"]) for one in files)
