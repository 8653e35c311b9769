"""The Automation service's calls about deployments."""

from __future__ import annotations

import json

from control_plane.domain.prompts import answer_schema, carried
from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.rpc.chats import LARGEST, read
from control_plane.services import deployments
from control_plane.services.prompts import carrying
from control_plane.store.deployments import ReplicaRecord
from tunesmith.v1 import automation_pb2 as pb


def deploy(call: Call, request: pb.DeployRequest) -> pb.Deployment:
    record = deployments.deploy(
        call.actor,
        call.cp,
        request.project,
        request.name,
        request.model_id,
        context_length=request.context_length or 2048,
        slots=request.slots or 4,
    )
    (made,) = messages.of_deployments(call.cp, request.project, [record], call.locale)
    return made


def carry(call: Call, request: pb.SetDeploymentPromptRequest) -> pb.Deployment:
    schema = answer_schema.parse(request.schema) if request.schema else {}
    carrying.carry(call.actor, call.cp, request.id, request.prompt, schema)
    return _deployment(call, request.id)


def replica(call: Call, request: pb.ChatRequest) -> tuple[ReplicaRecord, bytes]:
    """Who answers a chat, and what they are asked: with what the deployment carries, where the body's `model` says so.

    A body that is too long, or none, is for `Chats` to refuse.
    """
    record = deployments.get(call.actor, call.cp, request.deployment_id)
    found = deployments.serving_replica(call.actor, call.cp, call.project_name(record.project_id), record.name)
    body = request.body.encode()
    if "+" not in request.body or len(body) > LARGEST:
        return found, body
    asked = read(body)
    model = asked.get("model")
    wanted = carried.split(model)[1] if isinstance(model, str) else frozenset[str]()
    if not wanted:
        return found, body
    return found, json.dumps(carrying.applied(record, asked, wanted)).encode()


def get(call: Call, request: pb.GetDeploymentRequest | pb.WaitDeploymentRequest) -> pb.Deployment:
    return _deployment(call, request.id)


def list_deployments(call: Call, request: pb.ListDeploymentsRequest) -> pb.ListDeploymentsReply:
    found = deployments.list_deployments(call.actor, call.cp, request.project, request.tag)
    return pb.ListDeploymentsReply(deployments=messages.of_deployments(call.cp, request.project, found, call.locale))


def stop(call: Call, request: pb.StopDeploymentRequest) -> pb.Deployment:
    deployments.stop(call.actor, call.cp, request.id)
    return _deployment(call, request.id)


def _deployment(call: Call, deployment_id: int) -> pb.Deployment:
    record = deployments.get(call.actor, call.cp, deployment_id)
    (found,) = messages.of_deployments(call.cp, call.project_name(record.project_id), [record], call.locale)
    return found
