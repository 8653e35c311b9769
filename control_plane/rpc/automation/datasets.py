"""The Automation service's calls about datasets: their versions, rows and uploads."""

from __future__ import annotations

from typing import Any

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services.access import projects
from control_plane.services.datasets import json_lines, rows, versions
from control_plane.store.datasets import DatasetRecord
from tunesmith.v1 import automation_pb2 as pb

_ROWS = 20


def list_datasets(call: Call, request: pb.ListDatasetsRequest) -> pb.ListDatasetsReply:
    found = versions.list_versions(call.actor, call.cp, request.project, request.tag)
    return pb.ListDatasetsReply(versions=[messages.dataset_version(dataset, version) for dataset, version in found])


def list_rows(call: Call, request: pb.ListRowsRequest) -> pb.ListRowsReply:
    split, limit = request.split or "train", request.limit or _ROWS
    found = rows.page(call.actor, call.cp, request.dataset_version_id, split, request.offset, limit)
    return pb.ListRowsReply(rows=messages.rows(found))


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
