"""The Automation service's calls about the audit."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import audit, audit_chain
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb


def list_entries(call: Call, request: pb.ListAuditRequest) -> pb.ListAuditReply:
    found = audit.list_entries(call.actor, call.cp, request.project or None, request.before)
    return pb.ListAuditReply(entries=[messages.audit_entry(entry) for entry in found])


def check(call: Call, request: pb.CheckAuditRequest) -> pb.AuditCheck:
    done = audit_chain.check(call.actor, call.cp, request.head)
    message = say(done.code, done.params, call.locale) if done.code else ""
    return pb.AuditCheck(at=done.at, entries=done.count, code=done.code, message=message)
