"""Collecting garbage: staging of ended attempts, temporary files of crashes, blobs that nobody names. Run by a tick."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.lifecycle import ATTEMPT_OVER
from control_plane.domain.permissions import SYSTEM
from control_plane.services import audit, references
from control_plane.services.fleet import staging
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.database import transaction
from control_plane.store.drafts import DatasetDraftRecord, UploadRecord
from control_plane.store.jobs import AttemptRecord

PERIOD = 60.0  # seconds between two runs; each looks at one 256th of the blobs: at all of them in four and a half hours
_PREFIXES = 256
_MOST = 500  # things removed in one run
_ARTIFACT = re.compile(r"artifact-([0-9]{1,15})")
_KEPT = re.compile(r"(upload|draft)-([0-9]{1,15})")  # as long as the row is there: see services/datasets/drafts.py


def collect(cp: ControlPlane) -> int:
    """Remove what is found in this run's share; how many things. One audit entry tells of all of them."""
    prefix = f"{int(cp.clock() // PERIOD) % _PREFIXES:02x}"
    staged, staged_bytes = _sweep_staging(cp)
    blobs, blob_bytes = _sweep_blobs(cp, prefix)
    if staged or blobs:
        with transaction():
            found = {"staging": staged, "blobs": blobs, "bytes": staged_bytes + blob_bytes}
            audit.record(SYSTEM, cp, "garbage.collect", "blobs", **found)
    return staged + blobs


def _sweep_blobs(cp: ControlPlane, prefix: str) -> tuple[int, int]:
    """What nothing names. `Blobs.holding` keeps what is stored now and named in a moment; the age is for the rest."""
    stored_before = cp.clock() - cp.settings.garbage_grace_seconds
    candidates = references.unnamed(cp.blobs.every(prefix))[:_MOST]
    freed = [cp.blobs.remove(sha256, references.is_named, stored_before) for sha256 in candidates]
    return sum(1 for size in freed if size), sum(freed)


def _sweep_staging(cp: ControlPlane) -> tuple[int, int]:
    entries = cp.blobs.staged()
    theirs = {int(found[1]): path for path in entries if (found := _ARTIFACT.fullmatch(path.name))}
    arriving = _arriving(list(theirs))
    over = [path for number, path in theirs.items() if number not in arriving]
    untouched_since = cp.clock() - cp.settings.garbage_grace_seconds
    named = set(theirs.values()) | _kept(entries)
    forgotten = [path for path in entries if path not in named and _touched(path) < untouched_since]
    freed = [_remove(path) for path in (over + forgotten)[:_MOST]]
    return len(freed), sum(freed)


def _arriving(numbers: list[int]) -> set[int]:
    """Those of the artifacts that are not committed yet and whose attempt may go on."""
    arriving: set[int] = set()
    for first in range(0, len(numbers), _MOST):
        query = (
            ArtifactRecord.select(ArtifactRecord.id)
            .join(AttemptRecord)
            .where(
                ArtifactRecord.id.in_(numbers[first : first + _MOST]),
                ArtifactRecord.committed_at == 0,
                AttemptRecord.state.not_in(ATTEMPT_OVER),
            )
        )
        arriving |= {int(one.id) for one in query}
    return arriving


def _kept(entries: list[Path]) -> set[Path]:
    """Those of the folders that belong to an upload or a draft which is not forgotten."""
    records: dict[str, Any] = {"upload": UploadRecord, "draft": DatasetDraftRecord}
    found = {path: matched for path in entries if (matched := _KEPT.fullmatch(path.name))}
    there = {kind: {int(one.id) for one in record.select()} for kind, record in records.items()}
    return {path for path, matched in found.items() if int(matched[2]) in there[matched[1]]}


def _touched(path: Path) -> float:
    """When something was last written there; of a folder, to one of its files. Now, if it has just gone."""
    try:
        inside = [one.stat().st_mtime for one in path.rglob("*")] if path.is_dir() else []
        return max([path.stat().st_mtime, *inside])
    except FileNotFoundError:
        return float("inf")


def _remove(path: Path) -> int:
    """Delete a file, or a folder with what is in it; the bytes that were there."""
    try:
        size = sum(one.stat().st_size for one in ([path] if path.is_file() else path.rglob("*")) if one.is_file())
    except FileNotFoundError:
        size = 0
    staging.forget(path)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return size
