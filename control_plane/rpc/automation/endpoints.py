"""The Automation service's calls about endpoints: models of others that are asked over the network."""

from __future__ import annotations

from control_plane.rpc.calls import Call
from control_plane.services.endpoints import asking, keeping
from control_plane.services.endpoints.keeping import DAILY_CALLS, Wanted
from control_plane.store.endpoints import EndpointRecord
from tunesmith.v1 import automation_pb2 as pb


def list_endpoints(call: Call, request: pb.ListEndpointsRequest) -> pb.ListEndpointsReply:
    found = keeping.list_endpoints(call.actor, call.cp, request.project)
    return pb.ListEndpointsReply(endpoints=[_message(call, one) for one in found])


def save(call: Call, request: pb.SaveEndpointRequest) -> pb.Endpoint:
    wanted = Wanted(request.address, request.model, request.key, request.daily_calls or DAILY_CALLS)
    return _message(call, keeping.save(call.actor, call.cp, request.project, request.name, wanted))


def test(call: Call, request: pb.TestEndpointRequest) -> pb.TestEndpointReply:
    tried = asking.test(call.actor, call.cp, request.id)
    return pb.TestEndpointReply(answer=tried.answer, seconds=tried.seconds)


def remove(call: Call, request: pb.RemoveEndpointRequest) -> pb.RemoveEndpointReply:
    keeping.remove(call.actor, call.cp, request.id)
    return pb.RemoveEndpointReply()


def _message(call: Call, record: EndpointRecord) -> pb.Endpoint:
    return pb.Endpoint(
        id=record.id,
        project=call.project_name(record.project_id),
        name=record.name,
        address=record.address,
        model=record.model,
        has_key=record.secret_id is not None,
        daily_calls=record.daily_calls,
        calls_today=keeping.calls_today(call.cp, record),
        created_at=record.created_at,
    )
