"""What a job would be before it is a row: checked, and with all that it pins.

Submitting makes the row at once; a workflow run first looks whether a job with the very same pins has succeeded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    AdapterNotMergeable,
    HeldOutMissing,
    InputMissing,
    InputUnfit,
    InputUnknown,
    LearntFromHeldOut,
    MethodUnknown,
    NotFound,
    ParameterInvalid,
    code_of,
)
from control_plane.domain.forms import ON_A_MODEL
from control_plane.domain.lifecycle import SUCCEEDED
from control_plane.domain.manifest import Input, Manifest
from control_plane.domain.names import checked
from control_plane.domain.permissions import Actor, require
from control_plane.domain.policies import Policy
from control_plane.services import estimates, methods, models, pins, transitions
from control_plane.services.access import projects
from control_plane.services.datasets import overlap, versions
from control_plane.services.things.kinds import is_kept
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sweeps import SweepRecord
from control_plane.store.workflows import WorkflowRunRecord

_LARGEST_SEED = 2**63 - 1
_MOST_NAMED = 10  # rows that a refusal names


@dataclass(frozen=True)
class Asked:
    """A job as it was asked for, checked, with all that it pins; not a row yet."""

    project: ProjectRecord
    method_version: MethodVersionRecord
    kind: str
    name: str
    parameters: dict[str, Any]  # complete
    inputs: dict[str, dict[str, Any]]  # pinned
    seed: int
    memory_bytes: int
    disk_bytes: int
    estimate: dict[str, float]  # {"memory", "work"} as domain/estimates.py has them, uncorrected; empty where unknown


def check(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    method: str,
    name: str = "",
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, int | Mapping[str, Any]] | None = None,
    seed: int = 42,
) -> Asked:
    """What a job with these would be, if this actor may ask for it.

    Raises NotFound, Denied, NameInvalid, MethodUnknown, ParameterUnknown, ParameterInvalid, InputMissing, InputUnknown,
    InputUnfit, AdapterNotMergeable, HeldOutMissing, LearntFromHeldOut.
    """
    place = projects.get(actor, cp, project, "job.submit")
    version = methods.get(actor, cp, method)
    manifest = methods.manifest(version)
    if manifest.kind == "import":
        require(actor, "model.import", place.id)
    complete = methods.check_parameters(manifest, parameters or {})
    pinned = _pin(actor, cp, place, manifest, inputs or {})
    _check_seed(seed)
    _refuse_learnt(cp, manifest, pinned)
    guess = estimates.bare(manifest, complete, pinned)
    return Asked(
        project=place,
        method_version=version,
        kind=manifest.kind,
        name=checked(name or _title(manifest, pinned)),
        parameters=complete,
        inputs=pinned,
        seed=seed,
        memory_bytes=estimates.corrected(manifest, guess) if guess else manifest.memory_estimate(_model_bytes(pinned)),
        disk_bytes=manifest.resources.disk_bytes,
        estimate={"memory": guess.memory, "work": guess.work} if guess else {},
    )


def create(
    actor: Actor,
    cp: ControlPlane,
    asked: Asked,
    policy: Policy = Policy(),  # noqa: B008  # it is frozen
    idempotency_key: str = "",
    workflow_run: WorkflowRunRecord | None = None,
    sweep: SweepRecord | None = None,
) -> JobRecord:
    """The row of a checked job, queued. Called inside a transaction; whoever calls wakes its topics afterwards.

    Raises what `refuse_gone` raises.
    """
    refuse_gone(asked)
    return transitions.create_job(
        actor,
        cp,
        **vars(asked),
        **(asdict(policy) | {"time_limit": _time_limit(cp, asked.kind, policy)}),
        waiting_code="not_before" if policy.not_before > cp.clock() else "not_planned",
        idempotency_key=idempotency_key[:100] or None,
        workflow_run=workflow_run,
        sweep=sweep,
    )


def refuse_gone(asked: Asked) -> None:
    """Let pass a checked job whose method and inputs nobody has deleted since; called inside its transaction.

    Raises MethodUnknown, InTrash, NotFound.
    """
    pins.refuse_gone(asked.project.id, asked.inputs.values())
    method = methods.of_version(asked.method_version.id)
    if method.state == methods.DELETED != asked.method_version.state:
        raise MethodUnknown(method=method.name)


def _time_limit(cp: ControlPlane, kind: str, policy: Policy) -> float:
    """Seconds that an attempt may run; 0: without a limit."""
    if policy.time_limit is not None:
        return policy.time_limit
    return cp.settings.import_seconds if kind == "import" else 0.0


def earlier(asked: Asked) -> JobRecord | None:
    """The newest job that has succeeded with the very same pins: method version, parameters, inputs and seed.

    Not one that is in the trash, and not one of whose models is.
    """
    deleted = ModelRecord.select(ModelRecord.job).where(ModelRecord.project == asked.project.id, ~is_kept(ModelRecord))
    same = JobRecord.select().where(
        JobRecord.project == asked.project.id,
        JobRecord.method_version == asked.method_version.id,
        JobRecord.parameters == asked.parameters,
        JobRecord.inputs == asked.inputs,
        JobRecord.seed == asked.seed,
        JobRecord.state == SUCCEEDED,
        is_kept(JobRecord),
        JobRecord.id.not_in(deleted),
    )
    found: JobRecord | None = same.order_by(JobRecord.id.desc()).first()
    return found


def check_dataset(wanted: Input, version: DatasetVersionRecord) -> None:
    """Whether a dataset version is what an input takes. Raises InputUnfit, HeldOutMissing."""
    if version.format not in wanted.accepts:
        raise InputUnfit(input=wanted.name, accepted=list(wanted.accepts), given=version.format)
    if wanted.held_out and not version.test_sha256:
        raise HeldOutMissing


def _title(manifest: Manifest, pinned: Mapping[str, Mapping[str, Any]]) -> str:
    """What a job is called that nobody named: after its data or its model, else after its method."""
    if manifest.lesson in pinned:
        version = DatasetVersionRecord.get_by_id(pinned[manifest.lesson]["id"])
        return manifest.title_after(str(DatasetRecord.get_by_id(version.dataset_id).name))
    if manifest.subject in pinned:
        return manifest.title_after(str(ModelRecord.get_by_id(pinned[manifest.subject]["id"]).name))
    return manifest.name.replace("_", "-")


def _check_seed(seed: int) -> None:
    if not 0 <= seed <= _LARGEST_SEED:
        raise ParameterInvalid(parameter="seed", problem=f"0 … {_LARGEST_SEED}")


def _pin(
    actor: Actor,
    cp: ControlPlane,
    project: ProjectRecord,
    manifest: Manifest,
    inputs: Mapping[str, int | Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Each given input with its id and content hash, checked against what the method takes."""
    for name in inputs:
        if name not in manifest.inputs:
            raise InputUnknown(method=manifest.name, input=name)
    pinned = {}
    for name, wanted in manifest.inputs.items():
        if name not in inputs:
            if wanted.required:
                raise InputMissing(input=name)
            continue
        given = inputs[name]
        number = given if isinstance(given, int) else int(given["id"])
        if not isinstance(given, int) and given.get("kind", wanted.kind) != wanted.kind:
            raise InputUnfit(input=name, accepted=wanted.kind, given=given["kind"])
        pin = _pin_model if wanted.kind == "model" else _pin_dataset
        pinned[name] = {"kind": wanted.kind} | pin(actor, cp, project, manifest, wanted, number)
    return pinned


def _pin_model(
    actor: Actor, cp: ControlPlane, project: ProjectRecord, manifest: Manifest, wanted: Input, number: int
) -> dict[str, Any]:
    model = models.get(actor, cp, number)
    if model.project_id != project.id:
        raise NotFound
    if model.form not in wanted.accepts:
        raise InputUnfit(input=wanted.name, accepted=list(wanted.accepts), given=model.form)
    if manifest.kind == "export" and model.card.get("packaging_problem") == code_of(AdapterNotMergeable):
        raise AdapterNotMergeable(model=model.name, input=wanted.name)
    return {"id": model.id, "hash": model.hash}


def _pin_dataset(
    actor: Actor, cp: ControlPlane, project: ProjectRecord, manifest: Manifest, wanted: Input, number: int
) -> dict[str, Any]:
    version = versions.get_version(actor, cp, number)
    if DatasetRecord.get_by_id(version.dataset_id).project_id != project.id:
        raise NotFound
    check_dataset(wanted, version)
    return {"id": version.id, "hash": version.hash}


def _refuse_learnt(cp: ControlPlane, manifest: Manifest, pinned: Mapping[str, Mapping[str, Any]]) -> None:
    """Let no evaluation ask what one of its models has learnt by heart from another dataset. Raises LearntFromHeldOut.

    What a model was made from has taught it, too. Of one and the same version, the held-out rows were never among the
    training rows.
    """
    if manifest.kind != "evaluate":
        return
    asked = [DatasetVersionRecord.get_by_id(pin["id"]) for pin in pinned.values() if pin["kind"] == "dataset"]
    for pin in (pin for pin in pinned.values() if pin["kind"] == "model"):
        for learnt, version in ((one, other) for one in models.taught(pin["id"]) for other in asked if other != one):
            if rows := overlap.shared(cp, learnt, version):
                dataset, model = DatasetRecord.get_by_id(version.dataset_id), ModelRecord.get_by_id(pin["id"])
                named = list(rows[:_MOST_NAMED])
                raise LearntFromHeldOut(count=len(rows), dataset=dataset.name, model=model.name, rows=named)


def _model_bytes(pinned: Mapping[str, Mapping[str, Any]]) -> int:
    """The bytes of all model inputs' files, an adapter's base among them; a model that two inputs share counts once."""
    needed: dict[int, int] = {}
    pending = [pin["id"] for pin in pinned.values() if pin["kind"] == "model"]
    while pending:
        model = ModelRecord.get_by_id(pending.pop())
        needed[model.id] = model.size
        if model.form in ON_A_MODEL:
            pending.append(model.base_id)
    return sum(needed.values())
