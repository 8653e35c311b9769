"""Finding things by a part of their name, among all that a reader may see. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services.access import projects
from control_plane.store.datasets import DatasetRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord

SHOWN = 6  # of each kind


@dataclass(frozen=True)
class Found:
    """Something of this kind (dataset, job, model, evaluation, deployment, machine)."""

    kind: str
    id: int | str
    name: str


def find(actor: Actor, cp: ControlPlane, project: str, text: str) -> list[Found]:
    """What of the project, and which machines, have `text` in their names, or in the number of a job; newest first.

    At most SHOWN of each kind, whatever the case of letters. Empty for an empty text. Raises NotFound, Denied.
    """
    place = projects.get(actor, cp, project)
    text = text.strip()[:64]
    if not text:
        return []
    kinds: tuple[tuple[str, str, Any, Any, Any], ...] = (
        ("dataset", "dataset.see", _of(DatasetRecord, place.id), DatasetRecord.id, DatasetRecord.name),
        ("job", "job.see", _of(JobRecord, place.id), JobRecord.id, JobRecord.name),
        ("model", "model.see", _of(ModelRecord, place.id), ModelRecord.id, ModelRecord.name),
        ("evaluation", "evaluation.see", _evaluations(place.id), EvaluationRecord.id, JobRecord.name),
        ("deployment", "deployment.see", _of(DeploymentRecord, place.id), DeploymentRecord.id, DeploymentRecord.name),
    )
    found = [
        Found(kind, number, name)
        for kind, permission, query, key, named in kinds
        if actor.may(permission, place.id)
        for number, name in _matching(query.select(key, named), key, named, text)
    ]
    if text.removeprefix("#").isdecimal() and actor.may("job.see", place.id):
        numbered = _of(JobRecord, place.id).where(JobRecord.id == min(int(text.removeprefix("#")), 2**53))
        found = [Found("job", job.id, job.name) for job in numbered] + found
    if actor.may("machine.see"):
        joined = MachineRecord.select(MachineRecord.id, MachineRecord.name).where(MachineRecord.removed_at == 0)
        found += [Found("machine", *row) for row in _matching(joined, MachineRecord.name, MachineRecord.name, text)]
    return found


def _of(record: Any, project_id: int) -> Any:
    return record.select().where(record.project == project_id)


def _evaluations(project_id: int) -> Any:
    """Evaluations have the names of their jobs."""
    joined = EvaluationRecord.select().join(JobRecord, on=(EvaluationRecord.job == JobRecord.id))
    return joined.where(EvaluationRecord.project == project_id)


def _matching(query: Any, key: Any, named: Any, text: str) -> list[tuple[int | str, str]]:
    wanted = fn.LOWER(named).contains(text.lower())  # the wildcards of LIKE among the text stand for themselves
    return list(query.where(wanted).order_by(key.desc()).limit(SHOWN).tuples())
