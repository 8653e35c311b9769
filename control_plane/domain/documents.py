"""JSON that somebody else wrote: read strictly, so that what is stored can always be written out and shown again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

_LARGEST = 2**63 - 1  # what every database and every wire counts
_LONGEST_NUMBER = 400  # characters; longer ones are slow to read and mean nothing
_SPACES = " \t\n\r"
_DEEPEST = 100  # levels; whoever writes the value out again may stand deeper in the stack than its reader


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError for what is not JSON, for NaN, infinities and whole numbers beyond 64
    bits, and for nesting of more than 100 levels.

    Lone surrogates become question marks: no database and no wire takes them.
    """
    written = well_formed(text) if isinstance(text, str) else text.decode("utf-8-sig")
    value, end = decode(written, len(written) - len(written.lstrip(_SPACES)))
    if written[end:].strip(_SPACES):
        raise ValueError("there is more after the value")
    return value


def decode(text: str, at: int) -> tuple[Any, int]:
    """The value that begins at the character `at`, as strictly as `parse`, and the character after it.

    Raises json.JSONDecodeError for what is not JSON or not all of it, ValueError for what is but is refused.
    """
    try:
        value, end = _DECODER.raw_decode(text, at)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
    _check_depth(value)
    if text.find("\\u", at, end) >= 0:
        value = json.loads(well_formed(json.dumps(value, ensure_ascii=False)))
    return value, end


def well_formed(text: str) -> str:
    """The text with each lone surrogate as a question mark."""
    return text.encode("utf-8", "replace").decode()


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [part for item in level for part in _inside(item)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _integer(text: str) -> int:
    if len(text) <= _LONGEST_NUMBER and abs(number := int(text)) <= _LARGEST:
        return number
    raise ValueError(f"{text[:20]}… is too large a number")


def _float(text: str) -> float:
    if len(text) <= _LONGEST_NUMBER and math.isfinite(number := float(text)):
        return number
    raise ValueError(f"{text[:20]}… is not a number that can be kept")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer, parse_float=_float)
