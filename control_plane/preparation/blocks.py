"""Rows on their way through the checks, some thousands at once: as objects, and as bytes that numpy looks at.

A check that had to look at each character in Python would take longer than all the rest. So a block tells at the cost
of a few nanoseconds a byte which rows can have something at all (an at-sign, a run of digits, a byte that begins a
hidden character), and a check looks at those alone. What a block tells is never too little, often too much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from control_plane.domain.errors import RowNotText

GAP = 16  # bytes of line feeds after each row: whoever looks at so many at once never sees two rows

_FEW_DIGITS = 7  # within three words of eight bytes: the shortest phone number
_WORD = 8  # bytes
_SUM = np.uint64(0x0101010101010101)  # times a word: its highest byte is the sum of all
_FIRST_FIVE, _LAST_FIVE = np.uint64(0x0000000101010101), np.uint64(0x0101010101000000)  # bytes of a word
_OF_RUN, _OF_WORD, _LETTER, _CAPITAL = (np.uint8(1 << bit) for bit in range(4))  # in `classes`
_TO_SMALL = np.uint8(2)  # from the bit of a capital letter to the one that makes a small letter of it

_HIDDEN_LEADS = (0xC2, 0xD8, 0xE1, 0xE2, 0xEF, 0xF3)  # of UTF-8
_ESCAPES = (ord("u"), ord("b"), ord("f"))  # in JSON, of control characters
_DELETE = 0x7F


def _classes(byte: int) -> int:
    sign = bytes([byte])
    of = sign.isalnum() or sign in (b"-", b"_"), sign.isalnum() or byte >= 0x80, sign.isalpha(), sign.isupper()
    return sum(is_of << bit for bit, is_of in enumerate(of))


_CLASSES = bytes(map(_classes, range(256)))


@dataclass(frozen=True)
class Hit:
    """A row that a check has found."""

    row: int  # in the block
    field: str = ""
    params: dict[str, Any] | None = None


@dataclass(frozen=True)
class Words:
    """Where each word of a block begins, how many bytes it has, and its row."""

    begins: NDArray[np.intp]
    sizes: NDArray[np.intp]
    rows: NDArray[np.intp]
    heads: NDArray[np.uint64]  # the eight bytes that begin with it, as one number


@dataclass
class Block:
    """Sound rows in a row of their own file; nothing in it changes once a check has looked at it."""

    first: int  # the number of its first row among all
    rows: list[dict[str, Any]]
    texts: list[bytes]  # each row as it is to be stored, without its line feed
    lengths: list[int]  # characters of each row's texts

    @cached_property
    def strings(self) -> list[list[str]]:
        """The texts of each row; of messages without their roles."""
        return [strings_of(row) for row in self.rows]

    @cached_property
    def buffer(self) -> bytes:
        """All rows with a gap after each, and some bytes more so that whole words can be read."""
        gap = b"\n" * GAP
        joined = gap.join([*self.texts, b""])
        return joined + b"\n" * (-len(joined) % _WORD)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where each row begins in the buffer."""
        sizes = np.fromiter(map(len, self.texts), np.int64, len(self.texts)) + GAP
        return np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)

    @cached_property
    def codes(self) -> NDArray[np.uint8]:
        return np.frombuffer(self.buffer, np.uint8)

    @cached_property
    def classes(self) -> NDArray[np.uint8]:
        """Of each byte a bit for each kind of sign that it is or is part of."""
        return np.frombuffer(self.buffer.translate(_CLASSES), np.uint8)

    @cached_property
    def lower(self) -> NDArray[np.uint8]:
        """The buffer with its ASCII letters as small ones."""
        return self.codes | (self.classes & _CAPITAL) << _TO_SMALL

    @cached_property
    def eight_bytes(self) -> NDArray[np.uint64]:
        """At each place of `lower` the eight bytes that begin there, as one number."""
        return np.ndarray((len(self.lower) - _WORD + 1,), "<u8", self.lower, strides=(1,))

    @cached_property
    def words(self) -> Words:
        """The words of `lower`: runs of letters and digits, all signs beyond ASCII included."""
        is_word = self.classes & _OF_WORD
        edges = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1  # the first is a beginning, after a brace
        begins = np.ascontiguousarray(edges[::2])
        return Words(begins, edges[1::2] - begins, self.rows_of(begins), self.eight_bytes.take(begins))

    @cached_property
    def is_letter(self) -> NDArray[np.bool_]:
        """Whether each byte is a letter of ASCII."""
        return self.classes & _LETTER > 0

    def rows_of(self, positions: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows in which these positions of the buffer lie; positions in order."""
        counts = np.diff(np.searchsorted(positions, np.append(self.starts, len(self.buffer))))
        return np.repeat(np.arange(len(self.rows)), counts)

    def at(self, positions: NDArray[np.intp]) -> list[int]:
        """The rows in which these positions of the buffer lie, each once, in order."""
        rows = np.searchsorted(self.starts, positions, "right") - 1
        return [int(row) for row in np.flatnonzero(np.bincount(rows))]

    @cached_property
    def with_at_signs(self) -> list[int]:
        if b"@" not in self.buffer:
            return []
        return self.at(np.flatnonzero(self.codes == ord("@")))

    @cached_property
    def with_digits(self) -> list[int]:
        """Rows with seven digits or more close together."""
        digits = ((self.codes - np.uint8(ord("0"))) < 10).view(np.uint64)
        counts = ((digits * _SUM) >> np.uint64(56)).astype(np.uint8)
        near = counts.copy()
        near[1:] += counts[:-1]
        near[:-1] += counts[1:]
        return self.at(np.flatnonzero(near >= _FEW_DIGITS) * _WORD)

    @cached_property
    def with_long_runs(self) -> list[int]:
        """Rows with twenty letters, digits, hyphens or low lines (of ASCII) in one run.

        Such a run fills two words of eight bytes that stand together, or one of them and five bytes on each side.
        """
        of_run = (self.classes & _OF_RUN).view(np.uint64)
        full = of_run == _SUM
        long = full[:-1] & full[1:]
        begins, ends = of_run & _LAST_FIVE == _LAST_FIVE, of_run & _FIRST_FIVE == _FIRST_FIVE
        long[1:] |= full[1:-1] & begins[:-2] & ends[2:]
        return self.at(np.flatnonzero(long) * _WORD)

    @cached_property
    def with_hidden(self) -> list[int]:
        """Rows with a byte that may begin a hidden character, or an escaped control character."""
        escapes = np.flatnonzero(self.codes == ord("\\"))
        places = [escapes[np.isin(self.codes[escapes + 1], _ESCAPES)]]
        places += [np.flatnonzero(self.codes == byte) for byte in self._hidden_bytes()]
        return self.at(np.concatenate(places))

    def first_texts(
        self, rows: Iterable[int], found: Callable[[str], list[str]]
    ) -> Iterator[tuple[int, str, list[str]]]:
        """Of each of these rows the first text in which something is found: the row, the text's place, and what."""
        for number in rows:
            for place, text in texts_of(self.rows[number]):
                if some := found(text):
                    yield number, place, some
                    break

    def _hidden_bytes(self) -> tuple[int, ...]:
        return (_DELETE,) if self.buffer.isascii() else (_DELETE, *_HIDDEN_LEADS)


def written(row: dict[str, Any]) -> bytes:
    """A row as JSON without spaces. Raises RowNotText for what UTF-8 cannot hold."""
    try:
        return orjson.dumps(row)
    except TypeError as problem:
        raise RowNotText from problem


def key_of(row: dict[str, Any]) -> bytes:
    """As `domain/datasets.py::digest` has it for a row of texts, in a third of the time."""
    return sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).digest()[:16]


def strings_of(row: dict[str, Any]) -> list[str]:
    """The texts in a row, of messages without their roles."""
    found = [value for value in row.values() if isinstance(value, str)]
    if len(found) == len(row):
        return found
    return [text for place, text in texts_of(row) if not place.endswith(".role")]


def texts_of(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Each text in a row with its place, such as `messages[2].content`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from texts_of(part, f"{place}.{name}" if place else name)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from texts_of(part, f"{place}[{number}]")


def changed(row: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The row with each text in it changed; its fields' names stay."""
    return {name: _changed(part, change) for name, part in row.items()}


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return changed(value, change)
    return [_changed(part, change) for part in value] if isinstance(value, list) else value
