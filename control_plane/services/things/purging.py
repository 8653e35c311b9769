"""What goes when a thing is deleted for good: its content and its words. The row stays, for what was made from it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from control_plane.context import ControlPlane
from control_plane.services import references, secrets
from control_plane.services.things import kinds
from control_plane.services.things.kinds import DATASET, DEPLOYMENT, JOB, KINDS, MODEL, PROMPT, REWARD, WORKFLOW
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.cases import CaseNoteRecord, CaseRecord
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.store.endpoints import EndpointRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptRecord, EventRecord, LogRecord
from control_plane.store.labelling import LabellingRecord
from control_plane.store.listeners import ListenerRecord
from control_plane.store.models import ModelRecord
from control_plane.store.points import CurveRecord
from control_plane.store.projects import MemberRecord, ProjectRecord
from control_plane.store.prompts import PromptVersionRecord
from control_plane.store.rewards import RewardDryRunRecord, RewardVersionRecord
from control_plane.store.sources import SourceRecord
from control_plane.store.triggers import TriggerRecord
from control_plane.store.workflows import WorkflowVersionRecord


@dataclass
class Gone:
    """What was deleted for good, and what is left to do once that can be read."""

    things: list[Any] = field(default_factory=list)
    attempts: list[int] = field(default_factory=list)  # whose logs may still be files
    members: list[int] = field(default_factory=list)  # users who were in a project


def content_of(cp: ControlPlane, thing: Any) -> Gone:
    """Take a thing's content away; called inside a transaction."""
    gone = Gone(things=[thing])
    _CONTENT[kinds.kind_of(thing)](thing, gone)
    kinds.write(thing, title="", description="", tags=[], purged_at=cp.clock())
    return gone


def project_itself(cp: ControlPlane, project: Any) -> Gone:
    """Take a project away from everybody; called inside a transaction. What is in it goes by `content_inside`."""
    gone = Gone(things=[project])
    for record in (DatasetDraftRecord, UploadRecord):  # on the next look at what is old they are forgotten
        record.update(touched_at=0.0).where(record.project == project.id).execute()
    with_secrets: tuple[Any, ...] = (ListenerRecord, EndpointRecord, TriggerRecord)
    for one in with_secrets:
        _remove_with_secrets(one, one.project == project.id)
    _cases(project)
    gone.members = [one.user_id for one in MemberRecord.select().where(MemberRecord.project == project.id)]
    MemberRecord.delete().where(MemberRecord.project == project.id).execute()
    kinds.write(project, title="", description="", tags=[], purged_at=cp.clock())
    return gone


def _cases(project: Any) -> None:
    """Delete the cases that were saved in a project, with their data and what people said of them."""
    saved = list(CaseRecord.select().where(CaseRecord.project == project.id))
    references.drop(references.CASE, [int(one.id) for one in saved])
    CaseNoteRecord.delete().where(CaseNoteRecord.case.in_([one.name for one in saved])).execute()
    CaseRecord.delete().where(CaseRecord.project == project.id).execute()


def count_inside(project: Any) -> int:
    """How many things in a project have their content still."""
    return sum(_inside(kind, project).count() for kind in _CONTENT)


def content_inside(cp: ControlPlane, project: Any, most: int) -> Gone:
    """Take away the content of so many things in a project at most; called inside a transaction."""
    gone = Gone()
    for kind in _CONTENT:
        for thing in _inside(kind, project).limit(most - len(gone.things)):
            one = content_of(cp, thing)
            kinds.write(thing, deleted_at=thing.deleted_at or project.deleted_at)
            gone.things += one.things
            gone.attempts += one.attempts
    return gone


def begun() -> list[Any]:
    """The projects that are deleted for good, while not all that is in them is."""
    left: list[Any] = [KINDS[kind].record for kind in _CONTENT]
    with_content = (ProjectRecord.id.in_(one.select(one.project).where(one.purged_at == 0.0)) for one in left)
    return list(ProjectRecord.select().where(ProjectRecord.purged_at > 0.0, reduce(or_, with_content)))


def _inside(kind: str, project: Any) -> Any:
    record: Any = KINDS[kind].record
    return record.select().where(record.project == project.id, record.purged_at == 0.0).order_by(record.id)


def remove_logs(cp: ControlPlane, attempt_ids: list[int]) -> None:
    """Remove the logs that never became blobs."""
    for attempt_id in attempt_ids:
        shutil.rmtree(cp.settings.data / "logs" / str(attempt_id), ignore_errors=True)


def _dataset(dataset: Any, _: Gone) -> None:
    mine = DatasetVersionRecord.dataset == dataset.id
    numbers = [int(one.id) for one in DatasetVersionRecord.select(DatasetVersionRecord.id).where(mine)]
    references.drop(references.DATASET, numbers)
    for record in (LabellingRecord, RewardDryRunRecord):  # they hold their rows
        record.delete().where(record.dataset_version.in_(numbers)).execute()
    DatasetVersionRecord.update(facts={}, mapping={}, source={}).where(mine).execute()
    _remove_with_secrets(SourceRecord, SourceRecord.dataset == dataset.id)


def _model(model: Any, _: Gone) -> None:
    _drop_artifacts([int(model.artifact_id)])


def _job(job: Any, gone: Gone) -> None:
    """Logs, events, curves, checkpoints and an evaluation's rows; a model that it made is a thing of its own."""
    attempts = [int(one.id) for one in AttemptRecord.select(AttemptRecord.id).where(AttemptRecord.job == job.id)]
    made = ModelRecord.select(ModelRecord.artifact).where(ModelRecord.job == job.id)
    others = ArtifactRecord.select(ArtifactRecord.id).where(
        ArtifactRecord.attempt.in_(attempts), ArtifactRecord.id.not_in(made)
    )
    _drop_artifacts([int(one.id) for one in others])
    logs = [int(one.id) for one in LogRecord.select(LogRecord.id).where(LogRecord.attempt.in_(attempts))]
    references.drop(references.LOG, logs)
    for record in (LogRecord, EventRecord, CurveRecord):
        record.delete().where(record.attempt.in_(attempts)).execute()
    evaluations = [int(one.id) for one in EvaluationRecord.select().where(EvaluationRecord.job == job.id)]
    references.drop(references.EVALUATION, evaluations)
    EvaluationRecord.update(rows_sha256="", index_sha256="", row_count=0).where(
        EvaluationRecord.id.in_(evaluations)
    ).execute()
    gone.attempts += attempts


def _deployment(_: Any, __: Gone) -> None:
    """It has nothing but its words."""


def _workflow(workflow: Any, _: Gone) -> None:
    """What its versions say, and what starts it; a run has kept what it carries out."""
    mine = WorkflowVersionRecord.workflow == workflow.id
    WorkflowVersionRecord.update(text="", spec={}).where(mine).execute()
    _remove_with_secrets(TriggerRecord, TriggerRecord.workflow == workflow.id)


def _prompt(prompt: Any, _: Gone) -> None:
    """What its versions say."""
    PromptVersionRecord.update(content={}, found={}).where(PromptVersionRecord.prompt == prompt.id).execute()


def _reward(reward: Any, _: Gone) -> None:
    """What its versions say, and what was tried of them; a job has kept its checks."""
    mine = RewardVersionRecord.reward == reward.id
    tried = RewardVersionRecord.select(RewardVersionRecord.id).where(mine)
    RewardDryRunRecord.delete().where(RewardDryRunRecord.reward_version.in_(tried)).execute()
    RewardVersionRecord.update(document={}).where(mine).execute()


# what serves and what rests on something goes before it
_CONTENT = {
    DEPLOYMENT: _deployment,
    MODEL: _model,
    DATASET: _dataset,
    JOB: _job,
    WORKFLOW: _workflow,
    PROMPT: _prompt,
    REWARD: _reward,
}


def _remove_with_secrets(record: Any, which: Any) -> None:
    for one in record.select(record.id, record.secret).where(which):
        record.delete().where(record.id == one.id).execute()
        secrets.remove(one.secret_id)


def _drop_artifacts(numbers: list[int]) -> None:
    """Their rows stay, as ones that were never committed: nothing lists those, and nothing reads them."""
    references.drop(references.ARTIFACT, numbers)
    ArtifactRecord.update(files=[], committed_at=0.0).where(ArtifactRecord.id.in_(numbers)).execute()
