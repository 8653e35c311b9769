"""The Automation service's calls about datasets: their versions, rows and uploads."""

from __future__ import annotations

import json
from typing import Any

from control_plane.domain import documents
from control_plane.domain.errors import FieldInvalid
from control_plane.domain.preparation import Example, told
from control_plane.rpc import messages
from control_plane.rpc.automation import drafts
from control_plane.rpc.calls import Call
from control_plane.services.access import projects
from control_plane.services.datasets import (
    differences,
    editing,
    json_lines,
    lengths,
    readers,
    reports,
    rows,
    searching,
    seeing,
    versions,
)
from control_plane.store.datasets import DatasetRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb

_ROWS, _MOST = 20, 200


def list_datasets(call: Call, request: pb.ListDatasetsRequest) -> pb.ListDatasetsReply:
    found = versions.list_versions(call.actor, call.cp, request.project, request.tag)
    return pb.ListDatasetsReply(versions=[messages.dataset_version(dataset, version) for dataset, version in found])


def list_rows(call: Call, request: pb.ListRowsRequest) -> pb.ListRowsReply:
    split, limit = request.split or "train", request.limit or _ROWS
    found = rows.page(call.actor, call.cp, request.dataset_version_id, split, request.offset, limit)
    return pb.ListRowsReply(rows=messages.rows(found))


def get(call: Call, request: pb.GetDatasetVersionRequest) -> pb.DatasetVersionDetails:
    dataset, version = versions.of_version(call.actor, call.cp, request.id)
    report, fault = reports.of_version(call.cp, version), reports.fault_of(version)
    return pb.DatasetVersionDetails(
        version=messages.dataset_version(dataset, version),
        mapping=_json(version.mapping) if version.mapping else "",
        source=_json(version.source),
        facts=_json(version.facts),
        report=_json(messages.shortened(told(report))) if report else "",
        is_being_checked=version.to_check,
        check_message=say(fault.code, fault.params, call.locale) if fault else "",
        job_ids=[job.id for job in readers.jobs_of(call.actor, call.cp, version.id)],
        model_ids=[model.id for model in readers.models_of(call.actor, call.cp, version.id)],
    )


def search(call: Call, request: pb.SearchRowsRequest) -> pb.SearchRowsReply:
    split, offset, limit = request.split or "train", *_window(request)
    found = searching.find(
        call.actor,
        call.cp,
        request.dataset_version_id,
        split,
        request.text,
        request.check,
        offset,
        limit,
        request.after,
    )
    listed = [pb.NumberedRow(number=number, row=_json(row)) for number, row in found.rows]
    shown = messages.fitting(listed, lambda one: len(one.row))
    return pb.SearchRowsReply(rows=shown, total=found.total, after=found.after)


def see(call: Call, request: pb.SeeRowRequest) -> pb.SeenRow:
    wish, number = seeing.Wish(request.model_id, request.learn_from, request.max_length), request.number or 1
    if request.draft_id:
        found = seeing.of_draft(call.actor, call.cp, request.draft_id, wish, number)
    else:
        split = request.split or "train"
        found = seeing.of_version(call.actor, call.cp, request.dataset_version_id, wish, split, number)
    every = [_example(one) for one in found.seen.examples]
    shown = messages.fitting(every, lambda one: sum(len(piece.text) for piece in one.pieces))
    return pb.SeenRow(
        model_id=found.model.id,
        model=found.model.name,
        limit=found.limit,
        learn_from=found.learn_from,
        by_template=found.seen.by_template,
        examples=shown,
        hidden_examples=found.seen.hidden_examples + len(every) - len(shown),
    )


def measure(call: Call, request: pb.MeasureLengthsRequest) -> pb.MeasuredLengths:
    found = lengths.of_version(call.actor, call.cp, request.dataset_version_id, request.model_id)
    spread = found.histogram
    return pb.MeasuredLengths(
        model_id=found.model.id,
        model=found.model.name,
        limit=spread["limit"],
        counted_rows=found.counted,
        edges=spread["edges"],
        counts=spread["counts"],
    )


def edit(call: Call, request: pb.EditRowsRequest) -> pb.EditRowsReply:
    """Raises FieldInvalid for a row that is no JSON object, or is changed twice."""
    changed = {one.number: _row(one.row) for one in request.changed}
    if len(changed) < len(request.changed):
        raise FieldInvalid(field="number", problem="2 ×")
    added = [_row(row) for row in request.added]
    begun = editing.begin(
        call.actor, call.cp, request.dataset_version_id, request.split or "train", changed, request.removed, added
    )
    if begun.draft:
        return pb.EditRowsReply(draft=drafts.whole(call, begun.draft))
    assert begun.version is not None
    dataset = DatasetRecord.get_by_id(begun.version.dataset_id)
    return pb.EditRowsReply(version=messages.dataset_version(dataset, begun.version, begun.is_reused))


def compare(call: Call, request: pb.CompareDatasetVersionsRequest) -> pb.CompareDatasetVersionsReply:
    found = differences.compare(call.actor, call.cp, request.old_id, request.new_id, *_window(request))
    listed = [
        pb.DifferingRow(
            kind=one.kind,
            split=one.place[0],
            number=one.place[1],
            old="" if one.old is None else _json(one.old),
            new="" if one.new is None else _json(one.new),
        )
        for one in found.rows
    ]
    shown = messages.fitting(listed, lambda one: len(one.old) + len(one.new))
    return pb.CompareDatasetVersionsReply(**found.counts, is_cut=found.is_cut, rows=shown)


def _example(one: Example) -> pb.SeenExample:
    written = told(one)
    return pb.SeenExample(**written | {"pieces": [pb.SeenPiece(**piece) for piece in written["pieces"]]})


def _window(request: pb.SearchRowsRequest | pb.CompareDatasetVersionsRequest) -> tuple[int, int]:
    """What to leave out, and how many to show."""
    return max(0, request.offset), max(0, min(request.limit or _ROWS, _MOST))


def _row(text: str) -> dict[str, Any]:
    try:
        row = documents.parse(text)
    except ValueError as problem:
        raise FieldInvalid(field="row", problem=str(problem)[:200]) from problem
    if not isinstance(row, dict):
        raise FieldInvalid(field="row", problem="{…}")
    return row


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def check(call: Call, header: pb.UploadHeader) -> None:
    """Raises what keeps the caller from uploading."""
    projects.get(call.actor, call.cp, header.project, "dataset.upload")


def keep(call: Call, header: pb.UploadHeader, parts: dict[str, Any]) -> pb.DatasetVersion:
    version, reused = json_lines.upload(
        call.actor,
        call.cp,
        header.project,
        header.name,
        parts["train"],
        parts.get("test"),
        format=header.format,
        test_share=header.test_share,
        split_seed=header.split_seed,
        faulty="leave_out" if header.leave_out_faulty else "refuse",
    )
    return messages.dataset_version(DatasetRecord.get_by_id(version.dataset_id), version, reused)
