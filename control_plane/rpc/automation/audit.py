"""The Automation service's calls about the audit."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import audit
from tunesmith.v1 import automation_pb2 as pb


def list_entries(call: Call, request: pb.ListAuditRequest) -> pb.ListAuditReply:
    found = audit.list_entries(call.actor, call.cp, request.project or None, request.before)
    return pb.ListAuditReply(entries=[messages.audit_entry(entry) for entry in found])
