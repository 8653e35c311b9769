"""The rows of an evaluation: they stay in the blob that its method wrote, and are read where an index says they are.

The index is a blob too: a line of JSON that names metrics and candidates, one byte a row of what it is (see
`domain/scores.py::flags`), then of each row offset, length and number, and its scores.
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from control_plane.context import ControlPlane
from control_plane.domain import scores
from control_plane.domain.documents import parse
from control_plane.domain.scores import CANDIDATE, CUT, DIFFERENCES, WRONG, Scores
from control_plane.store.evaluations import EvaluationRecord

SHOWN = {"": 0, "differences": DIFFERENCES, "wrong": WRONG, "cut": CUT}  # what may be asked for → a row's bits
_MOST = 200  # rows of one page
_MOST_SCORES = 1_000_000  # that are compared with another evaluation's


@dataclass(frozen=True)
class _Index:
    """An open index."""

    file: BinaryIO
    metrics: list[str]
    candidates: list[str]
    flags: bytes
    begins: int  # the byte after the flags

    @property
    def place(self) -> struct.Struct:
        return struct.Struct(f"<QQQ{len(self.metrics) * len(self.candidates)}d")


def store(cp: ControlPlane, found: Scores) -> str:
    """Write the index of an evaluation that was read; its sha256."""
    candidates = list(next(iter(found.metrics.values())))
    lists = [by_candidate[name] for by_candidate in found.metrics.values() for name in candidates]
    place = struct.Struct(f"<QQQ{len(lists)}d")
    head = {"metrics": list(found.metrics), "candidates": candidates, "count": len(found.rows.numbers)}
    written = io.BytesIO()
    written.write(json.dumps(head).encode() + b"\n")
    of_number = [scores.flags(_scores(found.metrics, number)) for number in range(len(lists[0]))]
    numbered = zip(found.rows.numbers, found.rows.cut, strict=True)
    written.write(bytes(of_number[number] | CUT * bool(cut) for number, cut in numbered))
    for where in zip(found.rows.offsets, found.rows.lengths, found.rows.numbers, strict=True):
        written.write(place.pack(*where, *(values[where[2]] for values in lists)))
    written.seek(0)
    return cp.blobs.put(written)[0]


def _scores(metrics: dict[str, dict[str, list[float]]], number: int) -> dict[str, dict[str, float]]:
    return {metric: {name: values[number] for name, values in one.items()} for metric, one in metrics.items()}


def count(cp: ControlPlane, evaluation: EvaluationRecord, only: str = "") -> int:
    """How many rows there are: all, or `only` those with "differences", the "wrong" or the "cut" ones."""
    if not SHOWN.get(only):
        return int(evaluation.row_count)
    with cp.blobs.open(evaluation.index_sha256) as file:
        return len(_wanted(_open(file), only))


def read(
    cp: ControlPlane, evaluation: EvaluationRecord, only: str = "", offset: int = 0, limit: int = 10
) -> list[dict[str, Any]]:
    """A page of the rows, at most 200.

    {"row", "prompt", "expected", "answers", "scores": {metric: {candidate: x}}}; "cut": [candidate], if stated.
    """
    if not evaluation.row_count:
        return []
    offset, limit = max(0, offset), max(0, min(limit, _MOST))
    with cp.blobs.open(evaluation.index_sha256) as file, cp.blobs.open(evaluation.rows_sha256) as rows:
        index = _open(file)
        return [_row(index, rows, position) for position in _wanted(index, only)[offset : offset + limit]]


def of_candidate(cp: ControlPlane, evaluation: EvaluationRecord) -> dict[str, dict[int, float]]:
    """metric → number of a row → the score of the model under test; empty where that would be millions of numbers."""
    if not evaluation.row_count:
        return {}
    with cp.blobs.open(evaluation.index_sha256) as file:
        index = _open(file)
        if evaluation.row_count * len(index.metrics) > _MOST_SCORES:
            return {}
        at, width = index.candidates.index(CANDIDATE), len(index.candidates)
        found: dict[str, dict[int, float]] = {metric: {} for metric in index.metrics}
        for _ in index.flags:
            _offset, _length, number, *values = index.place.unpack(file.read(index.place.size))
            for metric, value in zip(index.metrics, values[at::width], strict=True):
                found[metric][number] = value
    return found


def _open(file: BinaryIO) -> _Index:
    head = json.loads(file.readline())
    flags = file.read(head["count"])
    return _Index(file, head["metrics"], head["candidates"], flags, file.tell())


def _wanted(index: _Index, only: str) -> list[int] | range:
    bits = SHOWN.get(only, 0)
    if not bits:
        return range(len(index.flags))
    return [position for position, flags in enumerate(index.flags) if flags & bits]


def _row(index: _Index, rows: BinaryIO, position: int) -> dict[str, Any]:
    index.file.seek(index.begins + position * index.place.size)
    offset, length, number, *values = index.place.unpack(index.file.read(index.place.size))
    rows.seek(offset)
    told: dict[str, Any] = parse(rows.read(length))
    given = iter(values)
    scored = {metric: {name: _plain(next(given)) for name in index.candidates} for metric in index.metrics}
    return told | {"row": number, "scores": scored}


def _plain(value: float) -> float:
    return int(value) if value.is_integer() else value
