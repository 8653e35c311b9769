"""Sources: where the rows of a dataset come from. One is looked at, brought, refreshed, scheduled and let go.

Whoever may upload may use any connector, for a file that they could fetch themselves is no more than one they could
upload; folders of the server and private addresses are an administrator's to open, for all projects.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from control_plane.context import ControlPlane
from control_plane.domain import names
from control_plane.domain.connectors import Described, Doing, Errand
from control_plane.domain.errors import (
    Denied,
    DraftsTooMany,
    NotFound,
    ScheduleInvalid,
    SecretNeeded,
    SourceBusy,
    SourceUnsaved,
    TooMany,
)
from control_plane.domain.permissions import SYSTEM, Actor, require
from control_plane.domain.preparation import DraftState, Source, Split, read, told
from control_plane.domain.schedules import Schedule
from control_plane.services import audit, schedules, secrets
from control_plane.services.access import projects
from control_plane.services.datasets import connectors, fetching, preparing, process, uploads
from control_plane.services.datasets.connectors import Offered
from control_plane.services.things.kinds import is_kept, kept
from control_plane.store.database import transaction
from control_plane.store.datasets import DatasetRecord
from control_plane.store.drafts import DatasetDraftRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.sources import SourceRecord

PERIOD = 5.0  # seconds between two looks at what is due

_AT_ONCE = threading.BoundedSemaphore(4)  # looks at sources, each of which holds a thread that answers people
_WAIT_SECONDS = 10.0  # for one of them to end


def describe(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    connector: str,
    parameters: Mapping[str, Any],
    given: Mapping[str, str],
    like: int = 0,
) -> Described:
    """What there is to fetch; blocks for as long as half a minute. `like` is a source whose secrets are used, too.

    Raises NotFound, Denied, ConnectorUnknown, ParameterInvalid, TooMany and what can go wrong with a source.
    """
    project_id = projects.get(actor, cp, project, "dataset.upload").id
    offered = connectors.get(cp, connector)
    whole = connectors.begun(offered, parameters)
    known = _secrets(actor, cp, project_id, offered, whole, given, like)
    said = {"connector": connector, "name": connectors.label(offered, whole)}
    subject = f"source:{like}" if like else f"connector:{connector}"
    with transaction():
        audit.record(actor, cp, "source.look", subject, project_id, **said)
    limits = fetching.bounds(cp, Doing.DESCRIBE, 0)
    errand = Errand(Doing.DESCRIBE, connector, whole, limits, connectors.opened(cp))
    if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS):
        raise TooMany
    try:
        with tempfile.TemporaryDirectory(prefix="run-", dir=cp.blobs.staging("described")) as room:
            fault = process.run(cp, errand, Path(room), threading.Event(), lambda done, of: None, known)
            if fault is not None:
                raise process.raised(fault)
            return read(Described, json.loads((Path(room) / fetching.DESCRIBED).read_bytes()))
    finally:
        _AT_ONCE.release()


def begin(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    connector: str,
    parameters: Mapping[str, Any],
    given: Mapping[str, str],
    name: str = "",
    like: int = 0,
) -> DatasetDraftRecord:
    """Have a file fetched from a source, and then looked at and checked as one that was sent.

    Once the draft is saved, the source is the dataset's. `name` is the dataset's, else the file gives one; `like` is a
    source whose secrets are taken over where none are given.
    Raises NotFound, Denied, NameInvalid, ConnectorUnknown, ParameterInvalid, DraftsTooMany, UploadsTooMany.
    """
    project_id = projects.get(actor, cp, project, "dataset.upload").id
    offered = connectors.get(cp, connector)
    whole = connectors.complete(offered, parameters)
    known = _secrets(actor, cp, project_id, offered, whole, given, like)
    called, label = names.checked(name) if name else "", connectors.label(offered, whole)
    with transaction():
        _refuse_hoard(actor, cp)
        source = SourceRecord.create(
            project=project_id,
            connector=connector,
            parameters=whole,
            secret=secrets.keep(actor, cp, project_id, known),
            label=label,
            created_by=actor.id,
            created_at=cp.clock(),
        )
        upload = uploads.expect(actor, cp, project_id, label)
        draft = _draft(actor, cp, source, upload, name=called, train=told(Source(label)), split=told(Split()))
        said = {"connector": connector, "name": label}
        audit.record(actor, cp, "source.begin", f"source:{source.id}", project_id, **said)
    cp.signals.wake("schedule", f"project:{project_id}")
    return draft


def get(actor: Actor, cp: ControlPlane, source_id: int) -> SourceRecord:
    """A source of a dataset, or the actor's own of which nothing is saved yet. Raises NotFound, InTrash, Denied."""
    source = SourceRecord.get_or_none(SourceRecord.id == source_id)
    if source is None:
        raise NotFound
    require(actor, "dataset.see", source.project_id)
    kept(ProjectRecord.get_by_id(source.project_id))
    if source.dataset_id is None and source.created_by != actor.id:
        raise NotFound
    if source.dataset_id is not None:
        kept(DatasetRecord.get_by_id(source.dataset_id))
    return source


def of_dataset(dataset: DatasetRecord) -> SourceRecord | None:
    """The source of a dataset that the caller may see."""
    found: SourceRecord | None = SourceRecord.get_or_none(SourceRecord.dataset == dataset.id)
    return found


def list_sources(actor: Actor, cp: ControlPlane, project: str) -> list[tuple[SourceRecord, DatasetRecord]]:
    """The sources of a project's datasets, by the datasets' names. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "dataset.see").id
    query = SourceRecord.select(SourceRecord, DatasetRecord).join(DatasetRecord)
    mine = query.where(SourceRecord.project == project_id, is_kept(DatasetRecord)).order_by(DatasetRecord.name)
    return [(source, cast(DatasetRecord, source.dataset)) for source in mine]


def refreshing(source: SourceRecord) -> DatasetDraftRecord | None:
    """The draft by which a source is being refreshed; None where it is not."""
    of_it = (DatasetDraftRecord.source == source.id) & DatasetDraftRecord.refreshes
    found: DatasetDraftRecord | None = DatasetDraftRecord.get_or_none(
        of_it, DatasetDraftRecord.state.in_(list(preparing.UNDER_WAY))
    )
    return found


def refresh(actor: Actor, cp: ControlPlane, source_id: int, overwrite: bool = False) -> DatasetDraftRecord:
    """Fetch a source again; a new version comes of it if the content has changed, read as it was the last time.

    Where the newest version did not come of the source, the refresh fails unless `overwrite` says that the next one may
    be without what that version has from elsewhere. A schedule that had stopped goes on, if it still can.
    Raises NotFound, Denied, SourceUnsaved, SourceBusy.
    """
    source = _to_change(actor, cp, source_id)
    with transaction():
        draft = _refresh(actor, actor.id, cp, source, overwrite)
        if overwrite and (newest := fetching.newest(draft)):
            _change(source, follows=newest.id)
        if source.schedule and not source.next_at:
            following, fault = _following(source, cp.clock())
            if not fault:
                _change(source, next_at=following)
    cp.signals.wake("schedule", f"source:{source.id}")
    return draft


def schedule(actor: Actor, cp: ControlPlane, source_id: int, wished: Schedule) -> SourceRecord:
    """Have a source fetched by itself, in the name of who says so; an empty schedule ends that.

    Raises NotFound, Denied, SourceUnsaved, ScheduleInvalid.
    """
    source, now = _to_change(actor, cp, source_id), cp.clock()
    next_at = schedules.next_after(schedules.checked(wished, now), now)
    with transaction():
        _change(source, schedule={} if wished.is_none else told(wished), next_at=next_at, created_by=actor.id)
        said = {"name": source.label, **({} if wished.is_none else told(wished))}
        audit.record(actor, cp, "source.schedule", f"source:{source.id}", source.project_id, **said)
    cp.signals.wake(f"source:{source.id}")
    return get(actor, cp, source_id)


def remove(actor: Actor, cp: ControlPlane, source_id: int) -> None:
    """Let a source go, with its secrets; the dataset and its versions stay. Raises NotFound, Denied, SourceUnsaved."""
    source = _to_change(actor, cp, source_id)
    with transaction():
        fetching.forget(source)
        lost = preparing.cancel_lost(cp)
        audit.record(actor, cp, "source.remove", f"source:{source.id}", source.project_id, name=source.label)
    preparing.end_lost(cp, lost)
    cp.signals.wake(f"source:{source.id}", f"project:{source.project_id}")


def refresh_due(cp: ControlPlane) -> int:
    """Begin the refreshes whose time has come; how many. A time is passed once, whoever else looks at the same time.

    What was missed while nothing ran is made up for once. A source whose person may no longer upload says so, and is
    fetched no more until somebody schedules it anew.
    """
    now, begun, stopped = cp.clock(), 0, list[SourceRecord]()
    due = (
        SourceRecord.select()
        .join(DatasetRecord)
        .join(ProjectRecord)
        .where(SourceRecord.next_at > 0.0, SourceRecord.next_at <= now, is_kept(DatasetRecord), is_kept(ProjectRecord))
    )
    for source in list(due):
        following, fault = _following(source, now)
        with transaction():
            same = (SourceRecord.id == source.id) & (SourceRecord.next_at == source.next_at)
            if not SourceRecord.update(next_at=following, **fault).where(same).execute():
                continue
            if fault:
                fetching.tell_failed(cp, source, fault["error"], fault["error_params"])
                stopped.append(source)
                continue
            try:
                _refresh(SYSTEM, source.created_by, cp, source)
            except SourceBusy:
                continue  # the one that runs brings what this one would
        begun += 1
    if begun:
        cp.signals.wake("schedule")
    for source in stopped:
        cp.signals.wake(f"source:{source.id}", f"notifications:{source.created_by}")
    return begun


def _following(source: SourceRecord, now: float) -> tuple[float, dict[str, Any]]:
    """The time after this one.

    Where there is none any more, as a time zone or its person's right went, the source says so and waits.
    """
    try:
        fetching.author(source.created_by, source.project_id)
        return schedules.next_after(read(Schedule, source.schedule), now), {}
    except (Denied, ScheduleInvalid) as problem:
        changed = {"version": SourceRecord.version + 1}
        return 0.0, changed | {"error": problem.code, "error_params": problem.storable(), "looked_at": now}


def _refresh(
    actor: Actor, person: str, cp: ControlPlane, source: SourceRecord, overwrite: bool = False
) -> DatasetDraftRecord:
    """Inside a transaction. `person` is who answers for the version, and for what it leaves out if it may."""
    if refreshing(source) is not None:
        raise SourceBusy
    upload = uploads.expect(actor, cp, source.project_id, source.label, holder=SYSTEM.id)
    dataset = DatasetRecord.get_by_id(source.dataset_id)
    reading = told(Source(source.label)) | source.reading
    given = {"name": dataset.name, "train": reading, "mapping": source.mapping or None, "split": source.split}
    draft = _draft(actor, cp, source, upload, person=person, choices=source.choices, refreshes=True, **given)
    said = {"connector": source.connector, "name": source.label, **({"overwrite": True} if overwrite else {})}
    audit.record(actor, cp, "source.refresh", f"source:{source.id}", source.project_id, **said)
    return draft


def _draft(
    actor: Actor, cp: ControlPlane, source: SourceRecord, upload: Any, person: str = "", **columns: Any
) -> DatasetDraftRecord:
    return DatasetDraftRecord.create(
        project=source.project_id,
        train_upload=upload,
        source=source,
        state=DraftState.FETCHING,
        created_by=person or actor.id,
        created_at=cp.clock(),
        touched_at=cp.clock(),
        **columns,
    )


def _to_change(actor: Actor, cp: ControlPlane, source_id: int) -> SourceRecord:
    source = get(actor, cp, source_id)
    require(actor, "dataset.upload", source.project_id)
    if source.dataset_id is None:
        raise SourceUnsaved
    return source


def _change(source: SourceRecord, **columns: Any) -> None:
    SourceRecord.update(version=SourceRecord.version + 1, **columns).where(SourceRecord.id == source.id).execute()


def _secrets(
    actor: Actor,
    cp: ControlPlane,
    project_id: int,
    offered: Offered,
    parameters: Mapping[str, Any],
    given: Mapping[str, str],
    like: int,
) -> dict[str, str]:
    """What is given, else what a source of the same project and connector has.

    A stored secret goes to the place that it was given for and to no other: whoever changes the place has to know it.
    Raises NotFound, SecretNeeded, SecretUnreadable.
    """
    connectors.refuse_strange_secrets(offered, given)
    entered = {name: value for name, value in given.items() if value}
    if entered or not like:
        return entered
    source = get(actor, cp, like)
    if source.project_id != project_id or source.connector != offered.name:
        raise NotFound
    kept_ones = secrets.opened(cp, source.secret_id)
    if kept_ones and any(parameters.get(name) != source.parameters.get(name) for name in offered.secrets_for):
        raise SecretNeeded
    return kept_ones


def _refuse_hoard(actor: Actor, cp: ControlPlane) -> None:
    mine = (DatasetDraftRecord.created_by == actor.id) & ~DatasetDraftRecord.refreshes
    over = [DraftState.SAVED, DraftState.CANCELLED]
    count = DatasetDraftRecord.select().where(mine, DatasetDraftRecord.state.not_in(over)).count()
    if count >= cp.settings.uploads_per_person:
        raise DraftsTooMany(count=count)
