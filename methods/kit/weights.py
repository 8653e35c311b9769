"""The header of a safetensors file, held against the file itself: what it states is a promise of whoever made it."""

import json
import math
import struct
from itertools import pairwise
from pathlib import Path
from typing import Any

from kit.events import fail

LONGEST_HEADER = 20_000_000  # bytes; 100,000 tensors need 15,000,000
MOST_DIMENSIONS = 16
_BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
    "F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32,
    "C64": 64, "I64": 64, "U64": 64, "F64": 64,
}  # fmt: skip


def tensors(path: Path) -> list[dict[str, Any]]:
    """The tensors of a safetensors file, each with ``dtype`` and ``shape``, without reading their values.

    Refuses with ``model_weights_corrupt``, naming file and reason, a header that is longer than the file, is no JSON,
    or whose types, shapes and offsets do not fill exactly what follows it.
    """
    try:
        return _checked(path)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        text = f"The weights in {path.name} are damaged: {reason}"
        fail("model_weights_corrupt", text, file=path.name, reason=reason)


def _checked(path: Path) -> list[dict[str, Any]]:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8:
            raise ValueError("the file is cut off")
        (length,) = struct.unpack("<Q", head)
        if length > min(size - 8, LONGEST_HEADER):
            raise ValueError(f"its header states a length of {length:,} bytes; the file has {size:,}")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    found = {name: entry for name, entry in header.items() if name != "__metadata__"}
    spans = sorted(_span(name, entry) for name, entry in found.items())
    if any(end != begin for (_, end), (begin, _) in pairwise([(0, 0), *spans, (size - 8 - length, 0)])):
        raise ValueError("its tensors do not fill the file: they overlap, leave gaps or go on behind its end")
    return list(found.values())


def _span(name: str, entry: Any) -> tuple[int, int]:
    """Where a tensor's values begin and end behind the header, once its type and shape say the same."""
    bits = _BITS.get(str(entry.get("dtype"))) if isinstance(entry, dict) else None
    if bits is None:
        raise ValueError(f"the tensor {name[:100]} has no known type")
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not (_are_counts(shape) and len(shape) <= MOST_DIMENSIONS and _are_counts(offsets) and len(offsets) == 2):
        raise ValueError(f"the tensor {name[:100]} has no usable shape or place")
    begin, end = offsets
    if 8 * (end - begin) != math.prod(shape) * bits:
        raise ValueError(f"the tensor {name[:100]} has {end - begin:,} bytes, which its shape and type contradict")
    return begin, end


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)
