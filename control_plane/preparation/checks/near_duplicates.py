"""Rows that say nearly the same: copies with a word changed, a space more, another number.

Source: MinHash (Broder 1997) in one permutation (Li, Owen and Zhang 2012) whose empty bins borrow from the next
(Shrivastava and Li 2014), and locality-sensitive hashing by bands (Indyk and Motwani 1998). A row is the set of the
twelve-byte pieces that begin at a word, or at a sign of Chinese, Japanese or Korean; what more than a tenth of the
first rows have in common (an instruction, the keys of JSON) does not count. Two rows are nearly the same where about
four fifths of their pieces are; of pairs that are just so alike some are missed, of closer ones hardly any.
Cost: some microseconds a row in numpy; 104 bytes a row on the disk, and at the end 40 in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from control_plane.preparation.blocks import Block

CODE = "near_duplicates"
MOST = 8_000_000  # rows that are compared; what comes after them is not

Rows = NDArray[np.uint32]  # numbers of rows
Mask = NDArray[np.bool_]  # of each row, whether

_BINS = 64
_BANDS, _WIDTH = 10, 6  # of so many bins each
_ALIKE = 51  # bins
_FEWEST = 6  # pieces: a row of fewer says too little to be like another
_COMMON = 0.1  # of the first rows
_FIRST, _FIRST_PIECES = 1000, 4_000_000
_FEWEST_ROWS = 50  # of which something can be said to be common
_TABLE = np.uint32(32 - 16)  # bits: the highest ones name a piece in the table of common ones
_TO_BIN = np.uint32(32 - 6)  # bits
_EMPTY = np.uint32(0xFFFFFFFF)
_BUFFER = 1 << 18  # bytes
_STEP = 0x9E3779B1  # by which what is borrowed is changed for each bin that it comes from
_MIX, _MIX_TOO = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_HALF, _LATER, _ROW = np.uint64(32), np.uint64(31), np.uint64((1 << 31) - 1)  # of a key and its row in one number
_CHUNK = 1 << 15  # pairs that are compared at once
_SIGN, _FOUR_BYTES = 0xE3, 0xF8  # the bytes between them begin signs of Chinese, Japanese, Korean, and emoji


@dataclass(frozen=True)
class Pieces:
    """The hash of each piece of some rows, and which of them it is in, in their order."""

    rows: NDArray[np.intp]
    hashes: Rows
    count: int  # of the rows


class NearDuplicates:
    """Takes rows block by block, and tells at the end which are like which."""

    def __init__(self, folder: Path) -> None:
        self._prints = (folder / "near.prints").open("w+b", _BUFFER)  # of each row a byte for each bin
        self._bands = [(folder / f"near.{band}").open("w+b", _BUFFER) for band in range(_BANDS)]  # of each row 32 bits
        self._first: list[Pieces] = []  # of the first rows, until it is known what they have in common
        self._common: Mask | None = None
        self.rows = 0

    def take(self, block: Block) -> None:
        """The next rows."""
        if self.rows >= MOST:
            return
        self.rows += len(block.rows)
        pieces = _pieces(block)
        if self._common is not None:
            self._write_down(pieces)
            return
        self._first.append(pieces)
        if self.rows >= _FIRST or sum(len(one.hashes) for one in self._first) >= _FIRST_PIECES:
            self._begin()

    def _begin(self) -> None:
        """What the first rows have in common is known now."""
        self._common = _shared(self._first)
        for pieces in self._first:
            self._write_down(pieces)
        self._first = []

    def _write_down(self, pieces: Pieces) -> None:
        assert self._common is not None
        telling = np.flatnonzero(~self._common.take(pieces.hashes >> _TABLE))
        rows, hashes = pieces.rows.take(telling), pieces.hashes.take(telling)
        says_enough = np.bincount(rows, minlength=pieces.count) >= _FEWEST
        bins = _bins(rows, hashes, pieces.count)
        self._prints.write(bins.astype(np.uint8).tobytes())
        keys = (_keys(bins) * says_enough[:, None]).astype(np.uint32)
        for band, file in enumerate(self._bands):
            file.write(keys[:, band].tobytes())

    def earlier(self, among: Mask) -> Rows:
        """Of each row the first one before it that is nearly the same, itself where there is none.

        Only rows in `among` are looked at.
        """
        found = np.arange(len(among), dtype=np.uint32)
        for key, row in self._sorted(among, np.zeros_like(among)):
            first = _firsts(key)
            place = np.arange(len(row))
            for partner in (first, np.maximum(place - 1, first)):
                self._note(found, row, row[partner], partner != place)
        return found

    def known(self, asked: Mask, known: Mask) -> Rows:
        """Of each asked row the first known one that is nearly the same, itself where there is none."""
        found = np.arange(len(asked), dtype=np.uint32)
        for key, row in self._sorted(asked | known, ~known):
            first, is_known = _firsts(key), known[row]
            last = np.maximum.accumulate(np.where(is_known, np.arange(len(row)), first))  # the known ones come first
            for partner in (first, last):
                self._note(found, row, row[partner], is_known[partner] & ~is_known)
        return found

    def close(self) -> None:
        """Forget all rows."""
        for file in (self._prints, *self._bands):
            file.close()
            Path(file.name).unlink()

    def _sorted(self, among: Mask, later: Mask) -> Iterator[tuple[Rows, Rows]]:
        """For each band the keys and the rows, sorted by key; rows that are to come later come after the others."""
        if self._common is None:
            self._begin()
        for file in self._bands:
            keys = _whole(file, np.uint32)
            rows = np.flatnonzero(among[: self.rows] & (keys != 0)).astype(np.uint64)
            packed = keys[rows].astype(np.uint64) << _HALF | later[rows].astype(np.uint64) << _LATER | rows
            packed.sort()  # much faster than to sort numbers of rows by their keys
            yield (packed >> _HALF).astype(np.uint32), (packed & _ROW).astype(np.uint32)

    def _note(self, found: Rows, rows: Rows, partners: Rows, wanted: Mask) -> None:
        """Write down each partner that is nearly the same as its row and comes before the one noted so far."""
        if not self.rows:
            return
        self._prints.flush()
        prints = np.memmap(self._prints, np.uint8, "r", shape=(self.rows, _BINS))
        chosen = np.flatnonzero(wanted)
        for begin in range(0, len(chosen), _CHUNK):
            part = chosen[begin : begin + _CHUNK]
            row, partner = rows[part], partners[part]
            alike = np.count_nonzero(prints[row] == prints[partner], axis=1) >= _ALIKE
            row, partner = row[alike], partner[alike]
            unset = found[row] == row
            found[row] = np.where(unset, partner, np.minimum(found[row], partner))


def _pieces(block: Block) -> Pieces:
    begins, rows, heads = block.words.begins, block.words.rows, block.words.heads
    if not block.buffer.isascii():
        is_begin = (block.codes >= _SIGN) & (block.codes < _FOUR_BYTES)
        is_begin[begins] = True
        begins = np.flatnonzero(is_begin)
        rows, heads = block.rows_of(begins), block.eight_bytes.take(begins)
    mixed = heads * _MIX ^ block.eight_bytes.take(begins + 4) * _MIX_TOO
    mixed ^= mixed >> np.uint64(31)
    return Pieces(rows, ((mixed * _MIX) >> np.uint64(32)).astype(np.uint32), len(block.rows))


def _shared(first: list[Pieces]) -> Mask:
    """The table of the pieces that more than a tenth of the first rows have."""
    before = np.cumsum([0, *(pieces.count for pieces in first)])
    rows = np.concatenate([np.zeros(0, np.int64), *(one.rows + at for one, at in zip(first, before[:-1], strict=True))])
    hashes = np.concatenate([np.zeros(0, np.uint32), *(pieces.hashes for pieces in first)])
    some = slice(0, min(_FIRST_PIECES, int(np.searchsorted(rows, _FIRST))))  # however long the blocks are
    places, rows = (hashes[some] >> _TABLE).astype(np.int64), rows[some]
    once = np.unique(places << 32 | rows)
    having = np.bincount(once >> 32, minlength=1 << 16)
    count = min(_FIRST, int(before[-1]))
    return having > max(_COMMON * count, 2 * having.mean()) if count >= _FEWEST_ROWS else having < 0


def _bins(rows: NDArray[np.intp], pieces: Rows, count: int) -> NDArray[np.uint32]:
    """(count, 64): in each bin the least hash that falls into it; an empty one borrows from the next that is not."""
    flat = np.full(count * _BINS, _EMPTY)
    np.minimum.at(flat, rows * _BINS + (pieces >> _TO_BIN), pieces)
    bins = flat.reshape(count, _BINS)
    distance = 1
    while distance < _BINS:
        borrowed = np.roll(bins, -distance, axis=1)
        offset = np.uint32(_STEP * distance & 0xFFFFFFFF)
        bins = np.where((bins == _EMPTY) & (borrowed != _EMPTY), borrowed + offset, bins)
        distance *= 2
    return bins


def _keys(bins: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """For each row and band one number of 32 bits for its bins, never 0."""
    by_band = bins[:, : _BANDS * _WIDTH].reshape(len(bins), _BANDS, _WIDTH)
    key = np.zeros((len(bins), _BANDS), np.uint64)
    for place in range(_WIDTH):
        key = (key ^ by_band[:, :, place]) * _MIX
        key ^= key >> np.uint64(29)
    return (key >> np.uint64(32)) | np.uint64(1)


def _firsts(keys: Rows) -> NDArray[np.intp]:
    """Of each place in sorted keys the first place with the same key."""
    begins = np.ones(len(keys), np.bool_)
    begins[1:] = keys[1:] != keys[:-1]
    return np.maximum.accumulate(np.where(begins, np.arange(len(keys)), 0))


def _whole(file: BinaryIO, kind: type[np.uint32]) -> Rows:
    file.flush()
    file.seek(0)
    found = np.fromfile(file, kind)
    file.seek(0, 2)
    return found
