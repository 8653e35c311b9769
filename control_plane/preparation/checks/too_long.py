"""Rows that do not fit into the model: training cuts them off, or refuses an answer that is too long by itself.

Source: the context of the chosen base model, in tokens of its own tokenizer, as the model sees the row
(`preparation/tokens.py`); without a tokenizer, in characters at the number of them that the estimates count a token.
Cost: a comparison; tokens are counted only of rows that may have too many, as no token is shorter than a byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from control_plane.domain.estimates import CHARACTERS_PER_TOKEN
from control_plane.preparation.blocks import Block, Hit

CODE = "too_long"

_TEMPLATE = 512  # bytes that a chat template may add to a row

Count = Callable[[Sequence[dict[str, Any]]], list[int]]  # rows → the tokens of each


class TooLong:
    """Finds them; `context` 0 is not known, and then no row is too long."""

    code = CODE

    def __init__(self, context: int, count: Count | None) -> None:
        self._context, self._count = context, count
        self.unit = "tokens" if count else "characters"
        self.limit = context if count else int(context * CHARACTERS_PER_TOKEN)

    def find(self, block: Block) -> Iterator[Hit]:
        """Each row that is too long; `length` says how long it is."""
        if not self._context:
            return
        candidates = [number for number, text in enumerate(block.texts) if len(text) + _TEMPLATE > self.limit]
        rows = [block.rows[number] for number in candidates]
        lengths = self._count(rows) if self._count else [block.lengths[number] for number in candidates]
        for number, length in zip(candidates, lengths, strict=True):
            if length > self.limit:
                yield Hit(number, params={"length": length, "limit": self.limit, "unit": self.unit})
