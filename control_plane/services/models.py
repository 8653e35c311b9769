"""Models: what jobs made. A model comes into being with its job's success, in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.documents import parse
from control_plane.domain.errors import OutputUnreadable
from control_plane.domain.forms import ON_A_MODEL
from control_plane.domain.permissions import Actor, require
from control_plane.services import pins
from control_plane.services.access import projects
from control_plane.services.datasets import versions
from control_plane.services.things.kinds import has_tag, is_kept, kept
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.models import ModelRecord

CARD = "model.json"
MOST_LISTED = 500
MADE = "made"  # what `list_models` takes for: every form but base
_LARGEST_CARD = 1 << 16  # bytes
# what a page or a script may rely on, where it is stated at all
_CARD: Mapping[str, type | tuple[type, ...]] = {
    "architecture": str,
    "parameter_count": (int, float),
    "context_length": int,
    "has_chat_template": bool,
    "licence": str,
    "dtype": str,
    "packaging_problem": str,
    "source": dict,
    "shape": dict,
}


@dataclass(frozen=True)
class Made:
    """A model output as it was read: committed, but not registered yet."""

    output: str
    form: str
    source: str  # the input that it starts from, as the manifest declares it, or ""
    dataset: str  # the input that it learnt from, or ""
    artifact: ArtifactRecord
    facts: dict[str, Any]  # model.json


@dataclass(frozen=True)
class Lineage:
    """Where a model is from, and what became of it."""

    model: ModelRecord
    dataset: DatasetRecord | None
    dataset_version: DatasetVersionRecord | None
    base: ModelRecord | None
    origin: ModelRecord | None  # what a packaged model was made from
    job: JobRecord  # that made it
    evaluations: list[EvaluationRecord]
    packaged: list[ModelRecord]
    deployments: list[DeploymentRecord]  # of this model and of what was packaged from it


@dataclass(frozen=True)
class _Family:
    """What was trained, and all that a lineage of it or of one packaged model shows."""

    trained: ModelRecord
    jobs: dict[int, JobRecord]  # that made the two, by id
    learnt: tuple[DatasetRecord, DatasetVersionRecord] | None
    near: dict[
        int | None, ModelRecord
    ]  # what they rest on and were packaged from, and what was packaged from them, by id
    packaged: list[ModelRecord]
    evaluations: list[EvaluationRecord]
    deployments: list[DeploymentRecord]


def read(
    cp: ControlPlane, promised: Mapping[str, Mapping[str, Any]], committed: Mapping[str, ArtifactRecord]
) -> list[Made]:
    """The model outputs among the committed artifacts. Raises OutputUnreadable."""
    return [
        Made(
            name,
            output["form"],
            output.get("from", ""),
            output.get("dataset", ""),
            committed[name],
            _facts(cp, name, output["form"], committed[name]),
        )
        for name, output in promised.items()
        if output["kind"] == "model"
    ]


def _facts(cp: ControlPlane, name: str, form: str, artifact: ArtifactRecord) -> dict[str, Any]:
    card = next((file for file in artifact.files if file["path"] == CARD), None)
    if card is None or card["size"] > _LARGEST_CARD:
        raise OutputUnreadable(output=name, problem=CARD)
    try:
        with cp.blobs.open(card["sha256"]) as source:
            facts = parse(source.read())
    except ValueError as problem:
        raise OutputUnreadable(output=name, problem=f"{CARD}: {problem}") from problem
    if not isinstance(facts, dict) or facts.get("form") != form:
        raise OutputUnreadable(output=name, problem=f"{CARD}: form ≠ {form}")
    for fact, kind in _CARD.items():
        if facts.get(fact) is not None and not isinstance(facts[fact], kind):
            raise OutputUnreadable(output=name, problem=f"{CARD}: {fact}")
    return facts


def register(cp: ControlPlane, job: JobRecord, attempt: AttemptRecord, made: list[Made]) -> list[ModelRecord]:
    """Record what a job made. Called inside the transaction of the job's success.

    A model is called like its job; of several outputs each adds its own name.
    """
    return [
        _record(cp, job, attempt, one, job.name if len(made) == 1 else f"{job.name}-{one.output}"[:64]) for one in made
    ]


def _record(cp: ControlPlane, job: JobRecord, attempt: AttemptRecord, one: Made, name: str) -> ModelRecord:
    """The model, with the edges of its lineage as the manifest declares them."""
    rests_on, taught = pins.given(job, one.source), pins.given(job, one.dataset)
    source = ModelRecord.get_by_id(rests_on) if rests_on else None
    return ModelRecord.create(
        project=job.project_id,
        name=name,
        form=one.form,
        job=job,
        artifact=one.artifact,
        base=_base(one.form, source),
        origin=source if job.kind == "export" else None,
        dataset_version=taught,
        hash=one.artifact.hash,
        size=one.artifact.size,
        card=one.facts | _learnt(taught, source) | {"pins": pins.of(job, attempt)},
        created_at=cp.clock(),
    )


def _learnt(version_id: int | None, source: ModelRecord | None) -> dict[str, Any]:
    """{"learnt": {"rows", "generated"}}: how many rows the model learnt from, and how many of them a model had made.

    What is made from another model without a training has that one's; empty where nothing was learnt.
    """
    if version_id is None:
        return {"learnt": source.card["learnt"]} if source and "learnt" in source.card else {}
    version = DatasetVersionRecord.get_by_id(version_id)
    return {"learnt": {"rows": version.train_rows, "generated": version.facts.get("generated", 0)}}


def list_models(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    form: str = "",
    limit: int = MOST_LISTED,
    offset: int = 0,
    tag: str = "",
) -> list[ModelRecord]:
    """A page of a project's models, newest first: of one form, of all but base models (MADE), or of all.

    With a tag, those that bear it. Raises NotFound, Denied.
    """
    query = _listed(actor, cp, project, form, tag)
    return list(query.order_by(ModelRecord.id.desc()).limit(min(limit, MOST_LISTED)).offset(max(0, offset)))


def count(actor: Actor, cp: ControlPlane, project: str, form: str = "", tag: str = "") -> int:
    """How many models `list_models` has on all its pages. Raises NotFound, Denied."""
    return int(_listed(actor, cp, project, form, tag).count())


def choices(
    actor: Actor, cp: ControlPlane, project: str, forms: Collection[str], chosen: int = 0
) -> tuple[list[ModelRecord], int]:
    """What a form offers: a project's newest models of these forms and, however old, the one already chosen.

    With how many there are of these forms in all. Raises NotFound, Denied.
    """
    project_id = projects.get(actor, cp, project, "model.see").id
    query = _of_project(project_id).where(ModelRecord.form.in_(list(forms)))
    newest = list(query.order_by(ModelRecord.id.desc()).limit(MOST_LISTED))
    if len(newest) < MOST_LISTED:
        return newest, len(newest)
    older = [] if any(one.id == chosen for one in newest) else list(query.where(ModelRecord.id == chosen))
    return newest + older, int(query.count())


def _of_project(project_id: int) -> Any:
    return ModelRecord.select().where(ModelRecord.project == project_id, is_kept(ModelRecord))


def _listed(actor: Actor, cp: ControlPlane, project: str, form: str, tag: str) -> Any:
    query = _of_project(projects.get(actor, cp, project, "model.see").id)
    if tag:
        query = query.where(has_tag(ModelRecord, tag))
    if form == MADE:
        return query.where(ModelRecord.form != "base")
    return query.where(ModelRecord.form == form) if form else query


def get(actor: Actor, cp: ControlPlane, model_id: int) -> ModelRecord:
    """One model. Raises NotFound, InTrash, Denied."""
    model = named(actor, cp, model_id)
    kept(model)
    return model


def named(actor: Actor, cp: ControlPlane, model_id: int) -> ModelRecord:
    """A model, in the trash or not: what was made from it, or scored it, names it for good. Raises NotFound, Denied."""
    model: ModelRecord = projects.inside(actor, ModelRecord, model_id, "model.see")
    return model


def learnt_from(actor: Actor, cp: ControlPlane, model_id: int) -> int | None:
    """The id of the dataset version that a model, however it is packed, was trained on; None for a base model.

    Raises NotFound, Denied.
    """
    return _trained(named(actor, cp, model_id)).dataset_version_id


def _trained(model: ModelRecord) -> ModelRecord:
    """The model that a packaged one was made from, however often it was packed; else the model itself."""
    while model.origin_id:
        model = ModelRecord.get_by_id(model.origin_id)
    return model


def taught(model_id: int) -> list[DatasetVersionRecord]:
    """Every version that a model, or one that it was made from in any way, was trained on."""
    seen, next_ones, numbers = set[int](), {model_id}, set[int]()
    while next_ones:
        seen |= next_ones
        query = ModelRecord.select(ModelRecord, JobRecord).join(JobRecord, on=(ModelRecord.job == JobRecord.id))
        made = list(query.where(ModelRecord.id.in_(sorted(next_ones)), ModelRecord.form != "base"))
        numbers |= {int(one.dataset_version_id) for one in made if one.dataset_version_id}
        inputs = {int(pin["id"]) for one in made for pin in one.job.inputs.values() if pin["kind"] == "model"}
        next_ones = (inputs | {number for one in made for number in (one.base_id, one.origin_id) if number}) - seen
    return list(DatasetVersionRecord.select().where(DatasetVersionRecord.id.in_(sorted(numbers)))) if numbers else []


def lineage(actor: Actor, cp: ControlPlane, model_id: int) -> Lineage:
    """Where a model is from and what became of it; packaged models are traced to the training they came from.

    Of what was made from it, what is in the trash is left out. Raises NotFound, InTrash, Denied.
    """
    model = get(actor, cp, model_id)
    return _lineage(_family(model), model)


def lineages(actor: Actor, cp: ControlPlane, model_id: int) -> tuple[Lineage, Lineage]:
    """The lineage of a model and that of the training it came from, its own where it was not packaged; read together.

    Also of a model in the trash, as an evaluation names it. Raises NotFound, Denied.
    """
    model = named(actor, cp, model_id)
    family = _family(model)
    own = _lineage(family, model)
    return own, own if model.id == family.trained.id else _lineage(family, family.trained)


def _family(model: ModelRecord) -> _Family:
    trained = _trained(model)
    both = sorted({model.id, trained.id})
    named_by = [one for one in (model.base_id, trained.base_id, model.origin_id) if one]
    kin = ModelRecord.select().where(
        (ModelRecord.origin.in_(both) & is_kept(ModelRecord)) | ModelRecord.id.in_(named_by)
    )
    near: dict[int | None, ModelRecord] = {one.id: one for one in kin.order_by(ModelRecord.id)}
    packaged = [one for one in near.values() if one.origin_id in both and not one.deleted_at]
    served = sorted({*both, *(one.id for one in packaged)})
    made_by = JobRecord.select().where(JobRecord.id.in_(sorted({model.job_id, trained.job_id})))
    scored = EvaluationRecord.select(EvaluationRecord).join(JobRecord, on=(EvaluationRecord.job == JobRecord.id))
    scored = scored.where(EvaluationRecord.candidate.in_(both), is_kept(JobRecord))
    serving = DeploymentRecord.select().where(DeploymentRecord.model.in_(served), is_kept(DeploymentRecord))
    return _Family(
        trained=trained,
        jobs={job.id: job for job in made_by},
        learnt=versions.with_dataset(trained.dataset_version_id) if trained.dataset_version_id else None,
        near=near,
        packaged=packaged,
        evaluations=list(scored.order_by(EvaluationRecord.id)),
        deployments=list(serving.order_by(DeploymentRecord.id)),
    )


def _lineage(family: _Family, model: ModelRecord) -> Lineage:
    """That of `model`, which is what was trained or what was packaged from it."""
    packaged = [one for one in family.packaged if one.origin_id == model.id]
    tested, served = {model.id, family.trained.id}, {model.id, *(one.id for one in packaged)}
    return Lineage(
        model=model,
        dataset=family.learnt[0] if family.learnt else None,
        dataset_version=family.learnt[1] if family.learnt else None,
        base=family.near.get(model.base_id),
        origin=family.near.get(model.origin_id),
        job=family.jobs[model.job_id],
        evaluations=[one for one in family.evaluations if one.candidate_id in tested],
        packaged=packaged,
        deployments=[one for one in family.deployments if one.model_id in served],
    )


def artifact_of(actor: Actor, cp: ControlPlane, model: ModelRecord) -> ArtifactRecord:
    """The files of a model. Raises Denied."""
    require(actor, "model.see", model.project_id)
    found: ArtifactRecord = ArtifactRecord.get_by_id(model.artifact_id)
    return found


def _base(form: str, source: ModelRecord | None) -> int | None:
    """What a new model rests on: the weights a small addition was trained on, the base model of everything else."""
    if source is None:
        return None
    rests_on_source = source.form == "base" or (form in ON_A_MODEL and source.form == "merged")
    return int(source.id) if rests_on_source else source.base_id
