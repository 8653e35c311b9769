"""Finding things by a part of their name, among all that a reader may see. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services.access import projects
from control_plane.services.things.kinds import bears, is_kept
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
    title: str = ""  # what it is called beside its name


def find(actor: Actor, cp: ControlPlane, project: str, text: str) -> list[Found]:
    """What of the project, and which machines, have `text` in their names or titles, or in the number of a job.

    The newest first, at most SHOWN of each kind, whatever the case of letters. Empty for an empty text.

    Raises NotFound, Denied.
    """
    place = projects.get(actor, cp, project)
    text = text.strip()[:64]
    if not text:
        return []
    kinds: tuple[tuple[str, Any, Any, Any], ...] = (
        ("dataset", _of(DatasetRecord, place.id), DatasetRecord.id, DatasetRecord),
        ("job", _of(JobRecord, place.id), JobRecord.id, JobRecord),
        ("model", _of(ModelRecord, place.id), ModelRecord.id, ModelRecord),
        ("evaluation", _evaluations(place.id), EvaluationRecord.id, JobRecord),
        ("deployment", _of(DeploymentRecord, place.id), DeploymentRecord.id, DeploymentRecord),
    )
    found = [
        Found(kind, number, name, title)
        for kind, query, key, named in kinds
        if actor.may(f"{kind}.see", place.id)
        for number, name, title in _matching(query.select(key, named.name, named.title), bears(named, text), key)
    ]
    if text.removeprefix("#").isdecimal() and actor.may("job.see", place.id):
        numbered = _of(JobRecord, place.id).where(JobRecord.id == min(int(text.removeprefix("#")), 2**53))
        found = [Found("job", job.id, job.name, job.title) for job in numbered] + found
    if actor.may("machine.see"):
        joined = MachineRecord.select(MachineRecord.id, MachineRecord.name).where(MachineRecord.removed_at == 0)
        wanted = fn.LOWER(MachineRecord.name).contains(text.lower())
        found += [Found("machine", *row) for row in _matching(joined, wanted, MachineRecord.name)]
    return found


def _of(record: Any, project_id: int) -> Any:
    return record.select().where(record.project == project_id, is_kept(record))


def _evaluations(project_id: int) -> Any:
    """Evaluations have the names of their jobs, and are in the trash with them."""
    joined = EvaluationRecord.select().join(JobRecord, on=(EvaluationRecord.job == JobRecord.id))
    return joined.where(EvaluationRecord.project == project_id, is_kept(JobRecord))


def _matching(query: Any, wanted: Any, key: Any) -> list[tuple[Any, ...]]:
    return list(query.where(wanted).order_by(key.desc()).limit(SHOWN).tuples())
