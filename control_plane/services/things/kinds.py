"""The kinds of things that have a title, a description and tags, and that can be put into the trash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from peewee import Expression, fn

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, InTrash, NotFound
from control_plane.domain.permissions import Actor, require
from control_plane.store.datasets import DatasetRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.prompts import PromptRecord
from control_plane.store.rewards import RewardRecord
from control_plane.store.things import Thing
from control_plane.store.workflows import WorkflowRecord, WorkflowRunRecord

DATASET, MODEL, JOB, DEPLOYMENT, PROJECT = "dataset", "model", "job", "deployment", "project"
WORKFLOW, PROMPT, REWARD = "workflow", "prompt", "reward"


@dataclass(frozen=True)
class Kind:
    """A kind of thing."""

    record: type[Thing]
    has_names_once: bool  # in its project: then what is restored may find its name taken


KINDS: dict[str, Kind] = {
    DATASET: Kind(DatasetRecord, True),
    MODEL: Kind(ModelRecord, False),
    JOB: Kind(JobRecord, False),
    DEPLOYMENT: Kind(DeploymentRecord, True),
    WORKFLOW: Kind(WorkflowRecord, True),
    PROMPT: Kind(PromptRecord, True),
    REWARD: Kind(RewardRecord, True),
    PROJECT: Kind(ProjectRecord, True),
}


def kind_of(thing: Thing) -> str:
    """dataset, model, job, deployment, workflow, prompt, reward or project."""
    return next(name for name, kind in KINDS.items() if isinstance(thing, kind.record))


def project_of(thing: Any) -> int:
    """The id of the project that a thing is in, or is."""
    return int(thing.id if isinstance(thing, ProjectRecord) else thing.project_id)


def subject_of(thing: Any) -> str:
    """What the audit calls it."""
    return f"{kind_of(thing)}:{thing.id}"


def place_of(thing: Any) -> tuple[str, int]:
    """What the audit is told: what it is, and in which project."""
    return subject_of(thing), project_of(thing)


def find(actor: Actor, kind: str, number: int, permission: str) -> Any:
    """A thing, kept or in the trash, if the actor has `<kind>.<permission>` where it is.

    Raises FieldInvalid for a kind that is none; NotFound, also for what was deleted for good and for what is in a
    project that is in the trash; Denied.
    """
    if kind not in KINDS:
        raise FieldInvalid(field="kind", problem=", ".join(KINDS))
    record: Any = KINDS[kind].record
    thing = record.get_or_none(record.id == number) if -(2**63) <= number < 2**63 else None
    if thing is None or thing.purged_at:
        raise NotFound
    require(actor, f"{kind}.{permission}", project_of(thing))
    if kind != PROJECT:
        kept(ProjectRecord.get_by_id(thing.project_id))
    return thing


def kept(thing: Any) -> Any:
    """The thing itself. Raises InTrash where it is in the trash, NotFound where it was deleted for good."""
    if thing.purged_at:
        raise NotFound
    if thing.deleted_at:
        raise InTrash(name=thing.label, kind=kind_of(thing), id=thing.id)
    return thing


def is_kept(record: Any) -> Expression:
    """The condition of SQL that something is not in the trash."""
    condition: Expression = record.deleted_at == 0.0
    return condition


def has_tag(record: Any, tag: str) -> Expression:
    """The condition of SQL that something bears a tag, whatever the case of its letters; any tag for an empty one."""
    condition: Expression = fn.LOWER(record.tags).contains(f'"{tag.strip().lower()}"')
    return condition


def bears(record: Any, text: str) -> Expression:
    """The condition of SQL that a text is a part of a name or a title, whatever the case of ASCII's letters."""
    wanted = text.lower()[:64]  # the wildcards of LIKE among it stand for themselves
    condition: Expression = fn.LOWER(record.name).contains(wanted) | fn.LOWER(record.title).contains(wanted)
    return condition


def tags_of(kind: str, project_id: int) -> list[str]:
    """The tags that things of a kind have in a project, in the order of their letters."""
    record: Any = KINDS[kind].record
    tagged = (record.project == project_id) & is_kept(record) & (fn.LOWER(record.tags) != "[]")
    query = record.select(record.tags).where(tagged)
    return sorted({str(tag) for thing in query.distinct() for tag in thing.tags})


def write(thing: Any, **columns: Any) -> None:
    """Write columns of a thing; whoever watches it sees a new version. Called inside a transaction."""
    record: Any = type(thing)
    if hasattr(record, "version"):
        columns["version"] = record.version + 1
    record.update(**columns).where(record.id == thing.id).execute()


def wake(cp: ControlPlane, thing: Any) -> None:
    """Tell who looks at a thing, or at its project, or is told of it, that it has changed; once that can be read."""
    told = (f"notifications:{user_id}" for user_id in _told_of(thing))
    cp.signals.wake(subject_of(thing), f"project:{project_of(thing)}", *told)


def _told_of(thing: Any) -> set[str]:
    """The ids of the users among whose notifications the thing is, or something that is in it."""
    if isinstance(thing, JobRecord):
        return {str(thing.created_by)}
    if isinstance(thing, ModelRecord):  # they are told that it waits for their decision
        scored = EvaluationRecord.select(EvaluationRecord.job).where(EvaluationRecord.candidate == thing.id)
        return {str(job.created_by) for job in JobRecord.select(JobRecord.created_by).where(JobRecord.id.in_(scored))}
    if isinstance(thing, ProjectRecord):
        of_jobs = JobRecord.select(JobRecord.created_by).where(JobRecord.project == thing.id).distinct()
        of_runs = WorkflowRunRecord.select(WorkflowRunRecord.created_by).where(WorkflowRunRecord.project == thing.id)
        return {str(one.created_by) for one in of_jobs} | {str(one.created_by_id) for one in of_runs.distinct()}
    return set()
