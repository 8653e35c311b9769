"""Evaluations: the scores of one evaluation job, and the verdict."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import scores
from control_plane.domain.errors import OutputUnreadable
from control_plane.domain.permissions import Actor, require
from control_plane.domain.scores import Scores
from control_plane.services import evaluation_rows, pins, references
from control_plane.services.access import projects
from control_plane.services.listeners import outbox
from control_plane.services.things.kinds import is_kept, kept
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord

_SLICE = 1 << 20  # bytes


@dataclass(frozen=True)
class Scored:
    """An evaluation as it was read, and the blobs that hold its rows and where they are."""

    scores: Scores
    candidate: str  # the inputs that it compares and asks, as the manifest declares them
    baseline: str
    dataset: str
    rows_sha256: str
    index_sha256: str


def read(
    cp: ControlPlane, promised: Mapping[str, Mapping[str, Any]], committed: Mapping[str, ArtifactRecord]
) -> Scored | None:
    """The evaluation among the committed artifacts, if one is promised; called outside every transaction.

    The index is stored as a blob: the caller holds blobs. Raises OutputUnreadable.
    """
    name = next((name for name, output in promised.items() if output["kind"] == "evaluation"), None)
    if name is None:
        return None
    file = next((one for one in committed[name].files if one["path"].endswith(".json")), None)
    if file is None:
        raise OutputUnreadable(output=name, problem="evaluation.json")
    if file["size"] > cp.settings.max_evaluation_bytes:
        raise OutputUnreadable(output=name, problem=f"{file['size']} > {cp.settings.max_evaluation_bytes} bytes")
    try:
        with cp.blobs.open(file["sha256"]) as source:
            found = scores.read(iter(lambda: source.read(_SLICE), b""), cp.settings.max_evaluation_rows)
    except ValueError as problem:
        raise OutputUnreadable(output=name, problem=str(problem)[:500]) from problem
    edges = promised[name]
    return Scored(
        scores=found,
        candidate=edges["candidate"],
        baseline=edges.get("baseline", ""),
        dataset=edges["dataset"],
        rows_sha256=file["sha256"],
        index_sha256=evaluation_rows.store(cp, found),
    )


def register(cp: ControlPlane, job: JobRecord, scored: Scored | None) -> EvaluationRecord | None:
    """Record an evaluation job's outcome. Called inside the transaction of the job's success."""
    if scored is None:
        return None
    found = scored.scores
    evaluation = EvaluationRecord.create(
        project=job.project_id,
        job=job,
        dataset_version=pins.given(job, scored.dataset),
        candidate=pins.given(job, scored.candidate),
        baseline=pins.given(job, scored.baseline),
        primary_metric=found.primary_metric,
        verdict=found.verdict,
        scores=found.scores,
        differences=found.differences,
        seconds=found.seconds,
        answer_limit=found.answer_limit,
        cut=found.cut,
        rows_sha256=scored.rows_sha256,
        index_sha256=scored.index_sha256,
        row_count=len(found.rows.numbers),
        created_at=cp.clock(),
    )
    subject = {"kind": "evaluation", "id": evaluation.id, "name": job.name, "title": job.title}
    said = {"verdict": found.verdict, "metric": found.primary_metric, "job": job.id}
    outbox.tell(cp, "evaluation.judged", job.project_id, subject, said)
    references.add(cp, references.EVALUATION, evaluation.id, [scored.rows_sha256, scored.index_sha256])
    return evaluation


def list_evaluations(
    actor: Actor, cp: ControlPlane, project: str, limit: int = 500, offset: int = 0
) -> list[EvaluationRecord]:
    """A page of a project's evaluations, newest first. Raises NotFound, Denied."""
    query = _listed(actor, cp, project)
    return list(query.order_by(EvaluationRecord.id.desc()).limit(min(limit, 500)).offset(max(0, offset)))


def count(actor: Actor, cp: ControlPlane, project: str) -> int:
    """How many evaluations a project has. Raises NotFound, Denied."""
    return int(_listed(actor, cp, project).count())


def _listed(actor: Actor, cp: ControlPlane, project: str) -> Any:
    """Those whose job is not in the trash: an evaluation hangs together with it."""
    project_id = projects.get(actor, cp, project, "evaluation.see").id
    joined = EvaluationRecord.select(EvaluationRecord).join(JobRecord, on=(EvaluationRecord.job == JobRecord.id))
    return joined.where(EvaluationRecord.project == project_id, is_kept(JobRecord))


def of_ids(actor: Actor, cp: ControlPlane, project_id: int, ids: Collection[int]) -> dict[int, EvaluationRecord]:
    """A project's evaluations with these ids, by id, without what is in the trash. Raises NotFound, Denied."""
    require(actor, "evaluation.see", project_id)
    if not ids:
        return {}
    joined = EvaluationRecord.select(EvaluationRecord).join(JobRecord, on=(EvaluationRecord.job == JobRecord.id))
    wanted = joined.where(EvaluationRecord.project == project_id, EvaluationRecord.id.in_(sorted(ids)))
    return {int(one.id): one for one in wanted.where(is_kept(JobRecord))}


def get(actor: Actor, cp: ControlPlane, evaluation_id: int) -> EvaluationRecord:
    """One evaluation. Raises NotFound, Denied, InTrash where its job or project is there."""
    evaluation: EvaluationRecord = projects.inside(actor, EvaluationRecord, evaluation_id, "evaluation.see")
    kept(JobRecord.get_by_id(evaluation.job_id))
    return evaluation
