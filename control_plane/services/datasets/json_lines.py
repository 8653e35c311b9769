"""JSON Lines in a known format, checked row by row and kept at once, without a draft."""

from __future__ import annotations

import errno
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from control_plane.context import ControlPlane
from control_plane.domain import datasets as domain
from control_plane.domain.datasets import Scan
from control_plane.domain.errors import (
    DatasetEmpty,
    DiskFull,
    FieldInvalid,
    FileTooLarge,
)
from control_plane.domain.names import checked
from control_plane.domain.permissions import Actor
from control_plane.domain.rows import FORMATS
from control_plane.services.access import projects
from control_plane.services.datasets import row_index, versions
from control_plane.services.datasets.rows import LEFT_OUT
from control_plane.services.datasets.versions import Made, Part
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord

Faulty = Literal["refuse", "leave_out"]  # what is done about rows that have a fault

_CHUNK = 1 << 20  # bytes


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
        scan = Scan("train.jsonl", cp.settings.max_row_bytes, format)
        copy.rows(_lines(train, cp, scan.file), folder / "train", scan)
        if test is None:
            _divide(folder, domain.held_out(scan.groups, test_share, split_seed, scan.never_held_out()))
        else:
            rest = Scan("test.jsonl", cp.settings.max_row_bytes, scan.format, examines=True)
            domain.refuse_leak(scan, copy.rows(_lines(test, cp, rest.file), folder / "test", rest))
        parts = {part: _store(cp, folder / part) for part in ("train", "test", LEFT_OUT)}
        seed = None if test is not None or not parts["test"].rows else split_seed
        of_rows = scan.format, parts["train"], parts["test"], parts[LEFT_OUT]
        made = Made(*of_rows, split_seed=seed, facts=scan.facts(), to_check=True)
        return versions.register(actor, cp, project_id, name, made, "dataset.upload")


@dataclass(frozen=True)
class Rewritten:
    """What is other in a version that was made of another one; what is empty stays."""

    action: str  # what the audit calls it
    source: dict[str, Any]  # told beside what the other version tells of its own
    name: str = ""  # of the dataset
    format: str = ""


def rewrite(
    actor: Actor,
    cp: ControlPlane,
    version: DatasetVersionRecord,
    train: Iterable[bytes],
    test: Iterable[bytes],
    how: Rewritten,
) -> tuple[DatasetVersionRecord, bool]:
    """A version made of another one, with these lines; with it whether the same content was there already.

    The caller has shown that the actor may. Raises DatasetEmpty, RowsInvalid, HeldOutLeak, DiskFull.
    """
    dataset = DatasetRecord.get_by_id(version.dataset_id)
    format = how.format or str(version.format)
    with _staging(cp) as folder, cp.blobs.holding():
        copy = _Copy(cp, folder / LEFT_OUT, "refuse")
        scan = Scan("train.jsonl", cp.settings.max_row_bytes, format)
        copy.rows(train, folder / "train", scan)
        rest = Scan("test.jsonl", cp.settings.max_row_bytes, format, examines=True)
        domain.refuse_leak(scan, copy.sound(test, folder / "test", rest))
        made = rewritten(version, how, _store(cp, folder / "train"), _store(cp, folder / "test"), scan.facts())
        return versions.register(actor, cp, dataset.project_id, how.name or dataset.name, made, how.action)


def rewritten(version: DatasetVersionRecord, how: Rewritten, train: Part, test: Part, facts: dict[str, Any]) -> Made:
    """What a version is made of that has these rows instead; nobody has checked them yet."""
    format = how.format or str(version.format)
    is_same = format == version.format
    return Made(
        format,
        train,
        test,
        Part(version.left_out_sha256, 0, version.left_out_rows) if is_same else Part(),
        split_seed=version.split_seed,
        facts=facts,
        mapping=version.mapping if is_same else {},
        source={**version.source, **how.source},
        to_check=True,
    )


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

    def rows(self, lines: Iterable[bytes], target: Path, scan: Scan) -> Scan:
        """Like `sound`, and refuses a file that has none. Raises DatasetEmpty."""
        self.sound(lines, target, scan)
        if not scan.keys:
            raise DatasetEmpty(file=scan.file)
        return scan

    def sound(self, lines: Iterable[bytes], target: Path, scan: Scan) -> Scan:
        """Write the sound rows to `target`. Raises the first fault, once the whole file has been read and counted."""
        since_look = _CHUNK
        with target.open("wb") as file, self.aside.open("ab") as aside:
            for line in lines:
                since_look += len(line)
                if since_look >= _CHUNK:
                    self.cp.blobs.require_space(since_look)
                    since_look = 0
                before = scan.problem_count
                file.write(scan.take(line))
                if scan.problem_count > before and self.faulty == "leave_out":
                    aside.write(_written_aside(scan, line))
        fault = scan.fault()
        if fault and (self.faulty == "refuse" or not scan.keys):
            raise fault
        return scan


def _written_aside(scan: Scan, line: bytes) -> bytes:
    row = {"file": scan.file, "line": scan.line, "row": line.rstrip(b"\r\n").decode("utf-8", "replace")}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


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


def _store(cp: ControlPlane, path: Path) -> Part:
    with path.open("rb") as file:
        rows = sum(1 for _ in file)
        if not rows:
            return Part()
        file.seek(0)
        sha256, size = cp.blobs.put(file)
    row_index.ensure(cp, sha256)
    return Part(sha256, size, rows)
