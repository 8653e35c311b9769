"""One case as one file: a ZIP archive of case.json and, where the case brings data, train.jsonl and test.jsonl.

Nothing of what somebody brings is trusted: no path is followed, no entry is unpacked beyond the limit, whatever it says
of its size. The same case gives the same bytes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as InflateError

from control_plane.domain.errors import CaseArchiveUnreadable, CaseFileRefused, CaseTooLarge

PLAN, TRAIN, TEST = "case.json", "train.jsonl", "test.jsonl"
FILES = (PLAN, TRAIN, TEST)
LARGEST = 960 << 10  # bytes of an archive: it is sent as one message, and a port takes 1 MiB
LARGEST_DATA = 8 << 20  # bytes of both parts as they are unpacked
LARGEST_PLAN = 256 << 10
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of time, for ZIP
_PACKED = (ZIP_STORED, ZIP_DEFLATED)  # of the others zipfile unpacks all at once, whatever it is asked for


def packed(plan: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """The archive of a plan and its data. Raises CaseTooLarge."""
    target = io.BytesIO()
    text = json.dumps(plan, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    with ZipFile(target, "w") as archive:
        for name, data in {PLAN: text.encode(), **dict(sorted(files.items()))}.items():
            entry = ZipInfo(name, _BEGINNING)
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, data)
    whole = target.getvalue()
    if len(whole) > LARGEST:
        raise CaseTooLarge(limit=LARGEST)
    return whole


def unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The plan, not looked at yet, and the data of an archive.

    Raises CaseArchiveUnreadable, CaseFileRefused, CaseTooLarge.
    """
    if len(data) > LARGEST:
        raise CaseTooLarge(limit=LARGEST)
    try:
        with ZipFile(io.BytesIO(data)) as archive:
            found = _files(archive)
    except (BadZipFile, NotImplementedError, OSError, ValueError) as problem:
        raise CaseArchiveUnreadable from problem
    if PLAN not in found:
        raise CaseArchiveUnreadable
    try:
        plan = json.loads(found.pop(PLAN).decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as problem:  # no UTF-8 is a ValueError
        raise CaseArchiveUnreadable from problem
    if not isinstance(plan, dict):
        raise CaseArchiveUnreadable
    return plan, found


def _files(archive: ZipFile) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    room = LARGEST_DATA
    for entry in archive.infolist():
        if entry.filename not in FILES or entry.filename in found:
            raise CaseFileRefused(path=ascii(entry.filename)[1:80])
        if entry.compress_type not in _PACKED:
            raise CaseArchiveUnreadable
        limit = LARGEST_PLAN if entry.filename == PLAN else room
        content = _read(archive, entry, limit)
        room -= len(content) if entry.filename != PLAN else 0
        found[entry.filename] = content
    return found


def _read(archive: ZipFile, entry: ZipInfo, limit: int) -> bytes:
    """The bytes of an entry, which may be more than it says."""
    try:
        with archive.open(entry) as source:
            content = source.read(limit + 1)
    except (BadZipFile, InflateError, NotImplementedError, RuntimeError, EOFError, OSError) as problem:
        raise CaseArchiveUnreadable from problem
    if len(content) > limit:
        raise CaseTooLarge(limit=limit)
    return content


def _refuse(constant: str) -> None:
    raise ValueError(constant)
