"""Datasets: files that were checked row by row, kept as immutable versions under a name."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

from control_plane.context import ControlPlane
from control_plane.domain import datasets as domain
from control_plane.domain.datasets import Cause, Scan
from control_plane.domain.errors import (
    DatasetEmpty,
    DiskFull,
    FieldInvalid,
    FileTooLarge,
    FileUnfit,
    HeldOutLeak,
    NotFound,
    TunesmithError,
)
from control_plane.domain.names import checked
from control_plane.domain.permissions import Actor, require
from control_plane.domain.rows import FORMATS
from control_plane.services import audit, references
from control_plane.services.access import projects
from control_plane.services.things.kinds import has_tag, is_kept, kept
from control_plane.store.database import first, transaction
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord

SPLITS = ("train", "test")
LEFT_OUT = "left_out"
Faulty = Literal["refuse", "leave_out"]  # what is done about rows that have a fault

_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True)
class Report:
    """What a look at a file found; for the page, before anything is stored."""

    format: str
    rows: int  # sound ones
    problem_count: int  # rows
    causes: list[Cause]
    samples: list[dict[str, Any]]
    facts: dict[str, Any]


@dataclass(frozen=True)
class _Part:
    """The training rows or the held-out rows, stored."""

    sha256: str = ""
    size: int = 0
    rows: int = 0


def upload(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    name: str,
    train: BinaryIO,
    test: BinaryIO | None,
    format: str = "",
    test_share: float = 0.2,
    split_seed: int = 42,
    faulty: Faulty = "refuse",
) -> tuple[DatasetVersionRecord, bool]:
    """Check, split and store a new version of a dataset; with it whether the same content was there already.

    Without `test`, a share of the training rows (0..0.5) is held out. Nothing is kept of a file that has a fault,
    unless faulty rows are to be left out: then they are kept beside the version, to be mended.
    Raises Denied, NameInvalid, FieldInvalid, DatasetEmpty, FileUnfit, RowsInvalid (the first faulty row, with `count`),
    HeldOutLeak, DiskFull.
    """
    project_id = projects.get(actor, cp, project, "dataset.upload").id
    checked(name)
    if format and format not in FORMATS:
        raise FieldInvalid(field="format", problem=", ".join(FORMATS))
    if not 0 <= test_share <= 0.5:
        raise FieldInvalid(field="test_share", problem="0 … 0.5")
    with _staging(cp) as folder, cp.blobs.holding():
        copy = _Copy(cp, folder / LEFT_OUT, faulty)
        scan = copy.rows(train, folder / "train", Scan("train.jsonl", cp.settings.max_row_bytes, format))
        if test is None:
            _divide(folder, domain.held_out(scan.groups, test_share, split_seed))
        else:
            rest = Scan("test.jsonl", cp.settings.max_row_bytes, scan.format)
            _refuse_leak(scan, copy.rows(test, folder / "test", rest))
        parts = {part: _store(cp, folder / part) for part in (*SPLITS, LEFT_OUT)}
        seed = None if test is not None or not parts["test"].rows else split_seed
        return _register(actor, cp, project_id, name, scan, parts, seed)


def check(cp: ControlPlane, train: BinaryIO, file_name: str) -> Report:
    """Look at a file without keeping it; faults are reported, not raised."""
    scan = Scan(file_name, cp.settings.max_row_bytes)
    fatal: list[TunesmithError] = []
    try:
        for line in _lines(train, cp, file_name):
            scan.take(line)
        if not scan.keys and not scan.causes:
            fatal.append(DatasetEmpty(file=file_name))
    except FileUnfit as problem:
        fatal.append(problem)
    causes = [*map(Cause, fatal), *scan.causes.values()]
    count = scan.problem_count + len(fatal)
    return Report(scan.format, len(scan.keys), count, causes, scan.samples, scan.facts())


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

    Raises NotFound where it is not in one of the actor's projects.
    """
    found = with_dataset(version_id)
    if found is None:
        raise NotFound
    require(actor, "dataset.see", found[0].project_id)
    return found


def with_dataset(version_id: int) -> tuple[DatasetRecord, DatasetVersionRecord] | None:
    """A version and its dataset, None if there is none. The caller has shown that it may see what names the version."""
    joined = DatasetVersionRecord.select(DatasetVersionRecord, DatasetRecord).join(DatasetRecord)
    version = first(joined.where(DatasetVersionRecord.id == version_id))
    return (version.dataset, version) if version else None


def rows(
    actor: Actor, cp: ControlPlane, version_id: int, split: str = "train", offset: int = 0, limit: int = 20
) -> list[dict[str, Any]]:
    """At most 200 rows of a part of a version, from row `offset` (0 is the first). Raises NotFound.

    The parts are `train`, `test`, and `left_out`: faulty rows as {"file", "line", "row"}, each row's text as it was.
    """
    version = get_version(actor, cp, version_id)
    parts = {
        "train": (version.train_sha256, version.train_rows),
        "test": (version.test_sha256, version.test_rows),
        LEFT_OUT: (version.left_out_sha256, version.left_out_rows),
    }
    if split not in parts:
        raise NotFound
    sha256, count = parts[split]
    if not sha256:
        return []
    first = max(0, min(offset, count))
    with cp.blobs.open(sha256) as file:
        return [json.loads(line) for line in islice(file, first, first + max(0, min(limit, 200)))]


def left_out(actor: Actor, cp: ControlPlane, version_id: int) -> Iterator[str]:
    """The text of each faulty row that a version was saved without, with its newline. Raises NotFound."""
    version = get_version(actor, cp, version_id)
    return _texts(cp, version.left_out_sha256) if version.left_out_sha256 else iter(())


def _texts(cp: ControlPlane, sha256: str) -> Iterator[str]:
    with cp.blobs.open(sha256) as file:
        yield from (json.loads(line)["row"] + "\n" for line in file)


def _versions(dataset_id: int) -> list[DatasetVersionRecord]:
    query = DatasetVersionRecord.select().where(DatasetVersionRecord.dataset == dataset_id)
    return list(query.order_by(DatasetVersionRecord.number.desc()))


@contextmanager
def _staging(cp: ControlPlane) -> Iterator[Path]:
    """A private folder that is gone afterwards, whatever happens; a full disk becomes our error."""
    folder = cp.blobs.staging(f"upload-{uuid.uuid4().hex}")
    try:
        yield folder
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(needed=_CHUNK, free=shutil.disk_usage(folder).free) from problem
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lines(stream: BinaryIO, cp: ControlPlane, file: str) -> Iterator[bytes]:
    """The lines of a stream; of one that is too long, as much as shows that it is. Raises FileTooLarge."""
    longest, taken = cp.settings.max_row_bytes + 2, 0
    while line := stream.readline(longest):
        piece = line
        taken += len(piece)
        while len(piece) == longest and not piece.endswith(b"\n"):
            piece = stream.readline(longest)
            taken += len(piece)
            _refuse_large(cp, file, taken)
        _refuse_large(cp, file, taken)
        yield line


def _refuse_large(cp: ControlPlane, file: str, taken: int) -> None:
    if taken > cp.settings.max_upload_bytes:
        raise FileTooLarge(file=file, limit=cp.settings.max_upload_bytes)


@dataclass(frozen=True)
class _Copy:
    """Copies sound rows to where they belong; faulty ones aside, if they are to be left out."""

    cp: ControlPlane
    aside: Path
    faulty: Faulty

    def rows(self, stream: BinaryIO, target: Path, scan: Scan) -> Scan:
        """Write the sound rows to `target`. Raises the first fault, once the whole file has been read and counted."""
        since_look = _CHUNK
        with target.open("wb") as file, self.aside.open("ab") as aside:
            for line in _lines(stream, self.cp, scan.file):
                since_look += len(line)
                if since_look >= _CHUNK:
                    self.cp.blobs.require_space(since_look)
                    since_look = 0
                before = scan.problem_count
                file.write(scan.take(line))
                if scan.problem_count > before and self.faulty == "leave_out":
                    aside.write(_written_aside(scan, line))
        if scan.causes and (self.faulty == "refuse" or not scan.keys):
            raise _counted(scan)
        if not scan.keys:
            raise DatasetEmpty(file=scan.file)
        return scan


def _written_aside(scan: Scan, line: bytes) -> bytes:
    row = {"file": scan.file, "line": scan.line, "row": line.rstrip(b"\r\n").decode("utf-8", "replace")}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _counted(scan: Scan) -> TunesmithError:
    first = next(iter(scan.causes.values())).problem
    first.params["count"] = scan.problem_count
    return first


def _divide(folder: Path, held_out: frozenset[int]) -> None:
    """Move the held-out rows from the file of all rows to their own."""
    (folder / "train").rename(folder / "all")
    with (
        (folder / "all").open("rb") as rows,
        (folder / "train").open("wb") as train,
        (folder / "test").open("wb") as test,
    ):
        for number, row in enumerate(rows):
            (test if number in held_out else train).write(row)


def _refuse_leak(train: Scan, test: Scan) -> None:
    learnt = set(train.keys)
    shared = [line for key, line in zip(test.keys, test.key_lines, strict=True) if key in learnt]
    if shared:
        raise HeldOutLeak(count=len(shared), line=shared[0])


def _store(cp: ControlPlane, path: Path) -> _Part:
    with path.open("rb") as file:
        rows = sum(1 for _ in file)
        if not rows:
            return _Part()
        file.seek(0)
        sha256, size = cp.blobs.put(file)
    return _Part(sha256, size, rows)


def _register(
    actor: Actor, cp: ControlPlane, project_id: int, name: str, scan: Scan, parts: dict[str, _Part], seed: int | None
) -> tuple[DatasetVersionRecord, bool]:
    content = {"format": scan.format, "train": parts["train"].sha256, "test": parts["test"].sha256}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    with transaction():
        dataset = _dataset(cp, project_id, name)
        versions = _versions(dataset.id)
        same = next((version for version in versions if version.hash == digest), None)
        if same is not None:
            return same, True
        version = DatasetVersionRecord.create(
            dataset=dataset,
            number=versions[0].number + 1 if versions else 1,
            hash=digest,
            format=scan.format,
            train_sha256=parts["train"].sha256,
            test_sha256=parts["test"].sha256,
            train_rows=parts["train"].rows,
            test_rows=parts["test"].rows,
            left_out_sha256=parts[LEFT_OUT].sha256,
            left_out_rows=parts[LEFT_OUT].rows,
            size=parts["train"].size + parts["test"].size,
            split_seed=seed,
            facts=scan.facts(),
            created_by=actor.id,
            created_at=cp.clock(),
        )
        references.add(cp, references.DATASET, version.id, [part.sha256 for part in parts.values()])
        subject = f"dataset:{dataset.id}"
        said = {"name": name, "number": version.number, "hash": digest, "left_out": version.left_out_rows}
        audit.record(actor, cp, "dataset.upload", subject, project_id, **said)
    cp.signals.wake(f"project:{project_id}")
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
