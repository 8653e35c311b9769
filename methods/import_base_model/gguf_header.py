"""Walking a GGUF file's header without believing it, before any library does: a count is a promise, not a fact.

GGUFReader makes objects for as many values as a header states, so a file of 150 bytes could take all memory.
"""

import math
import mmap
import struct
from pathlib import Path

LONGEST_KEY = 64 << 10  # bytes, for the names of settings and of tensors
MOST_VALUES = 2 << 20  # in all lists together, at 1.2 kB each in GGUFReader; the largest models have 1,300,000
MOST_TENSORS = 100_000
MOST_DIMENSIONS = 4
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a value by its type
_STRING, _ARRAY = 8, 9
_NO_HEADER = "it does not begin with a GGUF header"
_LEAST_FILE = 4 + 4 + 8 + 8  # "GGUF", version, numbers of tensors and of settings
_LEAST_SETTING = 8 + 4 + 1  # a key's length, a type, a value
_LEAST_TENSOR = 8 + 4 + 4 + 8  # a name's length, the number of dimensions, a type, an offset
_LEAST_BITS = 1  # of a weight in any quantization


def check(path: Path) -> None:
    """Raise ValueError, with the reason, where a header states what the file cannot hold. Takes next to no memory."""
    if path.stat().st_size < _LEAST_FILE:
        raise ValueError(_NO_HEADER)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        _Walk(data).all()


class _Walk:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0
        self._values = 0

    def all(self) -> None:
        if self._data[:4] != b"GGUF":
            raise ValueError(_NO_HEADER)
        self._at = 4
        version = self._number("<I")
        if version not in (2, 3):
            raise ValueError(f"it has the GGUF version {version}; 2 and 3 can be read")
        tensors, settings = self._number("<Q"), self._number("<Q")
        self._holds(settings, _LEAST_SETTING, "settings")
        for _ in range(settings):
            key = self._text(LONGEST_KEY, "a key")
            self._value(self._number("<I"), key)
        self._holds(tensors, _LEAST_TENSOR, "tensors")
        if tensors > MOST_TENSORS:
            raise ValueError(f"it states {tensors:,} tensors; at most {MOST_TENSORS:,} are read")
        for _ in range(tensors):
            self._tensor()

    def _value(self, kind: int, key: str) -> None:
        if kind == _STRING:
            self._text(len(self._data), key)
        elif kind == _ARRAY:
            self._array(key)
        else:
            self._skip(_size(kind, key), key)

    def _array(self, key: str) -> None:
        kind, count = self._number("<I"), self._number("<Q")
        if kind == _ARRAY:
            raise ValueError(f"{key} is a list of lists")
        size = 8 if kind == _STRING else _size(kind, key)
        self._holds(count, size, f"values of {key}")
        self._values += count
        if self._values > MOST_VALUES:
            raise ValueError(f"its lists have more than {MOST_VALUES:,} values")
        if kind != _STRING:
            self._skip(count * size, key)
            return
        for _ in range(count):
            self._text(len(self._data), key)

    def _tensor(self) -> None:
        name = self._text(LONGEST_KEY, "a tensor's name")
        dimensions = self._number("<I")
        if dimensions > MOST_DIMENSIONS:
            raise ValueError(f"the tensor {name} has {dimensions:,} dimensions")
        shape = [self._number("<Q") for _ in range(dimensions)]
        if math.prod(shape) * _LEAST_BITS > 8 * len(self._data):
            raise ValueError(f"the tensor {name} has more weights than the file holds")
        self._skip(4 + 8, name)

    def _text(self, longest: int, what: str) -> str:
        """Skip a text; its beginning, to name it in a reason."""
        length = self._number("<Q")
        if length > longest:
            raise ValueError(f"{what} has {length:,} bytes")
        begin = self._at
        self._skip(length, what)
        return bytes(self._data[begin : begin + min(length, 100)]).decode(errors="replace")

    def _number(self, form: str) -> int:
        begin = self._at
        self._skip(struct.calcsize(form), "its header")
        return int(struct.unpack_from(form, self._data, begin)[0])

    def _skip(self, size: int, what: str) -> None:
        if size > len(self._data) - self._at:
            raise ValueError(f"{what} is cut off")
        self._at += size

    def _holds(self, count: int, size: int, what: str) -> None:
        if count * size > len(self._data) - self._at:
            raise ValueError(f"it states {count:,} {what}, more than the file can hold")


def _size(kind: int, key: str) -> int:
    if kind not in _SIZES:
        raise ValueError(f"{key} has the unknown type {kind}")
    return _SIZES[kind]
