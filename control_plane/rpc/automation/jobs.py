"""The Automation service's calls about jobs: what was asked for, what they pin, told and left behind."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from control_plane.rpc import messages, wire
from control_plane.rpc.calls import Call
from control_plane.services import forecasts, jobs, methods
from control_plane.store.jobs import EventRecord
from tunesmith.v1 import automation_pb2 as pb

_JOBS_LISTED = 200
_LOG_SLICE = 1 << 20  # bytes
LONGEST_PARAMETERS = 256 << 10  # characters, up to four bytes each; a message takes 1 MiB
_FILE_SLICE = 4 << 20  # bytes


def submit(call: Call, request: pb.SubmitJobRequest) -> pb.Job:
    inputs = {item.name: reference(item) for item in request.inputs}
    record = jobs.submit(
        call.actor,
        call.cp,
        request.project,
        request.method,
        name=request.name,
        parameters=parameters_of(call, request),
        inputs=inputs,
        seed=request.seed,
        idempotency_key=request.idempotency_key,
        policy=wire.policy(request.policy),
    )
    return call.job(record)


def parameters_of(call: Call, request: pb.SubmitJobRequest) -> dict[str, Any]:
    """What was asked for, over what its preset says."""
    given = wire.json_object("parameters", request.parameters, LONGEST_PARAMETERS)
    return methods.with_preset(call.actor, call.cp, request.method, request.preset, given)


def estimate(call: Call, request: pb.EstimateJobRequest) -> pb.JobEstimate:
    found = forecasts.forecast(
        call.actor,
        call.cp,
        request.project,
        request.method,
        wire.json_object("parameters", request.parameters, LONGEST_PARAMETERS),
        {item.name: reference(item) for item in request.inputs},
    )
    places = [
        pb.JobPlace(
            machine_id=one.machine_id,
            machine=one.machine_name,
            device=one.device,
            state=one.state,
            seconds=one.seconds or 0.0,
        )
        for one in found.places
    ]
    return pb.JobEstimate(
        memory_bytes=found.memory,
        disk_bytes=found.disk,
        parts=json.dumps(found.parts),
        factor=found.factor,
        places=places,
    )


def get(call: Call, request: pb.GetJobRequest) -> pb.Job:
    found = call.job(jobs.get(call.actor, call.cp, request.id))
    if (learning := jobs.learning(call.actor, call.cp, request.id)) is not None:
        found.learning.CopyFrom(pb.Learning(**asdict(learning)))
    return found


def list_jobs(call: Call, request: pb.ListJobsRequest) -> pb.ListJobsReply:
    wanted = jobs.Wanted(request.state, request.method, request.text, request.tag)
    found, _ = jobs.list_jobs(call.actor, call.cp, request.project, wanted, _JOBS_LISTED)
    return pb.ListJobsReply(jobs=messages.jobs(request.project, found, {}, call.locale))


def cancel(call: Call, request: pb.CancelJobRequest) -> pb.Job:
    return call.job(jobs.cancel(call.actor, call.cp, request.id))


def read_log(call: Call, request: pb.ReadLogRequest) -> pb.ReadLogReply:
    length = request.length or _LOG_SLICE
    data, size = jobs.read_log(
        call.actor,
        call.cp,
        request.job_id,
        request.stream or "stdout",
        request.offset,
        length,
        attempt_id=request.attempt_id,
    )
    return pb.ReadLogReply(data=data, size=size)


def look(call: Call, request: pb.WaitJobRequest) -> tuple[pb.Job, list[EventRecord]]:
    """The job, and what it reported since the caller last asked."""
    job = call.job(jobs.get(call.actor, call.cp, request.id))
    return job, jobs.events(call.actor, call.cp, request.id, after=request.after_event)


def list_events(call: Call, request: pb.ListEventsRequest) -> pb.ListEventsReply:
    found = jobs.events(call.actor, call.cp, request.job_id, after=request.after, kind=request.kind)
    return pb.ListEventsReply(events=messages.events(found))


def job_config(call: Call, request: pb.GetJobConfigRequest) -> pb.GetJobConfigReply:
    found = jobs.config(call.actor, call.cp, request.job_id)
    return pb.GetJobConfigReply(config=json.dumps(found, ensure_ascii=False))


def list_files(call: Call, request: pb.ListFilesRequest) -> pb.ListFilesReply:
    found = jobs.files(call.actor, call.cp, request.job_id)
    return pb.ListFilesReply(artifacts=[messages.artifact(one) for one in found])


def get_file(call: Call, request: pb.GetFileRequest) -> pb.GetFileReply:
    length = min(request.length or _FILE_SLICE, _FILE_SLICE)
    data, size = jobs.read_file(
        call.actor, call.cp, request.job_id, request.artifact_id, request.path, request.offset, length
    )
    return pb.GetFileReply(data=data, size=size)


def reference(item: pb.InputRef) -> dict[str, Any]:
    """An input as the services take it."""
    return {"id": item.id} | ({"kind": item.kind} if item.kind else {})
