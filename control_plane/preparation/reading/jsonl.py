"""JSON Lines: one JSON object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from control_plane.domain.datasets import BOM
from control_plane.domain.errors import RowEncodingWrong, RowsInvalid, RowTooLong
from control_plane.preparation.reading import encodings
from control_plane.preparation.reading.lines import Lines, TooLong
from control_plane.preparation.reading.quick_json import row_of
from control_plane.preparation.reading.raw import EXCERPT, MARK, Raw, Reading
from control_plane.preparation.reading.unpacking import unpacked


def records(reading: Reading) -> Iterator[Raw]:
    """Each line that is not blank."""
    with unpacked(reading.source, reading.limits, reading.advance) as stream:
        if reading.source.encoding == encodings.UTF_8:
            yield from _of_bytes(reading, stream)
        else:
            yield from _of_text(reading, stream)


def _of_bytes(reading: Reading, stream: BinaryIO) -> Iterator[Raw]:
    longest, number = reading.limits.row_bytes + 2, 0
    while line := stream.readline(longest):
        number += 1
        whole = len(line) < longest or line.endswith(b"\n")
        while not whole and (rest := stream.readline(longest)):
            whole = rest.endswith(b"\n")
        if number == 1 and line.startswith(BOM):
            line = line[len(BOM) :]
        text = line.strip(b" \t\r\n")
        if text:
            yield _row(reading, number, text)
        else:
            reading.notes["blank_lines"] += 1


def _of_text(reading: Reading, stream: BinaryIO) -> Iterator[Raw]:
    lines = Lines(encodings.opened(stream, reading.source.encoding), reading.limits.row_bytes)
    while True:
        lines.begin()
        try:
            line = next(lines)
        except StopIteration:
            return
        except TooLong as problem:
            yield reading.faulty(lines.number, problem.fault, problem.begins)
            continue
        text = line.strip(" \t\r\n\ufeff")
        if MARK in text:
            yield reading.faulty(lines.number, RowEncodingWrong(encoding=reading.source.encoding), text)
        elif text:
            yield _row(reading, lines.number, text.encode("utf-8", "surrogatepass"))
        else:
            reading.notes["blank_lines"] += 1


def _row(reading: Reading, number: int, text: bytes) -> Raw:
    try:
        if len(text) > reading.limits.row_bytes:
            text = text[:EXCERPT]
            raise RowTooLong(limit=reading.limits.row_bytes)
        return Raw(number, row_of(text))
    except RowsInvalid as problem:
        return reading.faulty(number, problem, text.decode("utf-8", "replace"))
