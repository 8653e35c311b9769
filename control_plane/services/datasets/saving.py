"""The version that a draft becomes, of what its last process has written."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.preparation import Report, read
from control_plane.services.datasets import fetching, row_index, uploads, versions
from control_plane.services.datasets.versions import Made, Part
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.store.models import ModelRecord


def register(cp: ControlPlane, draft: DatasetDraftRecord, made: Made) -> DatasetVersionRecord:
    """The version of the draft's dataset, by whoever began the draft; called inside a transaction.

    A refresh makes one of its source's dataset and of no other, whatever bears the name by now.
    Raises Denied where they may no longer upload, InTrash where the project or that dataset has been put there
    meanwhile.
    """
    who = fetching.author(draft.created_by, draft.project_id)
    dataset_id = fetching.source_of(draft).dataset_id if draft.refreshes else None
    given = who, cp, draft.project_id, draft.name, made, "dataset.upload"
    return versions.register(*given, dataset_id=dataset_id, is_news=draft.source_id is not None)[0]


def made_of(cp: ControlPlane, draft: DatasetDraftRecord, room: Path, columns: str) -> Made:
    """Move what lies in `room` to the blobs; what a version is made of. Called inside `Blobs.holding`.

    By `columns`, the mark of the file's, its mapping is offered for the next file that has the same.

    Raises DiskFull.
    """
    written = (room / "report.json").read_bytes()
    report = read(Report, json.loads(written))
    return Made(
        format=report.format,
        train=part(cp, room / "train", report.train_rows),
        test=part(cp, room / "test", report.test_rows),
        left_out=part(cp, room / "left_out", report.left_out_rows),
        marks_sha256=blob(cp, room / "marks"),
        report_sha256=cp.blobs.put_bytes(written),
        split_seed=draft.split.get("seed") if report.test_rows and not draft.test_upload_id else None,
        facts=report.facts | _counted_by(draft, report),
        mapping=draft.mapping,
        source=_source(cp, draft) | {"columns": columns},
    )


def _counted_by(draft: DatasetDraftRecord, report: Report) -> dict[str, Any]:
    """Whose tokens the lengths are told in, if they are: as `facts` have it."""
    if report.facts.get("histogram", {}).get("unit") != "tokens":
        return {}
    model = ModelRecord.get_by_id(draft.base_model_id)
    return {"base_model": {"id": model.id, "name": model.name}}


def part(cp: ControlPlane, path: Path, rows: int) -> Part:
    """Move the rows of a part to the blobs. Called inside `Blobs.holding`."""
    if not rows:
        return Part()
    size = path.stat().st_size
    sha256 = blob(cp, path)
    row_index.ensure(cp, sha256)
    return Part(sha256, size, rows)


def blob(cp: ControlPlane, path: Path) -> str:
    """Move a file to the blobs; its hash, empty where there is nothing in it."""
    if not path.is_file() or not path.stat().st_size:
        return ""
    sha256 = _hash(path)
    cp.blobs.take(path, sha256)
    return sha256


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _source(cp: ControlPlane, draft: DatasetDraftRecord) -> dict[str, Any]:
    """What is told of the file that a version was made from."""
    upload = UploadRecord.get_by_id(draft.train_upload_id)
    path = uploads.place(cp, upload)
    return {"name": upload.file_name, "kind": draft.train["kind"], "sha256": _hash(path), "size": upload.size}
