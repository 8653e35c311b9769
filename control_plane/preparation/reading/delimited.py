"""Tables as text, CSV and its kin: what parts the cells and how they are quoted is found out."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from control_plane.domain.errors import RowQuotesWrong, RowRagged, RowsInvalid, RowTooLong
from control_plane.preparation.reading import encodings
from control_plane.preparation.reading.headings import headings
from control_plane.preparation.reading.lines import Lines, TooLong
from control_plane.preparation.reading.raw import Raw, Reading
from control_plane.preparation.reading.unpacking import unpacked

DELIMITERS = ",;\t|"

_SNIFFED = 50  # rows
_SEP = "sep="  # what Excel writes first into a file for itself

Row = tuple[int, list[str]]  # the line in which it begins, and its cells


class Doubled(csv.Dialect):
    """As nearly every program writes it: a quotation mark within a cell is doubled."""

    delimiter = ","
    quotechar = '"'
    doublequote = True
    skipinitialspace = False
    lineterminator = "\r\n"
    quoting = csv.QUOTE_MINIMAL
    strict = True


class Escaped(Doubled):
    """As some databases write it: a backslash before a quotation mark within a cell."""

    doublequote = False
    escapechar = "\\"


def records(reading: Reading) -> Iterator[Raw]:
    """Each row below the heading, by the heading's names; all values are texts.

    Raises RowEncodingWrong or RowNotText of a heading that is no text.
    """
    csv.field_size_limit(reading.limits.row_bytes)
    with unpacked(reading.source, reading.limits, reading.advance) as stream:
        dialect = _dialect(encodings.begin(stream, reading.source.encoding), reading.source.delimiter)
        lines = Lines(encodings.opened(stream, reading.source.encoding), reading.limits.row_bytes)
        names: list[str] = []
        for row in _rows(reading, lines, csv.reader(lines, dialect, delimiter=reading.source.delimiter)):
            if isinstance(row, Raw):
                yield row
                continue
            if not names:
                if fault := encodings.fault_of("".join(row[1]), reading.source.encoding):
                    raise reading.placed(row[0], fault)
                names, is_data = headings(row[1], reading.notes)
                if not is_data:
                    continue
            yield _record(reading, names, *row)


def delimiter_of(text: str) -> str:
    """What parts the cells of a table that begins so; empty where it is no table."""
    if mark := _told(text):
        return mark
    scores = {one: _score(text, one) for one in DELIMITERS}
    best = max(scores, key=lambda one: scores[one])
    return best if scores[best] > 0 else ""


def agree(text: str, delimiter: str) -> bool:
    """Whether the first rows all have as many cells as the first of them, as those of no prose have."""
    return len(set(_widths(text, delimiter))) == 1


def _told(text: str) -> str:
    """The delimiter that a first line names, as Excel writes it for itself: `sep=;`."""
    line = text.split("\n", 1)[0].strip("\r ")
    return line[-1] if line[:-1].lower() == _SEP and line[-1] in DELIMITERS else ""


def _score(text: str, delimiter: str) -> float:
    """How much the text is a table with this delimiter: the columns that its rows have, the less the fewer agree."""
    widths = _widths(text, delimiter)
    if len(widths) < 2 or widths[0] < 2:
        return 0.0
    agreeing = widths.count(widths[0]) / len(widths)
    return widths[0] * agreeing**4 if agreeing > 0.5 else 0.0


def _widths(text: str, delimiter: str) -> list[int]:
    """How many cells each of the first rows has."""
    widths: list[int] = []
    rows = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        widths.extend(len(row) for row in islice(rows, _SNIFFED) if row)
    except csv.Error:  # a cell longer than may be: what came before tells enough
        return widths
    return widths


def _dialect(begin: str, delimiter: str) -> type[Doubled]:
    """The usual one, unless the text breaks it and keeps to the other."""
    escaped = '\\"' in begin and _breaks(begin, delimiter, Doubled) and not _breaks(begin, delimiter, Escaped)
    return Escaped if escaped else Doubled


def _breaks(begin: str, delimiter: str, dialect: type[Doubled]) -> bool:
    """Whether a quotation mark stands where this dialect allows none. That the last cell is cut off does not count."""
    try:
        for _ in csv.reader(begin.splitlines(keepends=True), dialect, delimiter=delimiter):
            continue
    except csv.Error as problem:
        return "expected after" in str(problem)
    return False


def _rows(reading: Reading, lines: Lines, rows: Any) -> Iterator[Raw | Row]:
    """Each row that is not blank, or its fault."""
    while True:
        lines.begin()
        line = lines.number + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except TooLong as problem:
            yield reading.faulty(line, problem.fault, problem.begins)
        except csv.Error as problem:
            yield reading.faulty(line, _fault(problem, reading.limits.row_bytes), lines.last)
        else:
            if line == 1 and _told(reading.source.delimiter.join(row)):
                continue
            if any(map(str.strip, row)):
                yield line, row
            else:
                reading.notes["blank_lines"] += 1


def _fault(problem: csv.Error, limit: int) -> RowsInvalid:
    return RowTooLong(limit=limit) if "limit" in str(problem) else RowQuotesWrong()


def _record(reading: Reading, names: Sequence[str], line: int, row: list[str]) -> Raw:
    written = reading.source.delimiter.join(row)
    if len(row) != len(names) and (len(row) < len(names) or any(map(str.strip, row[len(names) :]))):
        return reading.faulty(line, RowRagged(count=len(row), columns=len(names)), written)
    if fault := encodings.fault_of(written, reading.source.encoding):
        return reading.faulty(line, fault, written)
    return Raw(line, dict(zip(names, row, strict=False)))
