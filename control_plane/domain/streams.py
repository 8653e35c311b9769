"""A JSON object that is too large to be held at once: its members one by one, of one long list its items one by one."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from control_plane.domain.documents import decode

_SPACE = re.compile(r"[ \t\n\r]*")
_AFTER_A_VALUE = frozenset(" \t\n\r,:]}")
_BOM = codecs.BOM_UTF8


@dataclass(frozen=True)
class Member:
    """A member of the object, or an item of the list; where it lies in the document, in bytes."""

    key: str
    value: Any
    offset: int
    length: int
    is_item: bool


def members(chunks: Iterable[bytes], listed: str, largest: int) -> Iterator[Member]:
    """The members of a JSON object that comes in pieces; in place of its list `listed`, each of the list's items.

    A member or item is in memory whole, and may have `largest` characters. Raises ValueError as `documents.parse` does.
    """
    source = _Source(chunks, largest)
    if source.peek() != "{":
        raise ValueError("it is not an object")
    for _ in source.parts("{", "}"):
        key = source.value().value
        if not isinstance(key, str):
            raise ValueError("a name is not a text")
        source.expect(":")
        if key == listed and source.peek() == "[":
            for _ in source.parts("[", "]"):
                yield source.value(key, is_item=True)
        else:
            yield source.value(key)
    if source.peek():
        raise ValueError("there is more after the object")


class _Source:
    """The text as far as it has been read and not yet been used up; positions in characters, offsets in bytes."""

    def __init__(self, chunks: Iterable[bytes], largest: int) -> None:
        self._chunks = iter(chunks)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._largest = largest
        self._text, self._at, self._offset = "", 0, 0
        self._is_over = False
        self._more()
        if self._text.startswith("\ufeff"):
            self._text, self._offset = self._text[1:], len(_BOM)

    def peek(self) -> str:
        """The next character that is no space, empty at the end."""
        while True:
            self._go_to(_SPACE.match(self._text, self._at).end())  # type: ignore[union-attr]  # it matches nothing too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, sign: str) -> None:
        found = self.peek()
        if found != sign:
            raise ValueError(f"{sign!r} is expected at byte {self._offset}, not {found!r}")
        self._go_to(self._at + 1)

    def parts(self, opening: str, closing: str) -> Iterator[None]:
        """Once before each part between the brackets; the caller reads the part."""
        self.expect(opening)
        if self.peek() != closing:
            yield
            while self.peek() == ",":
                self.expect(",")
                yield
        self.expect(closing)

    def value(self, key: str = "", is_item: bool = False) -> Member:
        self.peek()
        while True:
            try:
                value, end = decode(self._text, self._at)
            except json.JSONDecodeError:
                if self._more():
                    continue
                raise
            characters, is_whole = end - self._at, self._text[end : end + 1] in _AFTER_A_VALUE
            if is_whole or not self._more():  # a number at the end of what is there may go on
                begins = self._offset
                self._go_to(self._at + characters)
                return Member(key, value, begins, self._offset - begins, is_item)

    def _go_to(self, position: int) -> None:
        self._offset += len(self._text[self._at : position].encode())
        self._at = position

    def _more(self) -> bool:
        """Read on, at least as much again as is there: a long value is tried a few times only."""
        if self._is_over:
            return False
        rest = self._text[self._at :]
        if len(rest) > self._largest:
            raise ValueError(f"a value at byte {self._offset} has more than {self._largest} characters")
        pieces, wanted = [rest], max(1, len(rest))
        while wanted > 0 and not self._is_over:
            chunk = next(self._chunks, b"")
            self._is_over = not chunk
            pieces.append(self._decoder.decode(chunk, final=self._is_over))
            wanted -= len(pieces[-1])
        self._text, self._at = "".join(pieces), 0
        return len(self._text) > len(rest)
