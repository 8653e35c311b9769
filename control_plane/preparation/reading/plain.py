"""Plain text: each paragraph is a record, or each line where no blank line parts paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from control_plane.preparation.reading import encodings
from control_plane.preparation.reading.lines import Lines, TooLong
from control_plane.preparation.reading.raw import Raw, Reading
from control_plane.preparation.reading.unpacking import unpacked

FIELD = "text"
LINE, PARAGRAPH = "\n", "\n\n"

_GAP = re.compile(r"\S[^\S\n]*\r?\n[^\S\n]*\r?\n\s*\S")  # a blank line between two others


def delimiter_of(begin: str) -> str:
    """What parts the records of a text that begins so."""
    return PARAGRAPH if _GAP.search(begin) else LINE


def records(reading: Reading) -> Iterator[Raw]:
    """Each paragraph or line as {"text"}; what is blank is none."""
    with unpacked(reading.source, reading.limits, reading.advance) as stream:
        lines = Lines(encodings.opened(stream, reading.source.encoding), reading.limits.row_bytes)
        while piece := _piece(reading, lines):
            yield piece


def _piece(reading: Reading, lines: Lines) -> Raw | None:
    """The next record; None at the end."""
    lines.begin()
    first, taken = 0, list[str]()
    try:
        for line in lines:
            if line.strip():
                first = first or lines.number
                taken.append(line)
            if taken and (reading.source.delimiter == LINE or not line.strip()):
                break
            if not taken:
                lines.begin()
    except TooLong as problem:
        first = first or lines.number
        _skip(reading, lines)
        return reading.faulty(first, problem.fault, problem.begins)
    text = "".join(taken).strip("\r\n")
    if not text:
        return None
    fault = encodings.fault_of(text, reading.source.encoding)
    return reading.faulty(first, fault, text) if fault else Raw(first, {FIELD: text})


def _skip(reading: Reading, lines: Lines) -> None:
    """Go behind the paragraph that is too long."""
    blank = reading.source.delimiter == LINE
    while not blank:
        lines.begin()
        try:
            blank = not next(lines, "").strip()
        except TooLong:
            continue
