"""The Automation service's calls that look inside: rows of a dataset, a job's pins and files, a model's lineage."""

from __future__ import annotations

import json

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import datasets, jobs, models
from control_plane.store.models import ModelRecord
from tunesmith.v1 import automation_pb2 as pb

_ROWS = 20
_FILE_SLICE = 4 << 20  # bytes


def list_rows(call: Call, request: pb.ListRowsRequest) -> pb.ListRowsReply:
    split, limit = request.split or "train", request.limit or _ROWS
    found = datasets.rows(call.actor, call.cp, request.dataset_version_id, split, request.offset, limit)
    return pb.ListRowsReply(rows=messages.rows(found))


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


def lineage(call: Call, request: pb.GetLineageRequest) -> pb.Lineage:
    found = models.lineage(call.actor, call.cp, request.model_id)
    project = call.project_name(found.model.project_id)

    def model(record: ModelRecord | None) -> pb.Model | None:
        return messages.model(project, record) if record else None

    learned = found.dataset_version
    return pb.Lineage(
        model=model(found.model),
        dataset_version=messages.dataset_version(found.dataset.name, learned) if found.dataset and learned else None,
        base=model(found.base),
        origin=model(found.origin),
        evaluation_ids=[one.id for one in found.evaluations],
        packaged=[messages.model(project, one) for one in found.packaged],
        deployments=[messages.deployment(project, one, call.locale) for one in found.deployments],
    )
