"""The Automation service's calls about listeners: who is told of a project's events, and what they were told."""

from __future__ import annotations

import json

from control_plane.domain.listeners.events import CHOICES
from control_plane.rpc.calls import Call
from control_plane.services.listeners import deliveries, listening
from control_plane.services.listeners.listening import Way
from control_plane.store.listeners import DeliveryRecord, ListenerRecord
from control_plane.wording import event_title, say
from tunesmith.v1 import automation_pb2 as pb


def list_ways(call: Call, request: pb.ListListenerWaysRequest) -> pb.ListListenerWaysReply:
    found = listening.ways(call.actor, call.cp, request.project)
    events = [pb.ListenerEvent(name=event, display=event_title(event, call.locale)) for event in CHOICES]
    return pb.ListListenerWaysReply(ways=[_way(call, one) for one in found], events=events)


def add(call: Call, request: pb.AddListenerRequest) -> pb.AddListenerReply:
    asked = request.project, request.way, request.address, list(request.events), request.language or call.locale
    listener, key = listening.add(call.actor, call.cp, *asked)
    return pb.AddListenerReply(listener=_listener(call, listener), key=key)


def list_listeners(call: Call, request: pb.ListListenersRequest) -> pb.ListListenersReply:
    found = listening.listed(call.actor, call.cp, request.project)
    return pb.ListListenersReply(listeners=[_listener(call, one) for one in found])


def change(call: Call, request: pb.ChangeListenerRequest) -> pb.Listener:
    return _listener(call, listening.change(call.actor, call.cp, request.id, list(request.events)))


def test(call: Call, request: pb.TestListenerRequest) -> pb.Delivery:
    return _delivery(call, listening.test(call.actor, call.cp, request.id))


def remove(call: Call, request: pb.RemoveListenerRequest) -> pb.RemoveListenerReply:
    listening.remove(call.actor, call.cp, request.id)
    return pb.RemoveListenerReply()


def list_deliveries(call: Call, request: pb.ListDeliveriesRequest) -> pb.ListDeliveriesReply:
    asked = request.listener_id, request.before_id, request.limit or deliveries.MOST
    _, found = deliveries.listed(call.actor, call.cp, *asked)
    return pb.ListDeliveriesReply(deliveries=[_delivery(call, one) for one in found])


def replay(call: Call, request: pb.ReplayDeliveryRequest) -> pb.Delivery:
    return _delivery(call, deliveries.replay(call.actor, call.cp, request.id))


def _way(call: Call, one: Way) -> pb.ListenerWay:
    why = say(one.problem.code, one.problem.params, call.locale) if one.problem else ""
    return pb.ListenerWay(name=one.name, choices=one.choices, message=why)


def _listener(call: Call, one: ListenerRecord) -> pb.Listener:
    return pb.Listener(
        id=one.id,
        project=call.project_name(one.project_id),
        way=one.way,
        label=one.label,
        events=one.events,
        language=one.language,
        stopped=one.stopped,
        error=one.error,
        message=say(one.error, one.error_params, call.locale) if one.error else "",
        failed_at=one.failed_at,
        added_by=listening.who(one),
        created_at=one.created_at,
    )


def _delivery(call: Call, one: DeliveryRecord) -> pb.Delivery:
    return pb.Delivery(
        id=one.id,
        listener_id=one.listener_id,
        event=one.event,
        payload=json.dumps(one.payload, ensure_ascii=False),
        outcome=one.outcome,
        attempts=one.attempts,
        next_at=0.0 if one.outcome else one.next_at,
        tried_at=one.tried_at,
        code=one.code,
        error=one.error,
        message=say(one.error, one.error_params, call.locale) if one.error else "",
        created_at=one.created_at,
    )
