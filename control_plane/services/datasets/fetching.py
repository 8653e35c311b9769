"""What a draft's fetch is told, and what becomes of what it brings; `sources.py` is what a person does to a source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Told
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import names
from control_plane.domain.connectors import Bounds, Doing, Errand, Fetched
from control_plane.domain.errors import NotFound, SourceColumnsGone, SourceOvertaken
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.preparation import Look, Mapping, Source, read, told
from control_plane.services import secrets
from control_plane.services.access import identity
from control_plane.services.datasets import connectors, uploads
from control_plane.services.datasets.process import Fault
from control_plane.services.listeners import outbox
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.store.sources import SourceRecord

# as control_plane/connectors/__main__.py has them
CONTENT, FETCHED, DESCRIBED = "content", "fetched.json", "described.json"
DESCRIBE_SECONDS = 30
OVERTAKEN = SourceOvertaken().code
_LONGEST_MARK = 1_000  # characters; a longer one is none, and the content itself is compared
_TABLES = ("csv", "parquet", "xlsx")  # kinds of file whose columns are all known from the first rows


def bounds(cp: ControlPlane, doing: Doing, most: int) -> Bounds:
    """What a connector may take; `most` bytes of a file."""
    settings = cp.settings
    seconds = DESCRIBE_SECONDS if doing is Doing.DESCRIBE else settings.fetch_seconds
    silence = min(settings.fetch_silence_seconds, float(seconds))
    return Bounds(most, seconds, silence, settings.preparation_memory_bytes)


def errand(cp: ControlPlane, draft: DatasetDraftRecord) -> tuple[Errand, dict[str, str]]:
    """What the process is told for a draft, and the secrets that it is handed.

    Raises NotFound, SecretUnreadable; Denied where whoever it is fetched for may no longer upload.
    """
    source = source_of(draft)
    author(draft.created_by, draft.project_id)
    most = min(cp.settings.max_upload_bytes, uploads.bytes_left(cp, UploadRecord.get_by_id(draft.train_upload_id)))
    mark = source.mark if draft.refreshes else ""
    limits, opened = bounds(cp, Doing.FETCH, most), connectors.opened(cp)
    told_errand = Errand(Doing.FETCH, source.connector, source.parameters, limits, opened, mark)
    return told_errand, secrets.opened(cp, source.secret_id)


def source_of(draft: DatasetDraftRecord) -> SourceRecord:
    """What a draft is fetched from. Raises NotFound where it was let go meanwhile."""
    source: SourceRecord | None = SourceRecord.get_or_none(SourceRecord.id == draft.source_id)
    if source is None:
        raise NotFound
    return source


def author(person: str, project_id: int) -> Actor:
    """In whose name data is fetched and saved. Raises Denied where they may no longer upload."""
    return SYSTEM if person == SYSTEM.id else identity.acting_for(int(person), "dataset.upload", project_id)


def found(room: Path) -> Fetched:
    """What the process says of the file that it has left in its folder."""
    return read(Fetched, json.loads((room / FETCHED).read_bytes()))


def is_unchanged(draft: DatasetDraftRecord, fetched: Fetched, room: Path) -> bool:
    """Whether a refresh brought what the last version was made from, by its mark or else byte by byte."""
    if not draft.refreshes:
        return False
    source = source_of(draft)
    return fetched.unchanged or (bool(source.sha256) and _hash(room / CONTENT) == source.sha256)


def newest(draft: DatasetDraftRecord) -> DatasetVersionRecord | None:
    """The newest version of the dataset that a draft refreshes."""
    source = source_of(draft)
    versions = DatasetVersionRecord.select().where(DatasetVersionRecord.dataset == source.dataset_id)
    found: DatasetVersionRecord | None = versions.order_by(DatasetVersionRecord.number.desc()).first()
    return found


def taken(cp: ControlPlane, draft: DatasetDraftRecord, fetched: Fetched, room: Path) -> dict[str, Any]:
    """Put the file where an upload's lies; the columns of the draft that tell of it."""
    source, upload = source_of(draft), UploadRecord.get_by_id(draft.train_upload_id)
    size, name = (room / CONTENT).stat().st_size, uploads.plain(fetched.name or source.label)
    (room / CONTENT).replace(uploads.place(cp, upload))
    with transaction():
        UploadRecord.update(size=size, file_name=name).where(UploadRecord.id == upload.id).execute()
    reading = {**source.reading, "name": name} if draft.refreshes else told(Source(name))
    mark = fetched.mark if len(fetched.mark) <= _LONGEST_MARK else ""
    columns = {"train": reading, "mark": mark}
    return columns if draft.name else {**columns, "name": names.of_title(Path(name).stem) or "data"}


def hold_changes(draft: DatasetDraftRecord) -> None:
    """Raises SourceOvertaken where a refresh would leave out what the newest version has from elsewhere."""
    last = newest(draft)
    if last is not None and last.id != source_of(draft).follows_id:
        raise SourceOvertaken(number=last.number)


def hold_columns(look: Look, mapping: Mapping) -> None:
    """Raises SourceColumnsGone where a table lacks columns that the rows were made of."""
    there = {column.name for column in look.columns}
    gone = sorted({column for columns in mapping.parts.values() for column in columns} - there)
    if gone and look.source.kind in _TABLES:
        raise SourceColumnsGone(columns=gone)


# ---- what a source remembers; each inside a transaction


def saved(cp: ControlPlane, draft: DatasetDraftRecord, version: DatasetVersionRecord, sha256: str) -> None:
    """A version was made of what was fetched: the same is done the next time."""
    if draft.source_id is None:
        return
    mine = SourceRecord.dataset == version.dataset_id
    replaced = SourceRecord.get_or_none(mine, SourceRecord.id != draft.source_id)
    kept = {"schedule": replaced.schedule, "next_at": replaced.next_at} if replaced else {}
    if replaced:
        forget(replaced)
    _write(
        draft,
        dataset=version.dataset_id,
        reading=draft.train,
        mapping=draft.mapping,
        split=draft.split,
        choices=draft.choices,
        mark=draft.mark,
        sha256=sha256,
        follows=version.id,
        looked_at=cp.clock(),
        changed_at=cp.clock(),
        error="",
        error_params={},
        **kept,
    )


def unchanged(cp: ControlPlane, draft: DatasetDraftRecord, mark: str) -> None:
    """A refresh brought nothing new."""
    _write(draft, looked_at=cp.clock(), error="", error_params={}, **({"mark": mark} if mark else {}))


def failed(cp: ControlPlane, draft: DatasetDraftRecord, fault: Fault) -> None:
    """A refresh came to nothing: what there is stays as it is. What somebody has to confirm first is not due again."""
    stopped = {"next_at": 0.0} if fault.code == OVERTAKEN else {}
    _write(draft, looked_at=cp.clock(), error=fault.code, error_params=fault.params, **stopped)
    tell_failed(cp, SourceRecord.get_or_none(SourceRecord.id == draft.source_id), fault.code, fault.params)


def tell_failed(cp: ControlPlane, source: SourceRecord | None, code: str, params: Told[str, Any]) -> None:
    """Have listeners told that the data of a saved dataset was not fetched again; inside a transaction."""
    if source is None or source.dataset_id is None:
        return
    dataset = DatasetRecord.get_by_id(source.dataset_id)
    subject = {"kind": "source", "id": source.id, "name": dataset.name, "title": dataset.title}
    outbox.tell(cp, "source.failed", source.project_id, subject, why=(code, params))


def forget(source: SourceRecord) -> None:
    """Delete a source with its secrets."""
    SourceRecord.delete().where(SourceRecord.id == source.id).execute()
    secrets.remove(source.secret_id)


def drop_unsaved(source_id: int | None) -> None:
    """Delete a source of which nothing was saved, with the draft that was to."""
    source = SourceRecord.get_or_none(SourceRecord.id == source_id, SourceRecord.dataset.is_null())
    if source is not None:
        forget(source)


def topics(draft: DatasetDraftRecord) -> tuple[str, ...]:
    """Whom a change of a draft's source concerns."""
    return (f"source:{draft.source_id}", f"notifications:{draft.created_by}") if draft.refreshes else ()


def _write(draft: DatasetDraftRecord, **columns: Any) -> None:
    changed = {"version": SourceRecord.version + 1} | columns
    SourceRecord.update(**changed).where(SourceRecord.id == draft.source_id).execute()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
