"""Edits of a version with many rows, carried out by the process that reads drafts: such a draft has no file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.edits import Edits
from control_plane.domain.errors import NotFound
from control_plane.domain.preparation import Limits, Mapping, Order, Source, Step, read, told
from control_plane.services.datasets import fetching, json_lines, saving, versions
from control_plane.services.datasets.json_lines import Rewritten
from control_plane.services.datasets.versions import Made
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord

ACTION = "dataset.edit"

_FILE, _RESULT = "edits.json", "edited.json"
_MOST_ROWS, _MOST_BYTES = 20_000, 32 << 20  # that are read again while somebody waits: about half a second


def is_large(version: DatasetVersionRecord) -> bool:
    """Whether nobody should wait while its rows are read again."""
    return version.train_rows + version.test_rows > _MOST_ROWS or version.size > _MOST_BYTES


def made_of(version: DatasetVersionRecord) -> Rewritten:
    """What edits make of a version."""
    return Rewritten(ACTION, {"edited_from": version.id})


def write(folder: Path, edits: Edits) -> None:
    (folder / _FILE).write_text(json.dumps(told(edits), ensure_ascii=False), "utf-8")


def written(folder: Path) -> Edits:
    """The edits that lie in a draft's folder. Raises NotFound where they are gone."""
    try:
        return read(Edits, json.loads((folder / _FILE).read_bytes()))
    except FileNotFoundError as problem:
        raise NotFound from problem


def order(cp: ControlPlane, draft: DatasetDraftRecord, folder: Path, limits: Limits) -> Order:
    """What the process is told. Raises NotFound where the rows were deleted for good."""
    version = DatasetVersionRecord.get_by_id(draft.edits_id)
    parts = [_source(cp, part, sha256) for part, sha256 in _parts(version) if sha256]
    return Order(
        step=Step.EDIT,
        train=parts[0],
        test=parts[1] if len(parts) > 1 else None,
        limits=limits,
        mapping=Mapping(version.format),
        edits=str(folder / _FILE),
    )


def _parts(version: DatasetVersionRecord) -> tuple[tuple[str, str], ...]:
    return ("train", version.train_sha256), ("test", version.test_sha256)


def _source(cp: ControlPlane, part: str, sha256: str) -> Source:
    return Source(f"{part}.jsonl", str(cp.blobs.path(sha256)), "jsonl", encoding="utf-8")


def kept(cp: ControlPlane, draft: DatasetDraftRecord, room: Path) -> Made:
    """Move what lies in `room` to the blobs; what the version is made of. Called inside `Blobs.holding`."""
    version = DatasetVersionRecord.get_by_id(draft.edits_id)
    found: dict[str, Any] = json.loads((room / _RESULT).read_bytes())
    train, test = (saving.part(cp, room / part, found[f"{part}_rows"]) for part in ("train", "test"))
    return json_lines.rewritten(version, made_of(version), train, test, found["facts"])


def register(cp: ControlPlane, draft: DatasetDraftRecord, made: Made) -> DatasetVersionRecord:
    """The version, by whoever made the edits; called inside a transaction.

    Raises Denied where they may no longer upload, InTrash where the project or the dataset was put there meanwhile.
    """
    who, of = fetching.author(draft.created_by, draft.project_id), DatasetVersionRecord.get_by_id(draft.edits_id)
    given = who, cp, draft.project_id, draft.name, made, ACTION
    return versions.register(*given, dataset_id=of.dataset_id)[0]
