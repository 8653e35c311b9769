"""What may stand in an address."""

from __future__ import annotations

from typing import Any

from werkzeug.routing import IntegerConverter, Map

_LARGEST = 2**53 - 1  # what every browser and every database counts exactly


class RowNumber(IntegerConverter):
    """`<int:…>`: a row's id. A larger number is an address that does not exist, not a database's error."""

    def __init__(self, map: Map, *arguments: Any, **options: Any) -> None:
        super().__init__(map, *arguments, **({"max": _LARGEST} | options))
