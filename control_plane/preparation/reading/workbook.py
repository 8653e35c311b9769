"""What is in a workbook's zip, looked at before anything is parsed: what it would take, and what will not be read."""

from __future__ import annotations

import re
import zipfile
from typing import BinaryIO

from control_plane.domain.errors import CellTooLong, FileTooLarge, SheetTooLarge
from control_plane.preparation.reading.raw import Reading

MOST_ROWS = 1_048_576  # of a sheet, as Excel has it
MOST_TEXT = 512 << 20  # bytes of a workbook's texts, which are held all at once

_MOST_OTHER = 64 << 20  # bytes of styles, names and the like
_CHUNK = 1 << 20
_STRINGS = "xl/sharedStrings.xml"
_SHEETS = "xl/worksheets/"
_LINKS = re.compile(r"xl/externalLinks/[^/]+\.xml")
_FORMULA = re.compile(rb"<f[ />]")
_ROW = re.compile(rb"<row[ />]")


def survey(reading: Reading, stream: BinaryIO) -> None:
    """Refuse what would take too much, and note formulas and links to other files.

    Raises CellTooLong, FileTooLarge, SheetTooLarge, and what zipfile raises for a damaged file.
    """
    with zipfile.ZipFile(stream) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > reading.limits.file_bytes:
            raise FileTooLarge(file=reading.file, limit=reading.limits.file_bytes)
        for part in parts:
            reading.notes["external_links"] += bool(_LINKS.fullmatch(part.filename))
            if part.filename == _STRINGS or (part.filename.startswith(_SHEETS) and part.filename.endswith(".xml")):
                _scan(reading, archive, part)
            elif part.filename.endswith((".xml", ".rels")):
                _bound(reading, part, _MOST_OTHER)


def _bound(reading: Reading, part: zipfile.ZipInfo, most: int) -> None:
    if part.file_size > most:
        raise SheetTooLarge(file=reading.file, rows=MOST_ROWS, limit=most)


def _scan(reading: Reading, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Read through a part's markup: rows and formulas are counted, and no text may be longer than a row."""
    if part.filename == _STRINGS:
        _bound(reading, part, MOST_TEXT)
    rows, rest, longest = 0, b"", max(reading.limits.row_bytes, _CHUNK)
    with archive.open(part) as markup:
        while chunk := markup.read(_CHUNK):
            tags, last, rest = (rest + chunk).rpartition(b"<")
            rest = last + rest
            rows += len(_ROW.findall(tags))
            reading.notes["formulas"] += len(_FORMULA.findall(tags))
            if len(rest) > longest:
                raise CellTooLong(file=reading.file, limit=reading.limits.row_bytes)
            if rows > MOST_ROWS:
                raise SheetTooLarge(file=reading.file, rows=MOST_ROWS, limit=MOST_TEXT)
