"""From the services' records to automation.proto's messages; words in the caller's language."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from control_plane.context import ControlPlane
from control_plane.domain.matching import BUSY
from control_plane.domain.scores import BASELINE, CANDIDATE
from control_plane.services import deployments, results, traffic
from control_plane.services.case_library.notes import Rating
from control_plane.services.cases import Case
from control_plane.services.fleet import scheduling
from control_plane.services.notifications import Notification
from control_plane.services.prompts import carrying
from control_plane.services.things.kinds import kind_of
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.audit import AuditRecord
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptRecord, EventRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.store.people import ApiTokenRecord, UserRecord
from control_plane.wording import say, waiting, why
from tunesmith.v1 import automation_pb2 as pb

_LARGEST_LIST = 4 << 20  # characters of JSON in one answer; a message may have 16 MiB
_LONGEST_EXAMPLE = 2_000  # characters of one text

_T = TypeVar("_T")


def machine(record: MachineRecord) -> pb.Machine:
    return pb.Machine(
        id=record.id,
        name=record.name,
        connectivity=record.connectivity,
        inventory=_json(record.inventory),
        last_seen=record.last_seen,
        drained=record.drained,
        locked_reason=record.locked_reason,
        labels=record.labels,
        removed_at=record.removed_at,
    )


def me(record: UserRecord, web_url: str) -> pb.WhoAmIReply:
    return pb.WhoAmIReply(
        user_id=record.id,
        name=record.name,
        administrator=record.administrator,
        web_url=web_url,
        title=record.title,
        language=record.language,
    )


def user(record: UserRecord) -> pb.User:
    return pb.User(
        id=record.id,
        name=record.name,
        title=record.title,
        administrator=record.administrator,
        active=record.active,
        invited=not record.password_hash and not record.local,
        created_at=record.created_at,
        local=record.local,
    )


def notification(one: Notification, locale: str) -> pb.Notification:
    return pb.Notification(
        kind=one.kind,
        noun=one.noun,
        id=str(one.id),
        name=one.name,
        title=one.title,
        project=one.project,
        at=one.at,
        unread=one.unread,
        message=say(one.reason, one.reason_params, locale) if one.reason else "",
    )


def member(record: UserRecord, role: str) -> pb.Member:
    return pb.Member(user=record.name, title=record.title, role=role)


def token(record: ApiTokenRecord) -> pb.ApiToken:
    return pb.ApiToken(
        id=record.id,
        name=record.name,
        created_at=record.created_at,
        expires_at=record.expires_at,
        used_at=record.used_at,
    )


def method(record: MethodVersionRecord) -> pb.Method:
    return pb.Method(
        name=record.name,
        kind=record.kind,
        type=record.manifest["type"],
        hash=record.hash,
        manifest=_json(record.manifest),
    )


def case(value: Case, rating: Rating | None = None, project: str = "") -> pb.Case:
    """A case, with its rating and the name of the project in which it was saved where the reader is in that."""
    found = pb.Case(name=value.name, plan=_json(value.plan))
    if value.record is not None:
        saved = value.record
        found.MergeFrom(pb.Case(saved=True, project=project, shared=saved.shared, created_by=saved.created_by))
    if rating is not None:
        found.MergeFrom(pb.Case(rating=rating.mean, ratings=rating.count))
    return found


def thing(record: Any) -> pb.Thing:
    """What stands beside a thing's name, and whether it is in the trash."""
    return pb.Thing(
        kind=kind_of(record),
        id=record.id,
        name=record.name,
        title=record.title,
        description=record.description,
        tags=record.tags,
        deleted_at=record.deleted_at,
        purged=record.purged_at > 0,
    )


def dataset_version(dataset: DatasetRecord, record: DatasetVersionRecord, reused: bool = False) -> pb.DatasetVersion:
    return pb.DatasetVersion(
        id=record.id,
        dataset=dataset.name,
        thing=thing(dataset),
        number=record.number,
        hash=record.hash,
        format=record.format,
        train_rows=record.train_rows,
        test_rows=record.test_rows,
        left_out_rows=record.left_out_rows,
        created_at=record.created_at,
        reused=reused,
    )


def rows(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """As many of the rows, from the first on, as one answer holds."""
    return fitting([_json(row) for row in found], len)


def shortened(value: Any) -> Any:
    """A value as JSON has it, with long texts cut: an example shows what there is, and an answer has its limit."""
    if isinstance(value, dict):
        return {name: shortened(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shortened(part) for part in value]
    return f"{value[:_LONGEST_EXAMPLE]}…" if isinstance(value, str) and len(value) > _LONGEST_EXAMPLE else value


def artifact(record: ArtifactRecord) -> pb.Artifact:
    return pb.Artifact(
        id=record.id,
        name=record.name,
        attempt_id=record.attempt_id,
        hash=record.hash,
        size=record.size,
        committed_at=record.committed_at,
        files=[pb.File(path=file["path"], size=file["size"], sha256=file["sha256"]) for file in record.files],
    )


def jobs(
    project: str, records: Sequence[JobRecord], attempts: Mapping[int, Sequence[AttemptRecord]], locale: str
) -> list[pb.Job]:
    """Jobs of one project; `attempts` by job id, of those whose attempts are wanted."""
    ids = [record.id for record in records]
    models, evaluations = results.models_of(ids), results.evaluations_of(ids)
    methods = results.methods_of([record.method_version_id for record in records])
    ahead = scheduling.ahead([record.id for record in records if record.waiting_code == BUSY])
    messages = []
    for record in records:
        used = methods[record.method_version_id]
        message = _job(project, record, ahead.get(record.id, 0), locale)
        message.method, message.method_hash = used.name, used.hash
        message.model_id = models.get(record.id, 0)
        message.evaluation_id = evaluations.get(record.id, 0)
        message.attempts.extend(_attempt(one, locale) for one in attempts.get(record.id, ()))
        messages.append(message)
    return messages


def events(records: Sequence[EventRecord]) -> list[pb.Event]:
    """As many of the events, from the first on, as one answer holds: the caller asks on from the last one's id."""
    return fitting([_event(record) for record in records], lambda one: len(one.body))


def fitting(items: Sequence[_T], length: Callable[[_T], int]) -> list[_T]:
    """As many, from the first on, as one answer holds; of each, its characters are asked."""
    return list(_while_room(items, length))


def _while_room(items: Sequence[_T], length: Callable[[_T], int]) -> Iterator[_T]:
    room = _LARGEST_LIST
    for number, item in enumerate(items):
        room -= length(item)
        if room < 0 and number:
            return
        yield item


def _event(record: EventRecord) -> pb.Event:
    return pb.Event(
        id=record.id, attempt_id=record.attempt_id, kind=record.kind, time=record.time, body=_json(record.body)
    )


def model(project: str, record: ModelRecord) -> pb.Model:
    return pb.Model(
        id=record.id,
        project=project,
        name=record.name,
        form=record.form,
        job_id=record.job_id,
        base_id=record.base_id or 0,
        hash=record.hash,
        size=record.size,
        card=_json(record.card),
        created_at=record.created_at,
        artifact_id=record.artifact_id,
        thing=thing(record),
    )


def evaluation(project: str, record: EvaluationRecord, samples: Sequence[Mapping[str, Any]] = ()) -> pb.Evaluation:
    """An evaluation, and of the sample rows as many, from the first on, as one answer holds."""
    difference = record.differences.get(record.primary_metric, {})
    return pb.Evaluation(
        id=record.id,
        project=project,
        job_id=record.job_id,
        verdict=record.verdict,
        primary_metric=record.primary_metric,
        difference=difference.get("value", 0.0),
        difference_low=difference.get("low", 0.0),
        difference_high=difference.get("high", 0.0),
        scores=[pb.Score(**{name: score[name] for name in _SCORE}) for score in record.scores],
        differences=[pb.Difference(metric=metric, **one) for metric, one in record.differences.items()],
        samples=_json(fitting(samples, lambda row: len(_json(row)))),
        row_count=record.row_count,
        answer_limit=record.answer_limit,
        candidate_cut=record.cut.get(CANDIDATE, 0),
        baseline_cut=record.cut.get(BASELINE, 0),
    )


def of_deployments(
    cp: ControlPlane, project: str, records: Sequence[DeploymentRecord], locale: str
) -> list[pb.Deployment]:
    """Deployments of one project."""
    requests, prompts = traffic.last_day(cp, [one.id for one in records]), carrying.of(records)
    found = []
    for record in records:
        stands = deployments.condition(record)
        found.append(
            pb.Deployment(
                id=record.id,
                project=project,
                name=record.name,
                model_id=record.model_id,
                desired_state=record.desired_state,
                state=stands.state,
                message=why(stands.state, stands.code, stands.params, locale),
                version=record.version,
                machine_id=stands.machine_id,
                thing=thing(record),
                requests=requests[record.id],
                prompt=carrying.label(prompts[record.id]) if record.id in prompts else "",
                schema=_json(record.answer_schema) if record.answer_schema else "",
            )
        )
    return found


def audit_entry(record: AuditRecord) -> pb.AuditEntry:
    return pb.AuditEntry(
        id=record.id,
        at=record.at,
        actor=record.actor_name,
        action=record.action,
        subject=record.subject,
        details=_json(record.details),
    )


_SCORE = ("metric", "candidate", "n", "value", "low", "high")


def _job(project: str, record: JobRecord, ahead: int, locale: str) -> pb.Job:
    step, steps = record.progress.get("step", 0), record.progress.get("steps", 0)
    return pb.Job(
        id=record.id,
        project=project,
        thing=thing(record),
        name=record.name,
        kind=record.kind,
        state=record.state,
        version=record.version,
        policy=pb.Policy(
            priority=record.priority,
            not_before=record.not_before,
            lost_after=record.lost_after or 0,
            when_lost=record.when_lost,
            time_limit=record.time_limit,
        ),
        parameters=_json(record.parameters),
        inputs=[pb.InputRef(name=name, kind=pin["kind"], id=pin["id"]) for name, pin in sorted(record.inputs.items())],
        seed=record.seed,
        created_at=record.created_at,
        ended_at=record.ended_at,
        waiting=waiting(record.waiting_code, record.waiting_params | {"ahead": ahead}, locale)
        if record.state == "QUEUED"
        else "",
        progress=min(1.0, step / steps) if steps else 0.0,
        reason=record.reason,
        message=say(record.reason, record.reason_params, locale) if record.reason else "",
    )


def _attempt(record: AttemptRecord, locale: str) -> pb.Attempt:
    return pb.Attempt(
        id=record.id,
        number=record.number,
        state=record.state,
        machine_id=record.machine_id,
        offered_at=record.offered_at,
        started_at=record.accepted_at,
        running_at=record.running_at,
        ended_at=record.ended_at,
        reason=record.reason,
        params=_json(record.reason_params),
        message=say(record.reason, record.reason_params, locale) if record.reason else "",
        stage=record.stage,
        peak_memory_bytes=record.peak_memory_bytes,
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
