"""Excel workbooks: one sheet, its values as they were last computed. No formula is carried out, no link followed."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any
from xml.etree.ElementTree import ParseError

import openpyxl
from openpyxl.utils.escape import unescape
from openpyxl.workbook import Workbook

from control_plane.domain.columns import as_text, is_filled
from control_plane.domain.errors import (
    FileBreaksOff,
    FileBroken,
    RowRagged,
    RowsInvalid,
    RowTooLong,
    SheetMissing,
    SheetTooLarge,
)
from control_plane.preparation.reading import encodings, values, workbook
from control_plane.preparation.reading.headings import headings
from control_plane.preparation.reading.raw import Raw, Reading
from control_plane.preparation.reading.unpacking import seekable

_AHEAD = 20  # rows that are looked at to find the heading
_ERRORS = ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!")
# what zipfile, the XML parser and openpyxl raise for markup that they did not expect
_DAMAGED = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, ParseError),
    *(RuntimeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)

Row = tuple[int, dict[int, Any]]  # its number in the sheet, and its filled cells by where they stand


def records(reading: Reading) -> Iterator[Raw]:
    """Each row below the heading that is not empty.

    Raises FileBroken, FileTooLarge, CellTooLong, SheetMissing, SheetTooLarge.
    """
    with _opened(reading) as book:
        rows = _rows(reading, book)
        first = list(islice(rows, _AHEAD))
        first = first[_above_heading(reading, first) :]
        used = sorted({at for _, cells in first for at in cells})
        columns: dict[int, str] = {}
        for number, cells in chain(first, rows):
            if not columns:
                names, is_data = headings([as_text(cells.get(at)) for at in used], reading.notes)
                columns = dict(zip(used, names, strict=True))
                if not is_data:
                    continue
            yield _record(reading, columns, number, cells)


@contextmanager
def _opened(reading: Reading) -> Iterator[Workbook]:
    with seekable(reading.source, reading.limits) as stream, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not keep: styles, charts, validations
        try:
            workbook.survey(reading, stream)
            book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        except _DAMAGED as problem:
            raise FileBroken(file=reading.file) from problem
        reading.sheets = _names(book)
        try:
            yield book
        finally:
            book.close()


def _names(book: Workbook) -> list[str]:
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    return [sheet.title for sheet in sheets or book.worksheets]


def _rows(reading: Reading, book: Workbook) -> Iterator[Row]:
    """The rows that are not empty."""
    sheet = reading.source.sheet or next(iter(reading.sheets), "")
    if sheet not in book.sheetnames:
        raise SheetMissing(file=reading.file, sheet=sheet)
    book[sheet].reset_dimensions()  # a sheet may say that it is of any size
    number, rows = 0, book[sheet].iter_rows(max_row=workbook.MOST_ROWS + 1, values_only=True)
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except _DAMAGED as problem:
            raise FileBreaksOff(file=reading.file, line=number) from problem
        number += 1
        if number > workbook.MOST_ROWS:
            raise SheetTooLarge(file=reading.file, rows=workbook.MOST_ROWS, limit=workbook.MOST_TEXT)
        filled = {at: cell for at, cell in enumerate(cells) if cell is not None and is_filled(cell)}
        if filled:
            yield number, filled
        else:
            reading.notes["blank_lines"] += 1


def _above_heading(reading: Reading, first: list[Row]) -> int:
    """How many rows stand above the heading: a title fills one cell, where the rows below fill several."""
    above = next((at for at, (_, cells) in enumerate(first) if len(cells) > 1), 0)
    reading.notes["rows_above_heading"] += above
    return above


def _record(reading: Reading, columns: dict[int, str], number: int, cells: dict[int, Any]) -> Raw:
    """Cells where no column is, beside the table, are a fault."""
    try:
        if outside := len(cells.keys() - columns.keys()):
            raise RowRagged(count=len(columns) + outside, columns=len(columns))
        if values.size(list(cells.values())) > reading.limits.row_bytes:
            raise RowTooLong(limit=reading.limits.row_bytes)
        fields = {name: _value(reading, name, cells.get(at)) for at, name in columns.items()}
    except RowsInvalid as problem:
        return reading.faulty(number, problem, " | ".join(map(str, cells.values()))[: reading.limits.row_bytes])
    return Raw(number, fields)


def _value(reading: Reading, name: str, cell: Any) -> Any:
    if isinstance(cell, str):
        if cell in _ERRORS:
            reading.notes["error_cells"] += 1
            return None
        cell = unescape(cell) if "_x" in cell else cell
        if fault := encodings.fault_of(cell, encodings.UTF_8):
            raise fault
    return values.plain(name, cell)
