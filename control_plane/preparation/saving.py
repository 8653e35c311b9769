"""What a check or a save leaves in the folder: the report, and the rows of a version."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import compress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson

from control_plane.domain import generated
from control_plane.domain.datasets import SAMPLES
from control_plane.domain.errors import TunesmithError
from control_plane.domain.preparation import Report
from control_plane.preparation.blocks import changed, written
from control_plane.preparation.checks import TABLE, exact_duplicates, language_mix, secrets, too_long
from control_plane.preparation.facts import histogram
from control_plane.preparation.ledger import Mask
from control_plane.preparation.pipeline import Pipeline

TRAIN, TEST, LEFT_OUT, MARKS = "train", "test", "left_out", "marks"

_BUFFER = 1 << 20  # bytes
_CODES = {check.number: check.code for check in TABLE.values()}


class Aside:
    """The file of the rows that are left out, each with its place and the check that was the reason."""

    def __init__(self, folder: Path) -> None:
        self._file: BinaryIO = (folder / LEFT_OUT).open("wb", buffering=_BUFFER)

    def __call__(self, file: str, line: int, row: str, check: str) -> None:
        """Write one."""
        self._file.write(orjson.dumps({"file": file, "line": line, "row": row, "check": check}) + b"\n")

    def close(self) -> None:
        self._file.close()


def report(pipeline: Pipeline, test: Mask) -> Report:
    """What was found, with the numbers of rows that a save would keep, and does.

    Where it is not known what fits into a model, no row was looked at for its length, and nothing is said of it.
    """
    ledger = pipeline.ledger
    kept = ledger.kept
    test_rows = int((kept & test).sum())
    lengths = np.frombuffer(ledger.lengths, np.uint32)
    shown_lengths = pipeline.tokens.of(kept) if pipeline.tokens else lengths[kept]
    shown = [row for number, row in pipeline.facts.first if kept[number]]
    return Report(
        format=pipeline.format,
        rows=pipeline.rows,
        train_rows=int(kept.sum()) - test_rows,
        test_rows=test_rows,
        left_out_rows=pipeline.rows - int(kept.sum()),
        findings=[one for one in pipeline.findings.all() if one.check != too_long.CODE or pipeline.too_long.limit],
        samples=shown[:SAMPLES],
        facts=_facts(pipeline, kept & ledger.from_train)
        | {
            "histogram": histogram(shown_lengths, pipeline.too_long.unit, pipeline.too_long.limit),
            "uncounted": _told(pipeline.uncounted),
            "languages": pipeline.findings.params[language_mix.CODE].get("languages", {}),
        },
    )


def _told(problem: TunesmithError | None) -> dict[str, Any]:
    """An error as the report keeps it; empty for none."""
    return {"code": problem.code, "params": problem.storable()} if problem else {}


def write_rows(pipeline: Pipeline, folder: Path, test: Mask, aside: Aside) -> None:
    """Each row to where it belongs: `train`, `test` or aside; and `marks`, which names checks that found kept rows."""
    with ExitStack() as stack:
        parts = [stack.enter_context((folder / name).open("wb", buffering=_BUFFER)) for name in (TRAIN, TEST)]
        marks = stack.enter_context((folder / MARKS).open("wb", buffering=_BUFFER))
        kept, found = pipeline.ledger.kept, pipeline.ledger.found
        masks = kept & ~test, kept & test
        at = [np.cumsum(mask) - 1 for mask in masks]  # of each row its number in its part
        first = 0
        for some in pipeline.scratch.lines():
            these = slice(first, first + len(some))
            for row in pipeline.marks.keys() & range(first, first + len(some)) if pipeline.marks else ():
                some[row - first] = _generated(some[row - first], pipeline.marks[row])
            for part, mask in zip(parts, masks, strict=True):
                part.write(b"".join(compress(some, mask[these].tolist())))
            for row in np.flatnonzero(~kept[these]).tolist():
                _put_aside(pipeline, aside, first + row, some[row][:-1])
            for row in (first + np.flatnonzero(kept[these] & (found[these] > 0))).tolist():
                is_test = bool(test[row])
                marks.write(_mark(is_test, int(at[is_test][row]), int(found[row])))
            first += len(some)


def _put_aside(pipeline: Pipeline, aside: Aside, row: int, line: bytes) -> None:
    text = line if pipeline.findings.keeps_secrets else _without_secrets(line)
    ledger = pipeline.ledger
    aside(pipeline.file_of(row), ledger.lines[row], text.decode(), _CODES[int(ledger.left_out[row])])


def _generated(line: bytes, mark: generated.Mark) -> bytes:
    """A row with the mark that it came with; no check looks at that."""
    return line[:-2] + b"," + orjson.dumps({generated.FIELD: mark})[1:] + b"\n"


def _without_secrets(line: bytes) -> bytes:
    """A row that is left out, for its secrets or for something else; they are kept nowhere."""
    return written(changed(orjson.loads(line), secrets.masked)) if secrets.may_have(line.decode()) else line


def _mark(is_test: bool, row: int, found: int) -> bytes:
    codes = [code for number, code in _CODES.items() if found >> number & 1]
    return orjson.dumps({"split": TEST if is_test else TRAIN, "row": row, "checks": codes}) + b"\n"


def _facts(pipeline: Pipeline, kept: Mask) -> dict[str, Any]:
    ledger = pipeline.ledger
    first = exact_duplicates.firsts(ledger.keys[kept])
    return pipeline.facts.told(
        lengths=np.frombuffer(ledger.lengths, np.uint32)[kept],
        duplicates=int((first != np.arange(len(first))).sum()),
        good=int(np.frombuffer(ledger.good, np.uint8)[kept].sum()),
        generated=sum(bool(kept[number]) for number in pipeline.marks),
    )
