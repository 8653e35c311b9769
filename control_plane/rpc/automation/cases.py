"""The Automation service's calls about the shipped cases."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import cases
from tunesmith.v1 import automation_pb2 as pb


def list_cases(call: Call, request: pb.ListCasesRequest) -> pb.ListCasesReply:
    found = cases.list_cases(call.actor, call.cp, request.domain, request.task, request.minutes)
    return pb.ListCasesReply(cases=[messages.case(case) for case in found])


def get_file(call: Call, request: pb.GetCaseFileRequest) -> pb.GetCaseFileReply:
    return pb.GetCaseFileReply(data=cases.read_file(call.actor, call.cp, request.case, request.file))
