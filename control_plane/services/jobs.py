"""Jobs: what somebody asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import JobOver, NotFound
from control_plane.domain.learning import Learning
from control_plane.domain.lifecycle import JOB_OVER, JOB_STATES
from control_plane.domain.permissions import Actor
from control_plane.domain.policies import Policy
from control_plane.services import asking, pins, transitions
from control_plane.services.access import projects
from control_plane.services.fleet import events as reported
from control_plane.services.fleet import logs as stored
from control_plane.services.fleet import points
from control_plane.services.things.kinds import bears, has_tag, is_kept, kept
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import every, transaction
from control_plane.store.jobs import AttemptRecord, EventRecord, JobRecord, LogRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.projects import ProjectRecord

_SORTS: dict[str, Any] = {
    "created": JobRecord.id,
    "name": JobRecord.name,
    "state": JobRecord.state,
    "ended": JobRecord.ended_at,
}
_LONGEST_READ = 1 << 20  # bytes of a log
_LONGEST_SLICE = 8 << 20  # bytes of a file


def submit(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    method: str,
    name: str = "",
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, int | Mapping[str, Any]] | None = None,
    seed: int = 42,
    idempotency_key: str = "",
    policy: Policy = Policy(),  # noqa: B008  # it is frozen
) -> JobRecord:
    """Ask for a job. `inputs` are ids of models and dataset versions by input name.

    The same `idempotency_key` in a project gets the same job. Raises what `asking.check` raises, and FieldInvalid.
    """
    asked = asking.check(actor, cp, project, method, name, parameters, inputs, seed)
    policy.check()
    with transaction():
        known = _known(asked.project, idempotency_key)
        if known is not None:
            return known
        job = asking.create(actor, cp, asked, policy, idempotency_key)
    cp.signals.wake(*transitions.topics(job))
    return job


def _known(project: ProjectRecord, idempotency_key: str) -> JobRecord | None:
    if not idempotency_key:
        return None
    return JobRecord.get_or_none(JobRecord.project == project.id, JobRecord.idempotency_key == idempotency_key[:100])


def get(actor: Actor, cp: ControlPlane, job_id: int, permission: str = "job.see") -> JobRecord:
    """One job. Raises NotFound, InTrash, Denied."""
    job = named(actor, cp, job_id, permission)
    kept(job)
    return job


def named(actor: Actor, cp: ControlPlane, job_id: int, permission: str = "job.see") -> JobRecord:
    """A job, in the trash or not: the models that it made name it for good. Raises NotFound, Denied."""
    job: JobRecord = projects.inside(actor, JobRecord, job_id, permission)
    return job


@dataclass(frozen=True)
class Wanted:
    """Which of a project's jobs a list is to hold; what is left out does not matter."""

    state: str = ""
    method: str = ""
    text: str = ""  # a part of their names or titles
    tag: str = ""  # what they bear
    in_sweeps: bool = True  # those of sweeps among them


def list_jobs(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    wanted: Wanted = Wanted(),  # it is frozen
    limit: int = 50,
    offset: int = 0,
    sort: str = "-created",
) -> tuple[list[JobRecord], int]:
    """A page of a project's jobs, and how many there are in all. Raises NotFound, Denied.

    `sort` is one of created, name, state and ended, with a hyphen before it for the other way round.
    """
    project_id = projects.get(actor, cp, project, "job.see").id
    query = JobRecord.select().where(JobRecord.project == project_id, is_kept(JobRecord))
    if wanted.state:
        query = query.where(JobRecord.state == (wanted.state if wanted.state in JOB_STATES else ""))
    if wanted.method:
        versions = MethodVersionRecord.select(MethodVersionRecord.id).where(MethodVersionRecord.name == wanted.method)
        query = query.where(JobRecord.method_version.in_(versions))
    if wanted.text:
        query = query.where(bears(JobRecord, wanted.text))
    if wanted.tag:
        query = query.where(has_tag(JobRecord, wanted.tag))
    if not wanted.in_sweeps:
        query = query.where(JobRecord.sweep.is_null())
    column = _SORTS.get(sort.removeprefix("-"), JobRecord.id)
    order = column.desc() if sort.startswith("-") else column.asc()
    page = query.order_by(order, JobRecord.id.desc()).limit(min(limit, 500)).offset(offset)
    return list(page), query.count()


def unfinished(actor: Actor, cp: ControlPlane, project: str, kind: str) -> list[JobRecord]:
    """The project's jobs of a kind that have not ended, newest first. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "job.see").id
    query = JobRecord.select().where(
        JobRecord.project == project_id, JobRecord.kind == kind, JobRecord.state.not_in(JOB_OVER)
    )
    return list(query.order_by(JobRecord.id.desc()))


def cancel(actor: Actor, cp: ControlPlane, job_id: int) -> JobRecord:
    """Ask for the job's end; the job as it then stands. Raises NotFound, Denied, JobOver."""
    job = get(actor, cp, job_id, "job.cancel")
    with transaction():
        if not transitions.cancel(actor, cp, job):
            raise JobOver(state=JobRecord.get_by_id(job.id).state)
    cp.signals.wake(*topics(job))
    return JobRecord.get_by_id(job.id)


def topics(job: JobRecord) -> tuple[str, ...]:
    """What to wake after a change of this job that its machines have to know of."""
    machines = AttemptRecord.select(AttemptRecord.machine).where(AttemptRecord.job == job.id)
    return transitions.topics(job, *(attempt.machine_id for attempt in machines))


def attempts(actor: Actor, cp: ControlPlane, job_id: int) -> list[AttemptRecord]:
    """The job's attempts, the first one first. Raises NotFound, Denied."""
    return _attempts(get(actor, cp, job_id))


def _attempts(job: JobRecord) -> list[AttemptRecord]:
    return every(AttemptRecord.select().where(AttemptRecord.job == job.id).order_by(AttemptRecord.number))


def events(
    actor: Actor, cp: ControlPlane, job_id: int, after: int = 0, kind: str = "", limit: int = 1000
) -> list[EventRecord]:
    """What the job's attempts reported beyond the event id `after`. Raises NotFound, Denied."""
    return reported.of_job(get(actor, cp, job_id).id, after, kind, min(limit, 10_000))


def newest_events(
    actor: Actor, cp: ControlPlane, job_id: int, kind: str = "", limit: int = 100, offset: int = 0
) -> list[EventRecord]:
    """A page of what the job's attempts reported, the newest first. Raises NotFound, Denied."""
    return reported.newest(get(actor, cp, job_id).id, kind, min(limit, 1_000), max(0, offset))


def messages(actor: Actor, cp: ControlPlane, job_id: int, limit: int) -> list[EventRecord]:
    """The newest messages of the job's attempts, the newest first. Raises NotFound, Denied."""
    return reported.messages(get(actor, cp, job_id).id, limit)


def count_events(actor: Actor, cp: ControlPlane, job_id: int, kind: str = "") -> int:
    """How many events the job has, of one kind if it is named. Raises NotFound, Denied."""
    return reported.count(get(actor, cp, job_id).id, kind)


def series(actor: Actor, cp: ControlPlane, job_id: int, after: int = 0) -> dict[str, Any]:
    """The job's curves, thinned where they are long: {"series": [{"name", "points": [[step, value] …]}], "cursor"}.

    Raises NotFound, Denied.
    """
    return points.series(get(actor, cp, job_id).id, after)


def learning(actor: Actor, cp: ControlPlane, job_id: int) -> Learning | None:
    """What the job's loss says so far; None where there is none, or too little. Raises NotFound, Denied."""
    return points.learning(get(actor, cp, job_id).id)


def read_log(
    actor: Actor, cp: ControlPlane, job_id: int, stream: str, offset: int, length: int, attempt_id: int = 0
) -> tuple[bytes, int]:
    """A slice of a log of the newest attempt, or of the one named, and that log's length. Raises NotFound, Denied."""
    found = [one for one in attempts(actor, cp, job_id) if attempt_id in (0, one.id)]
    if not found and attempt_id:
        raise NotFound
    if not found:
        return b"", 0
    return stored.read(cp, found[-1].id, stream, max(0, offset), min(length, _LONGEST_READ))


def logs(actor: Actor, cp: ControlPlane, job_id: int) -> list[LogRecord]:
    """The logs of all attempts. Raises NotFound, Denied."""
    mine = [attempt.id for attempt in attempts(actor, cp, job_id)]
    return list(LogRecord.select().where(LogRecord.attempt.in_(mine)).order_by(LogRecord.attempt, LogRecord.stream))


def files(actor: Actor, cp: ControlPlane, job_id: int) -> list[ArtifactRecord]:
    """The committed artifacts of all attempts, checkpoints among them; also of a job in the trash, for its models.

    Raises NotFound, Denied.
    """
    mine = [attempt.id for attempt in _attempts(named(actor, cp, job_id))]
    query = ArtifactRecord.select().where(ArtifactRecord.attempt.in_(mine), ArtifactRecord.committed_at > 0)
    return list(query.order_by(ArtifactRecord.committed_at, ArtifactRecord.id))


def read_file(
    actor: Actor, cp: ControlPlane, job_id: int, artifact_id: int, path: str, offset: int, length: int
) -> tuple[bytes, int]:
    """A slice of one of those files, and that file's size; nothing else is ever read. Raises NotFound, Denied."""
    listed = (file for one in files(actor, cp, job_id) if one.id == artifact_id for file in one.files)
    found = next((file for file in listed if file["path"] == path), None)
    if found is None:
        raise NotFound
    size = cp.blobs.size(found["sha256"])
    with cp.blobs.open(found["sha256"]) as source:
        source.seek(max(0, min(offset, size)))
        return source.read(max(0, min(length, _LONGEST_SLICE))), size


def config(actor: Actor, cp: ControlPlane, job_id: int) -> dict[str, Any]:
    """All that the job pins, with the environment's lock and the hardware of its newest attempt.

    Raises NotFound, Denied.
    """
    tried = attempts(actor, cp, job_id)
    newest = tried[-1] if tried else None
    lock = {"environment_lock": pins.lock_text(newest)} if newest else {}
    return pins.of(get(actor, cp, job_id), newest) | lock


def wait(actor: Actor, cp: ControlPlane, job_id: int, after_version: int, seconds: float) -> JobRecord:
    """The job, as soon as its version is beyond `after_version` or something about it was signalled.

    Returns after `seconds` at the latest, then perhaps unchanged. Raises NotFound, Denied.
    """
    topic = f"job:{job_id}"
    seen = {topic: cp.signals.version(topic)}
    job = get(actor, cp, job_id)
    if job.version > after_version:
        return job
    cp.signals.wait(frozenset({topic}), seen, seconds)
    return get(actor, cp, job_id)
