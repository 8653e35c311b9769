"""The Automation service's calls about connectors and sources: where the rows of datasets come from."""

from __future__ import annotations

import json
from typing import Any

from control_plane.domain.schedules import Schedule
from control_plane.rpc.automation import drafts
from control_plane.rpc.calls import Call
from control_plane.services.datasets import connectors, sources
from control_plane.services.datasets.connectors import Offered
from control_plane.store.datasets import DatasetRecord
from control_plane.store.sources import SourceRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb


def list_connectors(call: Call, request: pb.ListConnectorsRequest) -> pb.ListConnectorsReply:
    found = connectors.listed(call.actor, call.cp, request.project, call.locale)
    return pb.ListConnectorsReply(connectors=[_connector(call, one) for one in found])


def look(call: Call, request: pb.LookAtSourceRequest) -> pb.LookAtSourceReply:
    given, secrets = _parameters(request.parameters), dict(request.secrets)
    found = sources.describe(call.actor, call.cp, request.project, request.connector, given, secrets, request.like_id)
    items = [pb.SourceItem(name=one.name, size=one.size, parameters=_json(one.parameters)) for one in found.items]
    return pb.LookAtSourceReply(items=items, is_cut=found.is_cut)


def begin(call: Call, request: pb.BeginSourceRequest) -> pb.Draft:
    given, secrets = _parameters(request.parameters), dict(request.secrets)
    asked = call.actor, call.cp, request.project, request.connector, given, secrets
    return drafts.whole(call, sources.begin(*asked, name=request.name, like=request.like_id))


def list_sources(call: Call, request: pb.ListSourcesRequest) -> pb.ListSourcesReply:
    found = sources.list_sources(call.actor, call.cp, request.project)
    return pb.ListSourcesReply(sources=[_source(call, source, dataset) for source, dataset in found])


def get(call: Call, request: pb.GetSourceRequest) -> pb.Source:
    return _of_id(call, request.id)


def refresh(call: Call, request: pb.RefreshSourceRequest) -> pb.Draft:
    return drafts.whole(call, sources.refresh(call.actor, call.cp, request.id, request.overwrite))


def schedule(call: Call, request: pb.ScheduleSourceRequest) -> pb.Source:
    wished = request.schedule
    given = Schedule(wished.every, wished.cron, wished.time_zone or "UTC")
    sources.schedule(call.actor, call.cp, request.id, given)
    return _of_id(call, request.id)


def remove(call: Call, request: pb.RemoveSourceRequest) -> pb.RemoveSourceReply:
    sources.remove(call.actor, call.cp, request.id)
    return pb.RemoveSourceReply()


def _connector(call: Call, one: Offered) -> pb.Connector:
    return pb.Connector(
        name=one.name,
        display=one.display,
        description=one.description,
        parameters=_json(one.parameters),
        secrets=_json(one.secrets),
        message=say(one.problem.code, one.problem.params, call.locale) if one.problem else "",
    )


def _of_id(call: Call, source_id: int) -> pb.Source:
    source = sources.get(call.actor, call.cp, source_id)
    return _source(call, source, DatasetRecord.get_by_id(source.dataset_id) if source.dataset_id else None)


def _source(call: Call, source: SourceRecord, dataset: DatasetRecord | None) -> pb.Source:
    running = sources.refreshing(source)
    return pb.Source(
        id=source.id,
        project=call.project_name(source.project_id),
        dataset=dataset.name if dataset else "",
        connector=source.connector,
        # an address may hold more than whoever only looks should know, as a signature
        parameters=_json(source.parameters if call.actor.may("dataset.upload", source.project_id) else {}),
        has_secrets=source.secret_id is not None,
        label=source.label,
        schedule=pb.Schedule(**source.schedule) if source.schedule else None,
        next_at=source.next_at,
        looked_at=source.looked_at,
        changed_at=source.changed_at,
        error=source.error,
        message=say(source.error, source.error_params, call.locale) if source.error else "",
        draft_id=running.id if running else 0,
        created_at=source.created_at,
    )


def _parameters(text: str) -> dict[str, Any]:
    return drafts.read_json("parameters", text, dict) or {}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
