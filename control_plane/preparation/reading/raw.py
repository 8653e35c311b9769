"""One record as it stands in a file, or what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from control_plane.domain.errors import RowsInvalid
from control_plane.domain.preparation import Limits, Source

MARK = "\udcff"  # stands for bytes that are nothing in the file's encoding
EXCERPT = 200  # characters of a record that is too long


@dataclass(slots=True)
class Raw:
    """A record: `fields` by name as JSON has values, or the `fault` that makes it unreadable."""

    line: int  # as the file counts from 1: lines of text, rows of a sheet, else records
    fields: dict[str, Any] | None
    fault: RowsInvalid | None = None
    excerpt: str = ""  # of a faulty record: what stands there, its beginning where it is too long


@dataclass
class Reading:
    """One pass through a file that is known: everything in `source` that is to be found out has been."""

    source: Source
    limits: Limits
    notes: Counter[str] = field(default_factory=Counter)  # peculiarities → times
    sheets: list[str] = field(default_factory=list)  # of a workbook: those that are to be seen
    done: int = 0  # bytes of the file as it lies on the disk that have been read

    @property
    def size(self) -> int:
        """Bytes of the file as it lies on the disk."""
        return Path(self.source.path).stat().st_size

    @property
    def file(self) -> str:
        return self.source.name

    def advance(self, done: int) -> None:
        """The file has been read so far."""
        self.done = done

    def faulty(self, line: int, problem: RowsInvalid, text: str = "") -> Raw:
        """The record in `line`, which has a problem."""
        return Raw(line, None, self.placed(line, problem), text.encode("utf-8", "replace").decode())

    def placed(self, line: int, problem: RowsInvalid) -> RowsInvalid:
        """The problem, which comes to know where it is."""
        problem.params = {"file": self.file, "line": line, **problem.params}
        return problem


class Reader(Protocol):
    """What reads one kind of file. Raises FileUnfit where no other record can be read either."""

    def __call__(self, reading: Reading) -> Iterator[Raw]: ...
