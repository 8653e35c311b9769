"""JSON that somebody else wrote: read strictly, so that what is stored can always be written out again."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError for what is not JSON, for NaN and infinities, for endless nesting.

    Lone surrogates become question marks: no database and no wire takes them.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        safe = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
        return json.loads(safe)
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")
