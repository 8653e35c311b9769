"""A version's rows with edits, row by row: the same as `services/datasets/json_lines.py` makes of fewer rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from control_plane.domain.datasets import Scan, refuse_leak
from control_plane.domain.edits import Edits, edited
from control_plane.domain.errors import DatasetEmpty
from control_plane.domain.preparation import Order, read

_BUFFER = 1 << 20  # bytes


def edit(order: Order, folder: Path, tell: Callable[[int, int], None]) -> None:
    """Write `train`, `test` and `edited.json` ({train_rows, test_rows, facts}).

    Raises RowsInvalid, DatasetEmpty, HeldOutLeak.
    """
    edits = read(Edits, json.loads(Path(order.edits).read_bytes()))
    format, longest = order.mapping.format if order.mapping else "", order.limits.row_bytes
    paths = {"train": order.train.path, "test": order.test.path if order.test else ""}
    of = sum(Path(path).stat().st_size for path in paths.values() if path)
    lines = {part: _lines(path, done, of, tell) for part, path, done in _places(paths)}
    lines[edits.split] = edited(lines[edits.split], edits)
    train = _taken(lines["train"], Scan("train.jsonl", longest, format), folder / "train")
    if not train.keys:
        raise DatasetEmpty(file=train.file)
    test = _taken(lines["test"], Scan("test.jsonl", longest, format, examines=True), folder / "test")
    refuse_leak(train, test)
    told = {"train_rows": len(train.keys), "test_rows": len(test.keys), "facts": train.facts()}
    (folder / "edited.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")


def _places(paths: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    """Each part with its file and the bytes that were read before that."""
    done = 0
    for part, path in paths.items():
        yield part, path, done
        done += Path(path).stat().st_size if path else 0


def _lines(path: str, done: int, of: int, tell: Callable[[int, int], None]) -> Iterator[bytes]:
    if not path:
        return
    with Path(path).open("rb", buffering=_BUFFER) as file:
        for line in file:
            done += len(line)
            tell(done, of)
            yield line


def _taken(lines: Iterator[bytes], scan: Scan, target: Path) -> Scan:
    """Write the rows of a part. Raises the first fault, once all were read and counted."""
    with target.open("wb", buffering=_BUFFER) as file:
        for line in lines:
            file.write(scan.take(line))
    if fault := scan.fault():
        raise fault
    return scan
