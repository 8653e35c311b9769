"""JSON in one document: a list of objects, an object that holds such a list, or objects one after the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TextIO

from control_plane.domain.datasets import DECODER, as_row
from control_plane.domain.errors import FileBreaksOff, RowNotJson, RowNotNumber, RowsInvalid, RowTooDeep, RowTooLong
from control_plane.preparation.reading import encodings
from control_plane.preparation.reading.raw import Raw, Reading
from control_plane.preparation.reading.unpacking import unpacked

_CHUNK = 1 << 18  # characters
_LENIENT = json.JSONDecoder()  # finds the end of what the strict one refuses
_SPACE = re.compile(r"\s*")
_OBJECTS = re.compile(r"\[\s*\{")
_NEXT = re.compile(r"[\s,]*")


def records(reading: Reading) -> Iterator[Raw]:
    """Each object, counted from 1.

    Raises FileBroken where the document ends too early, and RowNotJson, RowTooDeep or RowTooLong: behind such an object
    there is no telling where the next one begins.
    """
    with unpacked(reading.source, reading.limits, reading.advance) as stream:
        cursor = _Cursor(reading, encodings.opened(stream, reading.source.encoding))
        in_list = cursor.enter()
        while cursor.more(in_list):
            yield cursor.take()


class _Cursor:
    """A place in the text, of which no more than one object is held at a time."""

    def __init__(self, reading: Reading, text: TextIO) -> None:
        self._reading, self._text = reading, text
        self._buffer, self._at, self._record = text.read(_CHUNK), 0, 0

    def enter(self) -> bool:
        """Go to the first object; whether it stands in a list."""
        self._at = _SPACE.match(self._buffer).end()  # type: ignore[union-attr]
        inside = _list_in(self._buffer, self._at)
        self._at = inside or self._at
        return bool(inside)

    def more(self, in_list: bool) -> bool:
        """Go to the next object; whether there is one. Raises FileBroken."""
        while True:
            self._at = _NEXT.match(self._buffer, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._buffer):
                return not (in_list and self._buffer[self._at] == "]")
            if not self._grow():
                if in_list:
                    raise FileBreaksOff(file=self._reading.file, line=self._record)
                return False

    def take(self) -> Raw:
        """The object that begins here."""
        self._record += 1
        while True:
            try:
                return self._raw(*self._decoded())
            except json.JSONDecodeError as problem:
                self._refuse(problem)
            except RecursionError as problem:
                raise self._placed(RowTooDeep()) from problem
            except ValueError as problem:  # a number of more digits than Python reads
                raise self._placed(RowNotNumber(value="…")) from problem

    def _decoded(self) -> tuple[Any, int, RowsInvalid | None]:
        """The value here, where it ends, and what is wrong with it."""
        try:
            return *DECODER.raw_decode(self._buffer, self._at), None
        except RowsInvalid as problem:
            return None, _LENIENT.raw_decode(self._buffer, self._at)[1], problem

    def _raw(self, value: Any, end: int, fault: RowsInvalid | None) -> Raw:
        written, self._at = self._buffer[self._at : end], end
        fault = fault or encodings.fault_of(written, self._reading.source.encoding)
        try:
            if fault:
                raise fault
            if len(written) > self._reading.limits.row_bytes:
                raise RowTooLong(limit=self._reading.limits.row_bytes)
            return Raw(self._record, as_row(value, written))
        except RowsInvalid as problem:
            return self._reading.faulty(self._record, problem, written)

    def _refuse(self, problem: json.JSONDecodeError) -> None:
        """Read on, as the object may not be all there yet. Raises what is wrong if that cannot help."""
        limit, length = self._reading.limits.row_bytes, len(self._buffer) - self._at
        if length <= limit and self._grow():
            return
        if length <= limit:
            ended = problem.pos >= len(self._buffer) or problem.msg.startswith("Unterminated")
            raise FileBreaksOff(file=self._reading.file, line=self._record) if ended else self._not_json(problem)
        too_long = problem.msg.startswith("Unterminated") or problem.pos - self._at > limit // 2
        raise self._placed(RowTooLong(limit=limit)) if too_long else self._not_json(problem)

    def _not_json(self, problem: json.JSONDecodeError) -> RowsInvalid:
        return self._placed(RowNotJson(column=problem.pos - self._at + 1))

    def _placed(self, problem: RowsInvalid) -> RowsInvalid:
        return self._reading.placed(self._record, problem)

    def _grow(self) -> bool:
        """Read as much again as is held; whether there was more."""
        rest = self._buffer[self._at :]
        more = self._text.read(max(_CHUNK, len(rest)))
        self._buffer, self._at = rest + more, 0
        return bool(more)


def _list_in(text: str, at: int) -> int:
    """Where the first element of the list begins that the text is, or of a list of objects in the object that it is;
    0 if there is none.
    """
    if text[at : at + 1] == "[":
        return at + 1
    if text[at : at + 1] != "{":
        return 0
    at += 1
    try:
        while True:
            _, at = _LENIENT.raw_decode(text, _NEXT.match(text, at).end())  # type: ignore[union-attr]
            at = text.index(":", at) + 1
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            if _OBJECTS.match(text, at):
                return at + 1
            _, at = _LENIENT.raw_decode(text, at)
    except (ValueError, RecursionError):  # it is no such object, or so large a one that we do not look further
        return 0
