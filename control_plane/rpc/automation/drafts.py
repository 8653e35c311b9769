"""The Automation service's calls about uploads and drafts: files on their way to become a dataset version."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

from control_plane.domain import documents, preparation
from control_plane.domain.errors import FieldInvalid
from control_plane.domain.preparation import Choice, Mapping, Source, Split, told
from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.datasets import drafts, uploads
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb

T = TypeVar("T")

_HOW_TO_READ = ("kind", "packing", "encoding", "delimiter", "sheet")


def begin_upload(call: Call, request: pb.BeginUploadRequest) -> pb.Upload:
    begun = uploads.begin(call.actor, call.cp, request.project, request.file_name, request.size, request.fingerprint)
    return _upload(call, begun)


def get_upload(call: Call, request: pb.GetUploadRequest) -> pb.Upload:
    return upload_of(call, request.id)


def upload_of(call: Call, upload_id: int) -> pb.Upload:
    return _upload(call, uploads.get(call.actor, call.cp, upload_id))


def appending(upload_id: int, offset: int, piece: bytes) -> Callable[[Call], pb.Upload]:
    """The service that adds a piece to an upload."""
    return lambda call: _upload(call, uploads.append(call.actor, call.cp, upload_id, offset, BytesIO(piece)))


def list_uploads(call: Call, request: pb.ListUploadsRequest) -> pb.ListUploadsReply:
    found = uploads.list_uploads(call.actor, call.cp, request.project)
    return pb.ListUploadsReply(uploads=[_upload(call, upload) for upload in found])


def cancel_upload(call: Call, request: pb.CancelUploadRequest) -> pb.Upload:
    uploads.cancel(call.actor, call.cp, request.id)
    return upload_of(call, request.id)


def begin(call: Call, request: pb.BeginDraftRequest) -> pb.Draft:
    files = request.train_upload_id, request.test_upload_id or None
    return whole(call, drafts.begin(call.actor, call.cp, request.project, *files, name=request.name))


def get(call: Call, request: pb.GetDraftRequest | pb.WaitDraftRequest) -> pb.Draft:
    return whole(call, drafts.get(call.actor, call.cp, request.id))


def list_drafts(call: Call, request: pb.ListDraftsRequest) -> pb.ListDraftsReply:
    found = drafts.list_drafts(call.actor, call.cp, request.project)
    return pb.ListDraftsReply(drafts=[_draft(call, draft) for draft in found])


def change(call: Call, request: pb.ChangeDraftRequest) -> pb.Draft:
    """Raises FieldInvalid for what is not JSON, or not of that shape."""
    changed = drafts.change(
        call.actor,
        call.cp,
        request.id,
        mapping=read_json("mapping", request.mapping, _as(Mapping)),
        choices=read_json("choices", request.choices, _choices),
        split=read_json("split", request.split, _as(Split)),
        source=read_json("source", request.source, lambda written: _as(Source)({**written, "name": ""})),
        base_model_id=request.base_model_id if request.HasField("base_model_id") else None,
    )
    return whole(call, changed)


def preview(call: Call, request: pb.PreviewDraftRequest) -> pb.PreviewDraftReply:
    mapping = read_json("mapping", request.mapping, _as(Mapping)) or Mapping()
    found = drafts.preview(call.actor, call.cp, request.id, mapping)
    return pb.PreviewDraftReply(records=[_previewed(call, one) for one in found])


def save(call: Call, request: pb.SaveDraftRequest) -> pb.Draft:
    return whole(call, drafts.save(call.actor, call.cp, request.id, request.name))


def cancel(call: Call, request: pb.CancelDraftRequest) -> pb.Draft:
    return whole(call, drafts.cancel(call.actor, call.cp, request.id))


def _as(kind: type[T]) -> Callable[[dict[str, Any]], T]:
    return lambda written: preparation.read(kind, written)


def _choices(written: dict[str, Any]) -> dict[str, Choice]:
    return {check: Choice(choice) for check, choice in written.items()}


def read_json(field: str, text: str, read: Callable[[dict[str, Any]], T]) -> T | None:
    """What a field's JSON says; None where it is empty. Raises FieldInvalid."""
    if not text:
        return None
    try:
        return read(documents.parse(text))
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise FieldInvalid(field=field, problem=str(problem)[:200]) from problem


def _upload(call: Call, record: UploadRecord) -> pb.Upload:
    return pb.Upload(
        id=record.id,
        project=call.project_name(record.project_id),
        file_name=record.file_name,
        size=record.size,
        arrived=record.arrived,
        created_at=record.created_at,
        over_at=record.over_at,
        fingerprint=record.fingerprint,
    )


def whole(call: Call, record: DatasetDraftRecord) -> pb.Draft:
    """A draft with what was found."""
    message = _draft(call, record)
    look = drafts.look(call.actor, call.cp, record.id)
    report = drafts.report(call.actor, call.cp, record.id)
    message.look = _json(messages.shortened(told(look))) if look else ""
    message.report = _json(messages.shortened(told(report))) if report else ""
    return message


def _draft(call: Call, record: DatasetDraftRecord) -> pb.Draft:
    return pb.Draft(
        id=record.id,
        project=call.project_name(record.project_id),
        name=record.name,
        file_name=record.train["name"],
        state=record.state,
        version=record.version,
        done_bytes=record.done_bytes,
        of_bytes=record.of_bytes,
        waits=drafts.waits(record),
        error=record.error,
        message=say(record.error, record.error_params, call.locale) if record.error else "",
        dataset_version_id=record.dataset_version_id or 0,
        source=_json({part: record.train[part] for part in _HOW_TO_READ}),
        mapping=_json(record.mapping) if record.mapping else "",
        split=_json(record.split),
        choices=_json(record.choices),
        created_at=record.created_at,
        source_id=record.source_id or 0,
        base_model_id=record.base_model_id or 0,
        edits_version_id=record.edits_id or 0,
    )


def _previewed(call: Call, one: drafts.Previewed) -> pb.PreviewedRecord:
    problem = one.problem
    return pb.PreviewedRecord(
        record=_json(messages.shortened(one.record)),
        row=_json(messages.shortened(one.row)) if one.row else "",
        message=say(problem.code, problem.params, call.locale) if problem else "",
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
