"""What typed files hold besides what JSON knows: dates, decimals, bytes."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from control_plane.domain.errors import RowFieldTypeWrong, RowNotNumber


def plain(name: str, value: Any) -> Any:
    """A value as JSON has it: what is not a number (NaN) is nothing, a date or time its ISO text, bytes their UTF-8.

    Raises RowNotNumber for an infinity, RowFieldTypeWrong for what cannot be said.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime) and value.time() == time() and value.tzinfo is None:
        return value.date().isoformat()  # a day, as sheets keep it
    if isinstance(value, date | time):
        return value.isoformat()
    return _other(name, value)


def _number(value: float | Decimal) -> int | float | None:
    number = float(value)
    if math.isinf(number):
        raise RowNotNumber(value=str(value)[:20])
    if math.isnan(number):
        return None
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else number


def _other(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): plain(name, part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(name, part) for part in value]
    if isinstance(value, timedelta | UUID):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as problem:
            raise RowFieldTypeWrong(field=name, expected="text") from problem
    raise RowFieldTypeWrong(field=name, expected="text")


def size(value: Any) -> int:
    """About how many bytes a value has as JSON."""
    if isinstance(value, str | bytes):
        return len(value) + 2
    if isinstance(value, dict):
        return 2 + sum(len(name) + 4 + size(part) for name, part in value.items())
    return 2 + sum(map(size, value)) if isinstance(value, list | tuple) else 8
