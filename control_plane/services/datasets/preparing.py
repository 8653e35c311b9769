"""What carries drafts on: their processes, so many at once, and what becomes of what those leave.

A draft's row says which step it is in; that a process runs for it is known to this process alone. So a step that has
none, because it waits for its turn or because the control plane was started anew, is begun from the start.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping as Dictionary
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.connectors import Errand
from control_plane.domain.datasets import digest
from control_plane.domain.errors import MappingNeeded, PreparationBroke, SourceBroke, UploadGone
from control_plane.domain.preparation import (
    Choice,
    DraftState,
    Limits,
    Look,
    Mapping,
    Order,
    Report,
    Source,
    Split,
    Step,
    read,
    told,
)
from control_plane.preparations import DRAFT
from control_plane.services import tokenizers
from control_plane.services.datasets import fetching, large_edits, process, saving, uploads, versions
from control_plane.services.datasets.process import Fault
from control_plane.services.watching import Stopped, watched
from control_plane.store.database import transaction
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.store.models import ModelRecord

STEPS: Dictionary[str, Step] = {
    DraftState.LOOKING: Step.LOOK,
    DraftState.CHECKING: Step.CHECK,
    DraftState.SAVING: Step.SAVE,
    DraftState.EDITING: Step.EDIT,
}
UNDER_WAY = frozenset({DraftState.FETCHING, *STEPS})  # a process is at work, or it is waited for
LOOK, REPORT = "look.json", "report.json"
_ROOM = "run-"

_TELL_EVERY = 1.0  # seconds between two notes of progress


def advance(cp: ControlPlane) -> int:
    """Begin the steps whose turn it is, the longest waiting first; how many."""
    running = cp.preparations.running(DRAFT)
    free = cp.settings.preparations - cp.preparations.count()
    if free <= 0:
        return 0
    waiting = DatasetDraftRecord.select().where(
        DatasetDraftRecord.state.in_(list(UNDER_WAY)), DatasetDraftRecord.id.not_in(list(running))
    )
    turn = waiting.order_by(DatasetDraftRecord.touched_at, DatasetDraftRecord.id).limit(free)
    next_turn = partial(cp.signals.wake, "schedule")
    return sum(cp.preparations.begin((DRAFT, draft.id), partial(_watch, cp, draft), next_turn) for draft in turn)


def move(cp: ControlPlane, draft: DatasetDraftRecord, **columns: Any) -> bool:
    """Change a draft that is still in the step that was read; False if it is in another. Inside a transaction."""
    same = (DatasetDraftRecord.id == draft.id) & (DatasetDraftRecord.fence == draft.fence)
    changed = {"version": DatasetDraftRecord.version + 1, "touched_at": cp.clock()} | columns
    query = DatasetDraftRecord.update(**changed).where(same & (DatasetDraftRecord.state == draft.state))
    return bool(query.execute())


def begin_step(cp: ControlPlane, draft: DatasetDraftRecord, state: DraftState, **columns: Any) -> bool:
    """Have a draft looked at, checked or saved from now on; False if it moved meanwhile. Inside a transaction."""
    anew = {"state": state, "fence": draft.fence + 1, "started_at": 0.0, "done_bytes": 0, "of_bytes": 0}
    return move(cp, draft, **anew, error="", error_params={}, **columns)


def moved(cp: ControlPlane, draft: DatasetDraftRecord) -> None:
    """End what runs for a step that is no longer wanted, and wake who looks; once the change can be read."""
    cp.preparations.stop((DRAFT, draft.id))
    cp.signals.wake(*_topics(draft), "schedule")


def _topics(draft: DatasetDraftRecord) -> tuple[str, ...]:
    return f"draft:{draft.id}", f"project:{draft.project_id}", *fetching.topics(draft)


def folder(cp: ControlPlane, draft: DatasetDraftRecord) -> Path:
    """Where what was found lies: `look.json`, `report.json`, edits, and a folder of each process that runs."""
    return cp.blobs.staging(f"draft-{draft.id}")


def found_look(cp: ControlPlane, draft: DatasetDraftRecord) -> Look | None:
    """What the first look found; None before."""
    written = _written(folder(cp, draft) / LOOK)
    return read(Look, written) if written else None


def found_report(cp: ControlPlane, draft: DatasetDraftRecord) -> Report | None:
    """What the last check found; None before."""
    written = _written(folder(cp, draft) / REPORT)
    return read(Report, written) if written else None


def _watch(cp: ControlPlane, draft: DatasetDraftRecord, stop: threading.Event) -> None:
    watched(f"draft {draft.id}", partial(_prepare, cp, draft, stop))


def _prepare(cp: ControlPlane, draft: DatasetDraftRecord, stop: threading.Event) -> None:
    """Carry out the step that a draft is in, and move it on."""
    if not _note(cp, draft, started_at=cp.clock()):
        return
    place = folder(cp, draft)
    for left in place.glob(f"{_ROOM}*"):  # of a process that nobody watches any more
        shutil.rmtree(left, ignore_errors=True)
    room = Path(tempfile.mkdtemp(prefix=_ROOM, dir=place))

    def step() -> Fault | None:
        order, secrets = _order(cp, draft, room)
        fault = process.run(cp, order, room, stop, _teller(cp, draft), secrets)
        if fault is None:
            _DONE[DraftState(draft.state)](cp, draft, room)
        return fault

    broke = SourceBroke if draft.state == DraftState.FETCHING else PreparationBroke
    fault = process.carried_out(f"draft {draft.id}", step, room, broke)
    if fault is not None:
        _fail(cp, draft, fault)


def _fail(cp: ControlPlane, draft: DatasetDraftRecord, fault: Fault) -> None:
    """Of a refresh nothing stays that somebody could mend: the source says why, and is fetched again another time."""
    with transaction():
        is_mine = move(cp, draft, state=DraftState.FAILED, error=fault.code, error_params=fault.params)
        if is_mine and draft.refreshes:
            fetching.failed(cp, draft, fault)
    if is_mine:
        cp.signals.wake(*_topics(draft))
    if is_mine and draft.refreshes:
        remove_files(cp, draft)


def _note(cp: ControlPlane, draft: DatasetDraftRecord, **columns: Any) -> bool:
    """Move a draft, and wake who looks at it."""
    with transaction():
        is_mine = move(cp, draft, **columns)
    if is_mine:
        cp.signals.wake(*_topics(draft))
    return is_mine


def _teller(cp: ControlPlane, draft: DatasetDraftRecord) -> process.Tell:
    """Writes down progress, now and then."""
    last = 0.0

    def tell(done: int, of: int) -> None:
        nonlocal last
        if (now := time.monotonic()) - last >= _TELL_EVERY:
            last = now
            _note(cp, draft, done_bytes=done, of_bytes=of)

    return tell


def limits(cp: ControlPlane) -> Limits:
    """What a process may take."""
    settings = cp.settings
    return Limits(
        row_bytes=settings.max_row_bytes,
        file_bytes=settings.max_unpacked_bytes,
        memory_bytes=settings.preparation_memory_bytes,
        seconds=settings.preparation_seconds,
    )


def _order(cp: ControlPlane, draft: DatasetDraftRecord, room: Path) -> tuple[Order | Errand, Dictionary[str, str]]:
    """What the process is told, and the secrets that it is handed."""
    if draft.state == DraftState.FETCHING:
        return fetching.errand(cp, draft)
    if draft.state == DraftState.EDITING:
        return large_edits.order(cp, draft, folder(cp, draft), limits(cp)), {}
    assert draft.train_upload_id is not None
    model = None if draft.state == DraftState.LOOKING else base_model(cp, draft)
    order = Order(
        step=STEPS[draft.state],
        train=_source(cp, draft.train, draft.train_upload_id),
        test=_source(cp, draft.test, draft.test_upload_id) if draft.test_upload_id else None,
        limits=limits(cp),
        mapping=read(Mapping, draft.mapping) if draft.mapping else None,
        split=read(Split, draft.split),
        choices={check: Choice(choice) for check, choice in draft.choices.items()},
        tokenizer=str(tokenizers.bring(cp, model, room / "tokenizer")) if model else "",
        context=tokenizers.context(model) if model else 0,
    )
    return order, {}


def base_model(cp: ControlPlane, draft: DatasetDraftRecord) -> ModelRecord | None:
    """The model in whose tokens a draft's lengths are told; None where there is none that can be read."""
    model = ModelRecord.get_by_id(draft.base_model_id) if draft.base_model_id else None
    return model if model is not None and tokenizers.is_readable(cp, model) else None


def _source(cp: ControlPlane, written: dict[str, Any], upload_id: int) -> Source:
    """Raises UploadGone where somebody has removed it."""
    upload = UploadRecord.get_by_id(upload_id)
    if upload.over_at:
        raise UploadGone(file=upload.file_name)
    return replace(read(Source, written), path=str(uploads.place(cp, upload)))


# ---- what becomes of a step that was carried out


def _fetched(cp: ControlPlane, draft: DatasetDraftRecord, room: Path) -> None:
    """Go on as with a file that was sent; a refresh that brought nothing new is over."""
    fetched = fetching.found(room)
    if fetching.is_unchanged(draft, fetched, room):
        with transaction():
            version = fetching.newest(draft)
            if move(cp, draft, state=DraftState.SAVED, dataset_version=version.id if version else None):
                fetching.unchanged(cp, draft, fetched.mark)
    else:
        if draft.refreshes:
            fetching.hold_changes(draft)
        columns = fetching.taken(cp, draft, fetched, room)
        with transaction():
            begin_step(cp, draft, DraftState.LOOKING, **columns)
    now = DatasetDraftRecord.get_or_none(DatasetDraftRecord.id == draft.id)
    if now is None or now.state in (DraftState.SAVED, DraftState.CANCELLED):  # perhaps before its file came
        remove_files(cp, draft)
    cp.signals.wake(*_topics(draft))


def _looked(cp: ControlPlane, draft: DatasetDraftRecord, room: Path) -> None:
    """Check with the mapping that was chosen, or that the dataset had last time, or that suggests itself.

    Raises MappingNeeded.
    """
    (room / LOOK).replace(folder(cp, draft) / LOOK)
    look = found_look(cp, draft)
    assert look is not None
    mapping = read(Mapping, draft.mapping) if draft.mapping else _remembered(draft, look) or look.mapping
    train = told(replace(look.source, path=""))
    if not mapping.format:
        _note(cp, draft, train=train)
        raise MappingNeeded(file=look.source.name)
    if draft.refreshes:
        fetching.hold_columns(look, mapping)
    with transaction():
        begin_step(cp, draft, DraftState.CHECKING, train=train, mapping=told(mapping))
    cp.signals.wake(*_topics(draft))


def _checked(cp: ControlPlane, draft: DatasetDraftRecord, room: Path) -> None:
    (room / REPORT).replace(folder(cp, draft) / REPORT)
    if not draft.refreshes:
        _note(cp, draft, state=DraftState.READY)
        return
    with transaction():
        begin_step(cp, draft, DraftState.SAVING)
    cp.signals.wake(*_topics(draft))


def _saved(cp: ControlPlane, draft: DatasetDraftRecord, room: Path) -> None:
    with cp.blobs.holding():
        look = found_look(cp, draft)
        made = saving.made_of(cp, draft, room, _mark(look) if look else "")
        with transaction():
            if draft.refreshes:
                fetching.hold_changes(draft)  # somebody may have changed rows since it was fetched
            version = saving.register(cp, draft, made)
            if not move(cp, draft, state=DraftState.SAVED, dataset_version=version.id):
                raise Stopped
            fetching.saved(cp, draft, version, made.source["sha256"])
            lost = cancel_lost(cp)
    cp.signals.wake(*_topics(draft))
    remove_files(cp, draft)
    end_lost(cp, lost)


def _edited(cp: ControlPlane, draft: DatasetDraftRecord, room: Path) -> None:
    with cp.blobs.holding():
        made = large_edits.kept(cp, draft, room)
        with transaction():
            version = large_edits.register(cp, draft, made)
            if not move(cp, draft, state=DraftState.SAVED, dataset_version=version.id):
                raise Stopped
    cp.signals.wake(*_topics(draft))
    remove_files(cp, draft)


_DONE = {
    DraftState.FETCHING: _fetched,
    DraftState.LOOKING: _looked,
    DraftState.CHECKING: _checked,
    DraftState.SAVING: _saved,
    DraftState.EDITING: _edited,
}


def cancel_lost(cp: ControlPlane) -> list[DatasetDraftRecord]:
    """Cancel the refreshes whose source has been let go, so that none of them makes a version; which they were.

    Called inside the transaction that lets a source go; `end_lost` follows once that is written.
    """
    lost = list(
        DatasetDraftRecord.select().where(
            DatasetDraftRecord.refreshes,
            DatasetDraftRecord.source.is_null(),
            DatasetDraftRecord.state.in_(list(UNDER_WAY)),
        )
    )
    return [draft for draft in lost if move(cp, draft, state=DraftState.CANCELLED, fence=draft.fence + 1)]


def end_lost(cp: ControlPlane, lost: list[DatasetDraftRecord]) -> None:
    """End what runs for cancelled refreshes, and take their files away."""
    for draft in lost:
        moved(cp, draft)
        remove_files(cp, draft)


def remove_files(cp: ControlPlane, draft: DatasetDraftRecord) -> None:
    """Take off the disk what a draft that is over needs no more: what was found, and its files."""
    numbers = [number for number in (draft.train_upload_id, draft.test_upload_id) if number]
    others = DatasetDraftRecord.select().where(
        DatasetDraftRecord.id != draft.id,
        DatasetDraftRecord.train_upload.in_(numbers) | DatasetDraftRecord.test_upload.in_(numbers),
        DatasetDraftRecord.state.not_in([DraftState.SAVED, DraftState.CANCELLED]),
    )
    wanted = {number for other in others for number in (other.train_upload_id, other.test_upload_id)}
    for upload in UploadRecord.select().where(UploadRecord.id.in_([one for one in numbers if one not in wanted])):
        with transaction():
            UploadRecord.update(over_at=cp.clock()).where(UploadRecord.id == upload.id).execute()
        uploads.remove(cp, upload)
    shutil.rmtree(folder(cp, draft), ignore_errors=True)
    with transaction():
        fetching.drop_unsaved(draft.source_id)


def _remembered(draft: DatasetDraftRecord, look: Look) -> Mapping | None:
    """The mapping of the newest version of the dataset that has this name, where the file has all its columns.

    Else that of the newest version in the project that was made from a file with the very same columns.
    """
    written = versions.newest_mapping(draft.project_id, draft.name)
    mapping = read(Mapping, written) if written else Mapping()
    wanted = {column for columns in mapping.parts.values() for column in columns}
    if wanted and wanted <= {column.name for column in look.columns}:
        return mapping
    same = versions.mapping_of_columns(draft.project_id, _mark(look))
    return read(Mapping, same) if same else None


def _mark(look: Look) -> str:
    """By which files that have the same columns, in whatever order, are known."""
    return digest(sorted(column.name for column in look.columns)).hex()


def _written(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found
