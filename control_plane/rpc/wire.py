"""Between fleet.proto's messages and the domain's values, both ways and nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from typing import Any

from google.protobuf.message import Message

from control_plane.domain.documents import parse
from control_plane.domain.errors import FieldInvalid
from control_plane.domain.files import File
from control_plane.domain.instructions import (
    Cancel,
    FileRef,
    Input,
    Instruction,
    Offer,
    Output,
    Serve,
    StopServing,
)
from control_plane.domain.policies import REQUEUE, Policy
from control_plane.domain.presence import (
    Heartbeat,
    HeartbeatAnswer,
    Held,
    Hello,
    HelloAnswer,
    ReplicaStatus,
    Verdict,
)
from tunesmith.v1 import automation_pb2
from tunesmith.v1 import fleet_pb2 as pb

_LARGEST_INVENTORY = 1 << 18  # bytes; it is stored with each heartbeat
_LONGEST_PARAMS = 1 << 16  # characters; they are stored and shown
_MOST_HELD = 1_000  # attempts or replicas of one machine


# ---- what a machine says


def hello(request: pb.HelloRequest) -> Hello:
    """Raises FieldInvalid for an inventory beyond all measure."""
    return Hello(request.agent_version, request.boot_id, inventory(request.inventory), _held(request.attempts))


def heartbeat(request: pb.HeartbeatRequest) -> Heartbeat:
    """Raises FieldInvalid for an inventory beyond all measure, or reasons that are no JSON."""
    return Heartbeat(
        epoch=request.epoch,
        inventory=inventory(request.inventory),
        held=_held(request.attempts),
        replicas=tuple(replica_status(status) for status in _bounded("replicas", request.replicas)),
    )


def replica_status(status: pb.ReplicaStatus) -> ReplicaStatus:
    """Raises FieldInvalid for parameters that are no JSON object."""
    return ReplicaStatus(
        replica_id=status.replica_id,
        generation=status.generation,
        state=status.state,
        reason=status.reason,
        params=params(status.params),
        restarts=status.restarts,
        memory=status.memory,
    )


def artifact_file(file: pb.ArtifactFile) -> File:
    return File(file.path, file.size, file.sha256, tuple(file.chunks))


def inventory(message: pb.Inventory) -> dict[str, object]:
    """The inventory as a dict with proto field names. Raises FieldInvalid beyond 256 KiB."""
    if message.ByteSize() > _LARGEST_INVENTORY:
        raise FieldInvalid(field="inventory", problem=f"> {_LARGEST_INVENTORY}")
    return _plain(message)


def params(text: str) -> dict[str, Any]:
    """The parameters of a reason, a JSON object or empty. Raises FieldInvalid."""
    return json_object("params", text, _LONGEST_PARAMS)


def json_object(field: str, text: str, longest: int) -> dict[str, Any]:
    """A JSON object that somebody sent in `field`; empty where nothing was sent. Raises FieldInvalid."""
    if len(text) > longest:
        raise FieldInvalid(field=field, problem=f"{len(text)} > {longest}")
    try:
        value = parse(text) if text else {}
    except ValueError as problem:
        raise FieldInvalid(field=field, problem=str(problem)) from problem
    if not isinstance(value, dict):
        raise FieldInvalid(field=field, problem="{…}")
    return value


def _held(attempts: Any) -> tuple[Held, ...]:
    return tuple(Held(attempt.attempt_id, attempt.fence) for attempt in _bounded("attempts", attempts))


def _bounded(field: str, items: Collection[Any]) -> Collection[Any]:
    if len(items) > _MOST_HELD:
        raise FieldInvalid(field=field, problem=f"{len(items)} > {_MOST_HELD}")
    return items


def _plain(message: Message) -> dict[str, object]:
    """Unlike protobuf's own JSON form, numbers of 64 bits stay numbers and empty fields are there."""
    result: dict[str, object] = {}
    for field in message.DESCRIPTOR.fields:
        value = getattr(message, field.name)
        if field.is_repeated:
            result[field.name] = [_plain(item) if isinstance(item, Message) else item for item in value]
        else:
            result[field.name] = _finite(value)
    return result


def _finite(value: object) -> object:
    """A measurement that is no number is as good as none: 0, which means unknown."""
    return 0.0 if isinstance(value, float) and not math.isfinite(value) else value


# ---- what it is told


def hello_reply(answer: HelloAnswer, heartbeat_seconds: float, poll_seconds: float) -> pb.HelloReply:
    return pb.HelloReply(
        epoch=answer.epoch,
        control_plane_version=answer.control_plane_version,
        heartbeat_seconds=heartbeat_seconds,
        poll_seconds=poll_seconds,
        verdicts=[_verdict(verdict) for verdict in answer.verdicts],
    )


def heartbeat_reply(answer: HeartbeatAnswer, heartbeat_seconds: float) -> pb.HeartbeatReply:
    return pb.HeartbeatReply(
        leases=[
            pb.Lease(attempt_id=lease.attempt_id, fence=lease.fence, seconds_left=lease.seconds_left)
            for lease in answer.leases
        ],
        verdicts=[_verdict(verdict) for verdict in answer.verdicts],
        heartbeat_seconds=heartbeat_seconds,
        instructions_waiting=answer.instructions_waiting,
    )


def instruction(value: Instruction) -> pb.Instruction:
    """One instruction under its key."""
    message = pb.Instruction(key=value.key)
    match value:
        case Offer():
            message.offer.CopyFrom(_offer(value))
        case Cancel():
            message.cancel.CopyFrom(pb.Cancel(attempt_id=value.attempt_id, fence=value.fence))
        case Serve():
            message.serve.CopyFrom(_serve(value))
        case StopServing():
            message.stop_serving.CopyFrom(pb.StopServing(replica_id=value.replica_id, generation=value.generation))
        case _:
            message.drain.SetInParent()
    return message


def _offer(value: Offer) -> pb.Offer:
    return pb.Offer(
        attempt_id=value.attempt_id,
        fence=value.fence,
        job_id=value.job_id,
        method=value.method,
        method_hash=value.method_hash,
        entry=value.entry,
        network=value.network,
        code=[_file(file) for file in value.code],
        requirements=value.requirements,
        environment_lock=value.environment_lock,
        parameters=json.dumps(value.parameters, ensure_ascii=False),
        inputs=[_input(item) for item in value.inputs],
        outputs=[_output(item) for item in value.outputs],
        devices=value.devices,
        seed=value.seed,
        resume=_input(value.resume) if value.resume else None,
        threads=value.threads,
        time_limit=value.time_limit,
        memory_bytes=value.memory_bytes,
    )


def _serve(value: Serve) -> pb.Serve:
    return pb.Serve(
        replica_id=value.replica_id,
        generation=value.generation,
        deployment_id=value.deployment_id,
        name=value.name,
        model=_input(value.model),
        context_length=value.context_length,
        slots=value.slots,
        devices=value.devices,
    )


def _input(value: Input) -> pb.Input:
    return pb.Input(
        name=value.name,
        kind=value.kind,
        form=value.form,
        format=value.format,
        files=[_file(file) for file in value.files],
        base=_input(value.base) if value.base else None,
    )


def _output(value: Output) -> pb.Output:
    return pb.Output(name=value.name, kind=value.kind, form=value.form, path=value.path)


def _file(value: FileRef) -> pb.FileRef:
    return pb.FileRef(path=value.path, sha256=value.sha256, size=value.size)


def _verdict(value: Verdict) -> pb.AttemptVerdict:
    return pb.AttemptVerdict(attempt_id=value.attempt_id, verdict=value.verdict, fence=value.fence)


def policy(message: automation_pb2.Policy) -> Policy:
    """A job's policy; what is left out is the usual."""
    return Policy(
        message.priority,
        message.not_before,
        message.lost_after or None,
        message.when_lost or REQUEUE,
        message.time_limit or None,
    )
