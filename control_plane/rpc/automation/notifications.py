"""The Automation service's calls about what a user is told."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import notifications
from tunesmith.v1 import automation_pb2 as pb


def list_notifications(call: Call, request: pb.ListNotificationsRequest) -> pb.ListNotificationsReply:
    found = notifications.listed(call.actor, call.cp)
    told = [messages.notification(one, call.locale) for one in found]
    return pb.ListNotificationsReply(notifications=told, unread=notifications.unread(call.actor, call.cp))


def mark_read(call: Call, request: pb.MarkNotificationsReadRequest) -> pb.MarkNotificationsReadReply:
    notifications.mark_read(call.actor, call.cp, request.until)
    return pb.MarkNotificationsReadReply()
