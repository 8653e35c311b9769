"""The datasets of a project and their versions: what there is, and the one place where a version is made."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.permissions import Actor, require
from control_plane.services import audit, references
from control_plane.services.access import projects
from control_plane.services.listeners import outbox
from control_plane.services.things.kinds import has_tag, is_kept, kept
from control_plane.store.database import first, transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.projects import ProjectRecord

_LOOKED_AT = 200  # versions among which a mapping is looked for


@dataclass(frozen=True)
class Part:
    """Some rows of a version, stored as JSON Lines."""

    sha256: str = ""
    size: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Made:
    """What a version is made of."""

    format: str
    train: Part
    test: Part = Part()
    left_out: Part = Part()
    marks_sha256: str = ""
    report_sha256: str = ""
    split_seed: int | None = None  # none: the held-out rows came as a file, or there are none
    facts: dict[str, Any] = field(default_factory=dict)
    mapping: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    to_check: bool = False  # nobody has checked these rows yet


def list_datasets(
    actor: Actor, cp: ControlPlane, project: str, tag: str = ""
) -> list[tuple[DatasetRecord, DatasetVersionRecord, int]]:
    """Each dataset of the project, or that bears a tag, with its newest version and how many there are, by name."""
    found: dict[int, tuple[DatasetRecord, DatasetVersionRecord, int]] = {}
    for dataset, version in list_versions(actor, cp, project, tag):
        _, newest, count = found.get(dataset.id, (dataset, version, 0))
        found[dataset.id] = (dataset, newest, count + 1)
    return sorted(found.values(), key=lambda one: str(one[0].name))


def list_versions(
    actor: Actor, cp: ControlPlane, project: str, tag: str = ""
) -> list[tuple[DatasetRecord, DatasetVersionRecord]]:
    """Every version of every dataset of the project, or that bears a tag, newest first. Raises NotFound, Denied."""
    project_id = projects.get(actor, cp, project, "dataset.see").id
    query = (
        DatasetVersionRecord.select(DatasetVersionRecord, DatasetRecord)
        .join(DatasetRecord)
        .where(DatasetRecord.project == project_id, is_kept(DatasetRecord))
        .order_by(DatasetVersionRecord.id.desc())
    )
    return [(version.dataset, version) for version in (query.where(has_tag(DatasetRecord, tag)) if tag else query)]


def get_dataset(
    actor: Actor, cp: ControlPlane, project: str, name: str
) -> tuple[DatasetRecord, list[DatasetVersionRecord]]:
    """A dataset and its versions, newest first. Raises NotFound, InTrash."""
    project_id = projects.get(actor, cp, project, "dataset.see").id
    dataset = _named(project_id, name) or _in_trash(project_id, name)
    if dataset is None:
        raise NotFound
    kept(dataset)
    return dataset, _versions(dataset.id)


def get_version(actor: Actor, cp: ControlPlane, version_id: int) -> DatasetVersionRecord:
    """A version by its id. Raises NotFound like `of_version`, and InTrash."""
    dataset, version = of_version(actor, cp, version_id)
    kept(dataset)
    return version


def of_version(actor: Actor, cp: ControlPlane, version_id: int) -> tuple[DatasetRecord, DatasetVersionRecord]:
    """A version with its dataset, in the trash or not: what was made from it names it for good.

    Raises NotFound where it is not in one of the actor's projects, InTrash where its project is there.
    """
    found = with_dataset(version_id)
    if found is None:
        raise NotFound
    require(actor, "dataset.see", found[0].project_id)
    kept(ProjectRecord.get_by_id(found[0].project_id))
    return found


def with_dataset(version_id: int) -> tuple[DatasetRecord, DatasetVersionRecord] | None:
    """A version and its dataset, None if there is none. The caller has shown that it may see what names the version."""
    joined = DatasetVersionRecord.select(DatasetVersionRecord, DatasetRecord).join(DatasetRecord)
    version = first(joined.where(DatasetVersionRecord.id == version_id))
    return (version.dataset, version) if version else None


def _versions(dataset_id: int) -> list[DatasetVersionRecord]:
    query = DatasetVersionRecord.select().where(DatasetVersionRecord.dataset == dataset_id)
    return list(query.order_by(DatasetVersionRecord.number.desc()))


def newest_mapping(project_id: int, name: str) -> dict[str, Any]:
    """The mapping of the newest version of the project's dataset of that name; empty if there is none."""
    dataset = _named(project_id, name)
    found = _versions(dataset.id) if dataset else []
    return dict(found[0].mapping) if found else {}


def mapping_of_columns(project_id: int, mark: str) -> dict[str, Any]:
    """The mapping of the newest version in the project made from a file whose columns have this mark; empty without.

    Of the versions of things that are kept, the newest two hundred are looked at.
    """
    query = (
        DatasetVersionRecord.select(DatasetVersionRecord.mapping, DatasetVersionRecord.source)
        .join(DatasetRecord)
        .where(DatasetRecord.project == project_id, is_kept(DatasetRecord))
        .order_by(DatasetVersionRecord.id.desc())
        .limit(_LOOKED_AT)
    )
    same = (one.mapping for one in query if one.mapping and one.source.get("columns") == mark)
    return dict(next(same, {}))


def register(
    actor: Actor,
    cp: ControlPlane,
    project_id: int,
    name: str,
    made: Made,
    action: str,
    dataset_id: int | None = None,
    is_news: bool = False,
) -> tuple[DatasetVersionRecord, bool]:
    """A new version of the dataset of that name, made if it is new; with it whether the same was there already.

    With `dataset_id` it is of that dataset, however it is called. With `is_news`, as what a source holds now, it ends
    up the newest: an older version with the same rows is not given back, but its like is made anew.
    The caller holds the blobs since it stored them (`Blobs.holding`), and has worked out where their rows begin
    (`row_index.ensure`), which takes too long for a transaction. `action` is what the audit calls it.
    Raises InTrash where the project, or the dataset of `dataset_id`, has been put there meanwhile.
    """
    train, test, left_out = made.train, made.test, made.left_out
    content = {"format": made.format, "train": train.sha256, "test": test.sha256}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    with transaction():
        kept(ProjectRecord.get_by_id(project_id))
        dataset = kept(DatasetRecord.get_by_id(dataset_id)) if dataset_id else _dataset(cp, project_id, name)
        versions = _versions(dataset.id)
        known = versions[:1] if is_news else versions
        same = next((version for version in known if version.hash == digest), None)
        if same is not None:
            return same, True
        version = DatasetVersionRecord.create(
            dataset=dataset,
            number=versions[0].number + 1 if versions else 1,
            hash=digest,
            format=made.format,
            train_sha256=train.sha256,
            test_sha256=test.sha256,
            train_rows=train.rows,
            test_rows=test.rows,
            left_out_sha256=left_out.sha256,
            left_out_rows=left_out.rows,
            marks_sha256=made.marks_sha256,
            size=train.size + test.size,
            split_seed=made.split_seed,
            facts=made.facts,
            mapping=made.mapping,
            report_sha256=made.report_sha256,
            to_check=made.to_check,
            source=made.source,
            created_by=actor.id,
            created_at=cp.clock(),
        )
        named = [train.sha256, test.sha256, left_out.sha256, made.marks_sha256, made.report_sha256]
        references.add(cp, references.DATASET, version.id, named)
        subject = f"dataset:{dataset.id}"
        said = {"name": dataset.name, "number": version.number, "hash": digest, "left_out": version.left_out_rows}
        audit.record(actor, cp, action, subject, project_id, **said)
        about = {"kind": "dataset", "id": dataset.id, "name": dataset.name, "title": dataset.title}
        counted = {"train_rows": version.train_rows, "test_rows": version.test_rows}
        told = {"version": version.id, "number": version.number, **counted}
        outbox.tell(cp, "dataset.version_made", project_id, about, told)
    cp.signals.wake(f"project:{project_id}", *(("schedule",) if made.to_check else ()))
    return version, False


def _dataset(cp: ControlPlane, project_id: int, name: str) -> DatasetRecord:
    """The dataset of this name, made if it is new; inside a transaction."""
    return _named(project_id, name) or DatasetRecord.create(project=project_id, name=name, created_at=cp.clock())


def _named(project_id: int, name: str) -> DatasetRecord | None:
    of_name = (DatasetRecord.project == project_id, DatasetRecord.name == name)
    return DatasetRecord.get_or_none(*of_name, is_kept(DatasetRecord))


def _in_trash(project_id: int, name: str) -> DatasetRecord | None:
    """The newest of this name that is in the trash."""
    named = DatasetRecord.select().where(DatasetRecord.project == project_id, DatasetRecord.name == name)
    newest: DatasetRecord | None = first(
        named.where(DatasetRecord.purged_at == 0.0).order_by(DatasetRecord.deleted_at.desc())
    )
    return newest
