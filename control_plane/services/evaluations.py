"""Evaluations: the scores of one evaluation job, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import scores
from control_plane.domain.documents import parse
from control_plane.domain.errors import NotFound, OutputUnreadable
from control_plane.domain.permissions import Actor
from control_plane.domain.scores import BASELINE, CANDIDATE, Scores
from control_plane.services.access import projects
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord

_LARGEST = 256 << 20  # bytes


def read(
    cp: ControlPlane, promised: Mapping[str, Mapping[str, Any]], committed: Mapping[str, ArtifactRecord]
) -> Scores | None:
    """The evaluation among the committed artifacts, if one is promised. Raises OutputUnreadable."""
    name = next((name for name, output in promised.items() if output["kind"] == "evaluation"), None)
    if name is None:
        return None
    file = next((one for one in committed[name].files if one["path"].endswith(".json")), None)
    if file is None or file["size"] > _LARGEST:
        raise OutputUnreadable(output=name, problem="evaluation.json")
    try:
        with cp.blobs.open(file["sha256"]) as source:
            return scores.read(parse(source.read()))
    except ValueError as problem:
        raise OutputUnreadable(output=name, problem=str(problem)) from problem


def register(cp: ControlPlane, job: JobRecord, scored: Scores | None) -> EvaluationRecord | None:
    """Record an evaluation job's outcome. Called inside the transaction of the job's success."""
    if scored is None:
        return None
    models = {name: pin["id"] for name, pin in job.inputs.items() if pin["kind"] == "model"}
    dataset = next(pin["id"] for pin in job.inputs.values() if pin["kind"] == "dataset")
    return EvaluationRecord.create(
        project=job.project_id,
        job=job,
        dataset_version=dataset,
        candidate=models[CANDIDATE],
        baseline=models.get(BASELINE),
        created_at=cp.clock(),
        **asdict(scored),
    )


def list_evaluations(actor: Actor, cp: ControlPlane, project: str) -> list[EvaluationRecord]:
    """The evaluations of a project, newest first. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "evaluation.see").id
    query = EvaluationRecord.select().where(EvaluationRecord.project == project_id)
    return list(query.order_by(EvaluationRecord.id.desc()))


def get(actor: Actor, cp: ControlPlane, evaluation_id: int) -> EvaluationRecord:
    """One evaluation. Raises NotFound, Denied."""
    evaluation = EvaluationRecord.get_or_none(EvaluationRecord.id == evaluation_id)
    if evaluation is None:
        raise NotFound
    projects.of_id(actor, cp, evaluation.project_id, "evaluation.see")
    return evaluation
