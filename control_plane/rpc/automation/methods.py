"""The Automation service's calls about methods."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import methods
from tunesmith.v1 import automation_pb2 as pb


def list_methods(call: Call, request: pb.ListMethodsRequest) -> pb.ListMethodsReply:
    found = methods.list_methods(call.actor, call.cp)
    return pb.ListMethodsReply(methods=[messages.method(method) for method in found])
