"""Drafts: files on their way to become a dataset version. Whoever began one sees it, changes it and saves it."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import mapping as mappings
from control_plane.domain import names
from control_plane.domain.edits import Edits
from control_plane.domain.errors import (
    DraftNotReady,
    DraftOver,
    DraftsTooMany,
    FieldInvalid,
    NotFound,
    RowsInvalid,
    TokenizerMissing,
)
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.preparation import CHOICES, Choice, DraftState, Look, Mapping, Report, Source, Split, told
from control_plane.domain.rows import FORMATS
from control_plane.preparations import DRAFT
from control_plane.services import audit, tokenizers
from control_plane.services.access import projects
from control_plane.services.datasets import large_edits, preparing, uploads
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord

PERIOD = 3_600.0  # seconds between two looks at what is old

OVER = (DraftState.SAVED, DraftState.CANCELLED)

_MOST_LISTED = 200
_KINDS = ("", "jsonl", "json", "csv", "parquet", "xlsx", "text")
_ENCODINGS = ("", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "windows-1252")
_NO_DELIMITERS = ('"', "\n", "\r")  # they have another meaning in a table
_LONGEST_SHEET = 255  # characters
_LARGEST_SEED = 2**31 - 1
_DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Previewed:
    """What a mapping makes of one of the first records."""

    record: dict[str, Any]
    row: dict[str, Any] | None
    problem: RowsInvalid | None  # why it makes none


def begin(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    train_upload_id: int,
    test_upload_id: int | None = None,
    name: str = "",
) -> DatasetDraftRecord:
    """Have a file that has arrived looked at, then checked with the mapping that suggests itself.

    With `test_upload_id`, its rows are held out. Without a name the file gives one.
    Raises NotFound, Denied, NameInvalid, UploadIncomplete, UploadGone, DraftsTooMany.
    """
    project_id = projects.get(actor, cp, project, "dataset.upload").id
    train = uploads.whole(actor, cp, train_upload_id)
    test = None if test_upload_id is None else uploads.whole(actor, cp, test_upload_id)
    if any(file.project_id != project_id for file in (train, test) if file):
        raise NotFound
    called = names.checked(name or names.of_title(PurePath(train.file_name).stem) or "data")
    base = tokenizers.for_lengths(actor, cp, project)
    with transaction():
        _limit(actor, cp)
        now = cp.clock()
        draft = DatasetDraftRecord.create(
            project=project_id,
            name=called,
            train_upload=train,
            test_upload=test,
            train=told(Source(train.file_name)),
            test=told(Source(test.file_name)) if test else None,
            split=told(Split()),
            base_model=base,
            state=DraftState.LOOKING,
            created_by=actor.id,
            created_at=now,
            touched_at=now,
        )
        audit.record(actor, cp, "draft.begin", f"draft:{draft.id}", project_id, name=called, file=train.file_name)
    cp.signals.wake("schedule", f"project:{project_id}")
    return draft


def begin_edit(actor: Actor, cp: ControlPlane, version: DatasetVersionRecord, edits: Edits) -> DatasetDraftRecord:
    """Have sound edits of a version's rows carried out, which takes a while; the draft goes on to a version by itself.

    The caller has shown that the actor may. Raises DraftsTooMany.
    """
    dataset = DatasetRecord.get_by_id(version.dataset_id)
    with transaction():
        _limit(actor, cp)
        now = cp.clock()
        draft = DatasetDraftRecord.create(
            project=dataset.project_id,
            name=dataset.name,
            edits=version,
            train=told(Source(dataset.name)),
            mapping=told(Mapping(version.format)),
            split=told(Split()),
            state=DraftState.EDITING,
            created_by=actor.id,
            created_at=now,
            touched_at=now,
        )
        large_edits.write(preparing.folder(cp, draft), edits)
        said = {"name": dataset.name, "number": version.number, "rows": edits.count}
        audit.record(actor, cp, "draft.begin", f"draft:{draft.id}", dataset.project_id, **said)
    cp.signals.wake("schedule", f"project:{dataset.project_id}")
    return draft


def edits(actor: Actor, cp: ControlPlane, draft_id: int) -> Edits:
    """The edits of a draft that is not over. Raises NotFound."""
    return large_edits.written(preparing.folder(cp, get(actor, cp, draft_id)))


def get(actor: Actor, cp: ControlPlane, draft_id: int) -> DatasetDraftRecord:
    """A draft. Raises NotFound unless the actor began it, InTrash, Denied."""
    draft = DatasetDraftRecord.get_or_none(DatasetDraftRecord.id == draft_id, DatasetDraftRecord.created_by == actor.id)
    if draft is None:
        raise NotFound
    projects.of_id(actor, cp, draft.project_id, "dataset.upload")
    return draft


def list_drafts(actor: Actor, cp: ControlPlane, project: str) -> list[DatasetDraftRecord]:
    """The actor's drafts that are not over, newest first. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "dataset.upload").id
    mine = _open_ones(actor).where(DatasetDraftRecord.project == project_id)
    return list(mine.order_by(DatasetDraftRecord.id.desc()).limit(_MOST_LISTED))


def look(actor: Actor, cp: ControlPlane, draft_id: int) -> Look | None:
    """What the first look at the file found; None before it is done. Raises NotFound."""
    return preparing.found_look(cp, get(actor, cp, draft_id))


def report(actor: Actor, cp: ControlPlane, draft_id: int) -> Report | None:
    """What the last check of the rows found; None before it is done. Raises NotFound."""
    return preparing.found_report(cp, get(actor, cp, draft_id))


def is_fetched(cp: ControlPlane, draft: DatasetDraftRecord) -> bool:
    """Whether its file is here, if it is one that is fetched."""
    if draft.source_id is None:
        return True
    return uploads.place(cp, UploadRecord.get_by_id(draft.train_upload_id)).is_file()


def waits(draft: DatasetDraftRecord) -> bool:
    """Whether others are prepared before it."""
    return draft.state in preparing.UNDER_WAY and not draft.started_at


def change(
    actor: Actor,
    cp: ControlPlane,
    draft_id: int,
    mapping: Mapping | None = None,
    choices: Dictionary[str, Choice] | None = None,
    split: Split | None = None,
    source: Source | None = None,
    base_model_id: int | None = None,
) -> DatasetDraftRecord:
    """Change what is given and have the rows checked again; `source`, how to read the file, has it looked at anew.

    `base_model_id` is the model in whose tokens lengths are told; 0: none, in characters. Of edited rows nothing can
    be changed: they are edited once more.
    Raises NotFound, DraftOver, FieldInvalid, InTrash, TokenizerMissing.
    """
    draft = _open(actor, cp, draft_id)
    columns: dict[str, Any] = {}
    if mapping is not None:
        columns["mapping"] = told(_allowed_mapping(mapping))
    if choices is not None:
        columns["choices"] = {check: str(_allowed_choice(check, choice)) for check, choice in choices.items()}
    if split is not None:
        columns["split"] = told(_allowed_split(split))
    if source is not None:
        columns["train"] = told(_allowed_source(draft, source))
        columns.setdefault("mapping", None)
    if base_model_id is not None:
        columns["base_model"] = _allowed_model(actor, cp, draft, base_model_id)
    if draft.edits_id is not None and columns:
        raise FieldInvalid(field=min(columns), problem="…")
    is_read_anew = source is not None or preparing.found_look(cp, draft) is None
    to = _fetched_first(cp, draft, DraftState.LOOKING if is_read_anew else DraftState.CHECKING)
    to = to if draft.edits_id is None else DraftState.EDITING
    with transaction():
        while not preparing.begin_step(cp, draft, to, **columns):
            draft = _open(actor, cp, draft_id)  # it has moved on meanwhile
        audit.record(actor, cp, "draft.change", f"draft:{draft.id}", draft.project_id, changed=sorted(columns))
    preparing.moved(cp, draft)
    return get(actor, cp, draft_id)


def preview(actor: Actor, cp: ControlPlane, draft_id: int, mapping: Mapping) -> list[Previewed]:
    """What a mapping would make of the first records; nothing is changed. Raises NotFound, FieldInvalid."""
    found = look(actor, cp, draft_id)
    _allowed_mapping(mapping)
    if found is None:
        return []
    file = found.source.name
    return [_previewed(mapping, record, {"file": file, "line": at}) for at, record in enumerate(found.samples, 1)]


def save(actor: Actor, cp: ControlPlane, draft_id: int, name: str = "") -> DatasetDraftRecord:
    """Make a dataset version of it, which takes a while.

    Raises NotFound, NameInvalid, DraftOver, DraftNotReady.
    """
    draft = get(actor, cp, draft_id)
    called = names.checked(name or draft.name)
    if draft.state in OVER:
        raise DraftOver(state=draft.state)
    with transaction():
        is_ready = draft.state == DraftState.READY
        if not is_ready or not preparing.begin_step(cp, draft, DraftState.SAVING, name=called):
            raise DraftNotReady
        audit.record(actor, cp, "draft.save", f"draft:{draft.id}", draft.project_id, name=called)
    preparing.moved(cp, draft)
    return get(actor, cp, draft_id)


def cancel(actor: Actor, cp: ControlPlane, draft_id: int) -> DatasetDraftRecord:
    """End a draft and remove its files; one that is over stays as it is. Raises NotFound."""
    draft = get(actor, cp, draft_id)
    if draft.state in OVER:
        return draft
    with transaction():
        while not preparing.move(cp, draft, state=DraftState.CANCELLED, fence=draft.fence + 1):
            draft = get(actor, cp, draft_id)  # it has moved on meanwhile
            if draft.state in OVER:
                return draft
        audit.record(actor, cp, "draft.cancel", f"draft:{draft.id}", draft.project_id, name=draft.name)
    preparing.moved(cp, draft)
    preparing.remove_files(cp, draft)
    return get(actor, cp, draft_id)


def forget_old(cp: ControlPlane) -> int:
    """Delete drafts and uploads that nobody has touched for so many days; how many."""
    before = cp.clock() - cp.settings.draft_days * _DAY
    old = list(DatasetDraftRecord.select().where(DatasetDraftRecord.touched_at < before))
    for draft in old:
        cp.preparations.stop((DRAFT, draft.id))
        with transaction():
            DatasetDraftRecord.delete().where(DatasetDraftRecord.id == draft.id).execute()
        preparing.remove_files(cp, draft)
    named = DatasetDraftRecord.select(DatasetDraftRecord.train_upload, DatasetDraftRecord.test_upload)
    used = {number for one in named for number in (one.train_upload_id, one.test_upload_id) if number}
    unused = [one for one in UploadRecord.select().where(UploadRecord.touched_at < before) if one.id not in used]
    for upload in unused:
        with transaction():
            UploadRecord.delete().where(UploadRecord.id == upload.id).execute()
        uploads.remove(cp, upload)
    if old or unused:
        with transaction():
            audit.record(SYSTEM, cp, "draft.forget", "drafts", drafts=len(old), uploads=len(unused))
    return len(old) + len(unused)


def _fetched_first(cp: ControlPlane, draft: DatasetDraftRecord, to: DraftState) -> DraftState:
    """What a draft has to go through where its file was not fetched yet."""
    return to if is_fetched(cp, draft) else DraftState.FETCHING


def _limit(actor: Actor, cp: ControlPlane) -> None:
    """Raises DraftsTooMany: one file can be in many of them. Inside a transaction."""
    if (count := _open_ones(actor).count()) >= cp.settings.uploads_per_person:
        raise DraftsTooMany(count=count)


def _open_ones(actor: Actor) -> Any:
    mine = (DatasetDraftRecord.created_by == actor.id) & ~DatasetDraftRecord.refreshes
    return DatasetDraftRecord.select().where(mine, DatasetDraftRecord.state.not_in(list(OVER)))


def _open(actor: Actor, cp: ControlPlane, draft_id: int) -> DatasetDraftRecord:
    draft = get(actor, cp, draft_id)
    if draft.state in (*OVER, DraftState.SAVING):
        raise DraftOver(state=draft.state)
    return draft


def _previewed(mapping: Mapping, record: dict[str, Any], place: dict[str, object]) -> Previewed:
    try:
        return Previewed(record, mappings.apply(mapping, record), None)
    except RowsInvalid as problem:
        problem.params = {**place, **problem.params}
        return Previewed(record, None, problem)


def _allowed_mapping(mapping: Mapping) -> Mapping:
    if mapping.format not in FORMATS:
        raise FieldInvalid(field="format", problem=", ".join(FORMATS))
    fields = FORMATS[mapping.format]
    if not set(mapping.parts) <= set(fields) or not any(mapping.parts.values()):
        raise FieldInvalid(field="mapping", problem=", ".join(fields))
    return mapping


def _allowed_model(actor: Actor, cp: ControlPlane, draft: DatasetDraftRecord, model_id: int) -> int | None:
    if not model_id:
        return None
    model = tokenizers.chosen(actor, cp, draft.project_id, model_id)
    if not tokenizers.is_readable(cp, model):
        raise TokenizerMissing(model=model.name)
    return model_id


def _allowed_choice(check: str, choice: Choice) -> Choice:
    possible = CHOICES.get(check)
    if possible is None:
        raise FieldInvalid(field="choices", problem=", ".join(CHOICES))
    if choice not in possible:
        raise FieldInvalid(field=check, problem=", ".join(possible))
    return choice


def _allowed_split(split: Split) -> Split:
    if not 0 <= split.share <= 0.5:
        raise FieldInvalid(field="share", problem="0 … 0.5")
    if not 0 <= split.seed <= _LARGEST_SEED:
        raise FieldInvalid(field="seed", problem=f"0 … {_LARGEST_SEED}")
    return split


def _allowed_source(draft: DatasetDraftRecord, source: Source) -> Source:
    """How to read the file that is there: neither its name nor its place is to be chosen."""
    if source.kind not in _KINDS:
        raise FieldInvalid(field="kind", problem=", ".join(filter(None, _KINDS)))
    if source.encoding not in _ENCODINGS:
        raise FieldInvalid(field="encoding", problem=", ".join(filter(None, _ENCODINGS)))
    is_known = source.delimiter in ("\n", "\n\n") if source.kind == "text" else source.delimiter not in _NO_DELIMITERS
    if source.delimiter and not (is_known and (len(source.delimiter) == 1 or source.kind == "text")):
        raise FieldInvalid(field="delimiter", problem=", ; | ⇥")
    if len(source.sheet) > _LONGEST_SHEET:
        raise FieldInvalid(field="sheet", problem=f"≤ {_LONGEST_SHEET}")
    return replace(source, name=draft.train["name"], path="", packing="")
