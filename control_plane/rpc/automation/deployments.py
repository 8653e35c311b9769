"""The Automation service's calls about deployments."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import deployments
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


def replica(call: Call, request: pb.ChatRequest) -> ReplicaRecord:
    """Who answers a chat."""
    record = deployments.get(call.actor, call.cp, request.deployment_id)
    return deployments.serving_replica(call.actor, call.cp, call.project_name(record.project_id), record.name)


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
