"""The Automation service's calls about models and their lineage."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import models
from control_plane.store.models import ModelRecord
from tunesmith.v1 import automation_pb2 as pb

_LISTED = 100  # models or evaluations, where the caller names no limit


def list_models(call: Call, request: pb.ListModelsRequest) -> pb.ListModelsReply:
    limit = request.limit or _LISTED
    found = models.list_models(call.actor, call.cp, request.project, request.form, limit, request.offset, request.tag)
    total = models.count(call.actor, call.cp, request.project, request.form, request.tag)
    return pb.ListModelsReply(models=[messages.model(request.project, model) for model in found], total=total)


def get(call: Call, request: pb.GetModelRequest) -> pb.Model:
    record = models.get(call.actor, call.cp, request.id)
    return messages.model(call.project_name(record.project_id), record)


def lineage(call: Call, request: pb.GetLineageRequest) -> pb.Lineage:
    found = models.lineage(call.actor, call.cp, request.model_id)
    project = call.project_name(found.model.project_id)

    def model(record: ModelRecord | None) -> pb.Model | None:
        return messages.model(project, record) if record else None

    learned = found.dataset_version
    return pb.Lineage(
        model=model(found.model),
        dataset_version=messages.dataset_version(found.dataset, learned) if found.dataset and learned else None,
        base=model(found.base),
        origin=model(found.origin),
        evaluation_ids=[one.id for one in found.evaluations],
        packaged=[messages.model(project, one) for one in found.packaged],
        deployments=messages.of_deployments(call.cp, project, found.deployments, call.locale),
    )
