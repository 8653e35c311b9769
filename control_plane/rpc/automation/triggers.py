"""The Automation service's calls about triggers: what starts a workflow by itself, and what it started."""

from __future__ import annotations

import json
from typing import Any

from control_plane.domain.preparation import read
from control_plane.domain.schedules import Schedule
from control_plane.domain.workflows.triggers import ONCE, SCHEDULE, Quiet
from control_plane.rpc.automation import drafts
from control_plane.rpc.calls import Call
from control_plane.services.triggers import setting
from control_plane.services.triggers.setting import Wanted
from control_plane.store.triggers import FiringRecord, TriggerRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb


def add(call: Call, request: pb.AddTriggerRequest) -> pb.AddTriggerReply:
    given: dict[str, Any] = drafts.read_json("given", request.given, dict) or {}
    wanted = Wanted(
        kind=request.kind,
        schedule=Schedule(request.schedule.every, request.schedule.cron, request.schedule.time_zone or "UTC"),
        missed=request.missed or ONCE,
        dataset=request.dataset,
        quiet=Quiet(request.quiet.begin, request.quiet.end, request.quiet.time_zone or "UTC"),
        given=given,
    )
    trigger, key = setting.add(call.actor, call.cp, request.workflow_id, wanted)
    return pb.AddTriggerReply(trigger=_trigger(call, trigger), key=key)


def list_triggers(call: Call, request: pb.ListTriggersRequest) -> pb.ListTriggersReply:
    found = setting.listed(call.actor, call.cp, request.workflow_id)
    return pb.ListTriggersReply(triggers=[_trigger(call, one) for one in found])


def list_firings(call: Call, request: pb.ListFiringsRequest) -> pb.ListFiringsReply:
    found = setting.firings(call.actor, call.cp, request.trigger_id, request.limit or setting.MOST_LISTED)
    return pb.ListFiringsReply(firings=[_firing(call, one) for one in found])


def remove(call: Call, request: pb.RemoveTriggerRequest) -> pb.RemoveTriggerReply:
    setting.remove(call.actor, call.cp, request.id)
    return pb.RemoveTriggerReply()


def _trigger(call: Call, one: TriggerRecord) -> pb.Trigger:
    quiet = read(Quiet, one.quiet) if one.quiet else None
    return pb.Trigger(
        id=one.id,
        workflow_id=one.workflow_id,
        kind=one.kind,
        schedule=pb.Schedule(**one.schedule) if one.schedule else None,
        missed=one.missed if one.kind == SCHEDULE else "",
        dataset=setting.dataset_names([one]).get(one.dataset, ""),
        quiet=pb.QuietHours(begin=quiet.begin, end=quiet.end, time_zone=quiet.time_zone) if quiet else None,
        given=json.dumps(one.given, ensure_ascii=False),
        next_at=one.next_at,
        stopped=one.stopped,
        error=one.error,
        message=say(one.error, one.error_params, call.locale) if one.error else "",
        added_by=setting.who(one),
        created_at=one.created_at,
    )


def _firing(call: Call, one: FiringRecord) -> pb.Firing:
    return pb.Firing(
        id=one.id,
        due_at=one.due_at,
        outcome=one.outcome,
        run_id=one.run_id or 0,
        error=one.error,
        message=say(one.error, one.error_params, call.locale) if one.error else "",
        created_at=one.created_at,
    )
