"""What a reader needs to see first: the state of a project, and what a machine holds. Reads only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from peewee import SQL, fn

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import ATTEMPT_OPEN, FAILED, JOB_OVER, SERVING, SUCCEEDED
from control_plane.domain.permissions import Actor, require
from control_plane.services.access import projects
from control_plane.services.fleet import machines
from control_plane.services.labelling import waiting
from control_plane.services.things.kinds import is_kept
from control_plane.services.workflows import approvals
from control_plane.store.allocations import AllocationRecord
from control_plane.store.datasets import DatasetRecord
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.labelling import LabellingRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import ApprovalRecord

_WEEK = 7 * 86_400.0
_SHOWN = 8  # rows of each list


@dataclass(frozen=True)
class Overview:
    """A project at a glance. Counts are of all, the lists hold the newest few."""

    counts: dict[str, int]  # unfinished, failed, serving → how many
    unfinished: list[JobRecord]  # queued and running
    failed: list[JobRecord]  # of the last seven days
    asked: list[ApprovalRecord]  # which the reader may decide, each with its run
    undecided: list[EvaluationRecord]  # whose model is better than its base, and is neither served nor was
    to_judge: list[tuple[LabellingRecord, int]]  # labellings with so many items that the reader may judge
    serving: list[DeploymentRecord]  # desired: SERVING
    machines: dict[str, int]  # connectivity → how many
    drained: int
    steps: dict[str, bool]  # machine, dataset, base, training, evaluation, deployment → is there one


@dataclass(frozen=True)
class Holding:
    """Something that keeps a machine busy; the job or deployment is None where it is of another's project."""

    attempt: AttemptRecord | None
    job: JobRecord | None
    replica: ReplicaRecord | None
    deployment: DeploymentRecord | None
    project: str  # its name, empty where it is not the reader's
    devices: list[str]  # uuids of what it was promised
    memory_bytes: int  # of them


def of_project(actor: Actor, cp: ControlPlane, project: str) -> Overview:
    """Raises NotFound, Denied."""
    project_id = int(projects.get(actor, cp, project).id)
    fleet = machines.list_machines(actor, cp) if actor.may("machine.see") else []
    mine = (JobRecord.project == project_id) & is_kept(JobRecord)
    recent = (JobRecord.state == FAILED) & (JobRecord.ended_at > cp.clock() - _WEEK)
    desired = DeploymentRecord.select().where(
        DeploymentRecord.project == project_id, DeploymentRecord.desired_state == SERVING, is_kept(DeploymentRecord)
    )
    lists: dict[str, Any] = {
        "unfinished": JobRecord.select().where(mine & JobRecord.state.not_in(JOB_OVER)).order_by(JobRecord.id.desc()),
        "failed": JobRecord.select().where(mine & recent).order_by(JobRecord.id.desc()),
        "serving": desired.order_by(DeploymentRecord.id.desc()),
    }
    shown = {name: list(query.limit(_SHOWN)) for name, query in lists.items()}
    return Overview(
        counts={name: _count(lists[name], rows) for name, rows in shown.items()},
        **shown,
        asked=approvals.waiting(actor, project_id, _SHOWN),
        undecided=_undecided(project_id),
        to_judge=waiting.of_project(actor, project_id, _SHOWN),
        machines=dict(Counter(machine.connectivity for machine in fleet)),
        drained=sum(1 for machine in fleet if machine.drained),
        steps=_steps(project_id, bool(fleet)),
    )


def held(actor: Actor, cp: ControlPlane, machine_id: str) -> list[Holding]:
    """The attempts and replicas that a machine holds. What is of another project is counted, not named.

    Raises NotFound, Denied.
    """
    require(actor, "machine.see")
    machines.get(actor, cp, machine_id)
    names = {int(project.id): str(project.name) for project in projects.list_projects(actor, cp)}
    return [*_attempts(machine_id, names), *_replicas(machine_id, names)]


def _count(query: Any, shown: list[Any]) -> int:
    """How many there are, asked only where not all are shown."""
    return len(shown) if len(shown) < _SHOWN else int(query.count())


def waits_for_decision() -> Any:
    """Of an evaluation: it found a model better which has never been deployed, itself or packaged."""
    packaged = ModelRecord.alias()
    deployed = (
        DeploymentRecord.select(SQL("1"))
        .join(packaged, on=(DeploymentRecord.model == packaged.id))
        .where((packaged.id == EvaluationRecord.candidate) | (packaged.origin == EvaluationRecord.candidate))
    )
    gone = EvaluationRecord.job.in_(_trashed(JobRecord)) | EvaluationRecord.candidate.in_(_trashed(ModelRecord))
    return (EvaluationRecord.verdict == "better") & ~gone & ~fn.EXISTS(deployed)


def _trashed(record: Any) -> Any:
    return record.select(record.id).where(~is_kept(record))


def _undecided(project_id: int) -> list[EvaluationRecord]:
    better = EvaluationRecord.select().where(EvaluationRecord.project == project_id, waits_for_decision())
    return list(better.order_by(EvaluationRecord.id.desc()).limit(_SHOWN))


def _kept_of(record: Any, project_id: int) -> Any:
    return record.select().where(record.project == project_id, is_kept(record))


def _steps(project_id: int, has_machine: bool) -> dict[str, bool]:
    """In one statement."""
    trained = (JobRecord.kind == "train") & (JobRecord.state == SUCCEEDED)
    queries = {
        "dataset": _kept_of(DatasetRecord, project_id),
        "base": _kept_of(ModelRecord, project_id).where(ModelRecord.form == "base"),
        "training": _kept_of(JobRecord, project_id).where(trained),
        "evaluation": EvaluationRecord.select().where(EvaluationRecord.project == project_id),
        "deployment": _kept_of(DeploymentRecord, project_id),
    }
    are_there = [fn.EXISTS(query.select(SQL("1"))) for query in queries.values()]
    found = ProjectRecord.select(*are_there).where(ProjectRecord.id == project_id).tuples().first()
    return {"machine": has_machine, **{name: bool(one) for name, one in zip(queries, found, strict=True)}}


def _attempts(machine_id: str, names: dict[int, str]) -> list[Holding]:
    query = (
        AttemptRecord.select(AttemptRecord, JobRecord)
        .join(JobRecord)
        .where(AttemptRecord.machine == machine_id, AttemptRecord.state.in_(ATTEMPT_OPEN))
        .order_by(AttemptRecord.id)
    )
    found = []
    for attempt in query:
        project = names.get(attempt.job.project_id, "")
        promised = AllocationRecord.part.in_(_parts_of(attempt, machine_id))
        found.append(Holding(attempt, attempt.job if project else None, None, None, project, *_promised(promised)))
    return found


def _replicas(machine_id: str, names: dict[int, str]) -> list[Holding]:
    query = (
        ReplicaRecord.select(ReplicaRecord, DeploymentRecord)
        .join(DeploymentRecord)
        .where(ReplicaRecord.machine == machine_id, ReplicaRecord.desired_state == SERVING)
        .order_by(ReplicaRecord.id)
    )
    found = []
    for replica in query:
        project = names.get(replica.deployment.project_id, "")
        promised = _promised(AllocationRecord.replica == replica.id)
        found.append(Holding(None, None, replica, replica.deployment if project else None, project, *promised))
    return found


def _parts_of(attempt: AttemptRecord, machine_id: str) -> Any:
    return AttemptPartRecord.select(AttemptPartRecord.id).where(
        AttemptPartRecord.attempt == attempt.id, AttemptPartRecord.machine == machine_id
    )


def _promised(whose: Any) -> tuple[list[str], int]:
    """The devices that a holder was promised, and how many bytes of them."""
    rows = list(AllocationRecord.select().where(whose).order_by(AllocationRecord.id))
    return [row.device for row in rows], sum(row.memory_bytes for row in rows)
