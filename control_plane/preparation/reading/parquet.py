"""Parquet, batch by batch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow
import pyarrow.parquet

from control_plane.domain.errors import (
    FileBreaksOff,
    FileBroken,
    RowEncodingWrong,
    RowFieldTypeWrong,
    RowsInvalid,
    RowTooLong,
)
from control_plane.preparation.reading import encodings, values
from control_plane.preparation.reading.headings import distinct
from control_plane.preparation.reading.raw import Raw, Reading
from control_plane.preparation.reading.unpacking import Bounds, seekable

_BATCH_BYTES = 8 << 20
_MOST_ROWS = 16  # of a batch: the footer does not know how large texts are that come up again and again
_BUFFER = 1 << 20  # bytes
_FOOTER = 16 << 20  # bytes of its texts, and entries, at most
# what pyarrow raises for a damaged file; its own exceptions are among them
_DAMAGED = (OSError, pyarrow.ArrowException, ValueError, OverflowError)


def records(reading: Reading) -> Iterator[Raw]:
    """Each row, counted from 1.

    Raises FileBroken where the file is not what its footer says, ArchiveSwelling where that is far more than it holds.
    """
    number = 0
    with seekable(reading.source, reading.limits) as stream:
        file = _opened(reading, stream)
        promised = file.metadata.num_rows
        Bounds(reading.file, reading.limits.file_bytes, stream.seek(0, os.SEEK_END)).check(
            _unpacked_size(file.metadata)
        )
        for batch in _batches(reading, file):
            for row in _rows(batch):
                number += 1
                yield _record(reading, number, row)
            reading.done = reading.size * number // max(1, promised)
    if number != promised:
        raise FileBreaksOff(file=reading.file, line=number)


def _opened(reading: Reading, stream: BinaryIO) -> pyarrow.parquet.ParquetFile:
    try:
        return pyarrow.parquet.ParquetFile(
            stream,
            buffer_size=_BUFFER,
            pre_buffer=False,
            thrift_string_size_limit=_FOOTER,
            thrift_container_size_limit=_FOOTER,
        )
    except _DAMAGED as problem:
        raise FileBroken(file=reading.file) from problem


def _batches(reading: Reading, file: pyarrow.parquet.ParquetFile) -> Iterator[pyarrow.RecordBatch]:
    """Batches of some megabytes each, if the footer tells the truth; the process's memory is bounded besides.

    A page is unpacked whole, however few of its rows are wanted: writers see to it that it has about a megabyte, but
    some put a thousand rows into it whatever their size.
    """
    metadata = file.metadata
    size = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    rows = _BATCH_BYTES * max(1, metadata.num_rows) // max(1, size)
    batches, done = file.iter_batches(max(1, min(_MOST_ROWS, rows)), use_threads=False), 0
    while True:
        try:
            batch = next(batches)
            batch = batch.rename_columns(distinct(batch.schema.names, reading.notes))
        except StopIteration:
            return
        except pyarrow.ArrowMemoryError:
            raise
        except _DAMAGED as problem:
            raise FileBreaksOff(file=reading.file, line=done) from problem
        done += batch.num_rows
        yield batch


def _unpacked_size(metadata: pyarrow.parquet.FileMetaData) -> int:
    """Bytes of all pages, and one for each value: a thousand empty ones can be a byte in a page."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    chunks = (group.column(number) for group in groups for number in range(group.num_columns))
    return sum(chunk.total_uncompressed_size + chunk.num_values for chunk in chunks)


def _rows(batch: pyarrow.RecordBatch) -> Iterator[dict[str, Any] | RowsInvalid]:
    """The rows as Python has them, or why one cannot be had; few at once where they are large."""
    few = max(1, batch.num_rows * _BATCH_BYTES // max(_BATCH_BYTES, batch.nbytes))
    for first in range(0, batch.num_rows, few):
        part = batch.slice(first, few)
        try:
            yield from part.to_pylist()
        except (ValueError, OverflowError):
            yield from [_cells(part, row) for row in range(part.num_rows)]


def _cells(batch: pyarrow.RecordBatch, row: int) -> dict[str, Any] | RowsInvalid:
    cells = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            cells[name] = column[row].as_py()
        except UnicodeDecodeError:
            return RowEncodingWrong(encoding=encodings.UTF_8)
        except (ValueError, OverflowError):  # a time that Python does not have
            return RowFieldTypeWrong(field=name, expected="text")
    return cells


def _record(reading: Reading, number: int, row: dict[str, Any] | RowsInvalid) -> Raw:
    try:
        if isinstance(row, RowsInvalid):
            raise row
        if values.size(row) > reading.limits.row_bytes:
            raise RowTooLong(limit=reading.limits.row_bytes)
        return Raw(number, {name: values.plain(name, value) for name, value in row.items()})
    except RowsInvalid as problem:
        return reading.faulty(number, problem)
