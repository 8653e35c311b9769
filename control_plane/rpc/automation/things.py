"""The Automation service's calls about what people make and name: describing, deleting, restoring."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.things import describe as describing
from control_plane.services.things import trash
from tunesmith.v1 import automation_pb2 as pb


def describe(call: Call, request: pb.DescribeThingRequest) -> pb.Thing:
    title = request.title if request.HasField("title") else None
    description = request.description if request.HasField("description") else None
    tags = list(request.tags.tags) if request.HasField("tags") else None
    return messages.thing(describing.describe(call.actor, call.cp, request.kind, request.id, title, description, tags))


def delete(call: Call, request: pb.DeleteThingRequest) -> pb.Thing:
    return messages.thing(trash.delete(call.actor, call.cp, request.kind, request.id))


def restore(call: Call, request: pb.RestoreThingRequest) -> pb.Thing:
    return messages.thing(trash.restore(call.actor, call.cp, request.kind, request.id))


def purge(call: Call, request: pb.PurgeThingRequest) -> pb.PurgeThingReply:
    trash.purge(call.actor, call.cp, request.kind, request.id)
    return pb.PurgeThingReply()


def list_trash(call: Call, request: pb.ListTrashRequest) -> pb.ListTrashReply:
    return pb.ListTrashReply(things=[_trashed(one) for one in trash.list_trash(call.actor, call.cp, request.project)])


def _trashed(one: trash.Trashed) -> pb.Thing:
    message = messages.thing(one.thing)
    message.deleted_by, message.purge_at = one.deleted_by, one.until
    return message
