"""The fields of a JSON answer have the expected values, where numbers may be a little off and units differ."""

from typing import Any

from kit import checking, units
from kit.checking import Case, Check, Found, found


def make(tolerance: float = 0.01, number_field: str = "", unit_field: str = "") -> Check:
    """The share of fields that are right, among all that either side has at the top.

    A number is right within `tolerance` of the expected one, as a share of it. With `number_field` and `unit_field`
    those two are one quantity: 250 and nM are right for 0.25 and µM.
    """

    def check(answer: str, case: Case) -> Found:
        wanted = _object(case.expected)
        if wanted is None:
            return found(0, "reference_not_json")
        try:
            given = checking.parse(answer)
        except ValueError:
            return found(0, "not_json")
        if not isinstance(given, dict):
            return found(0, "no_object")
        names = [*wanted, *(name for name in given if name not in wanted)]
        right = {name for name in names if _same(given, wanted, name, tolerance)}
        if (quantity := {number_field, unit_field}) <= set(names):
            same = _same_quantity(given, wanted, number_field, unit_field, tolerance)
            right = right | quantity if same else right - quantity
        return found(len(right) / len(names) if names else 1, "fields_right", right=len(right), fields=len(names))

    return check


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = checking.parse(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _same(given: dict[str, Any], wanted: dict[str, Any], name: str, tolerance: float) -> bool:
    if name not in given or name not in wanted:
        return False
    one, other = given[name], wanted[name]
    if _is_number(one) and _is_number(other):
        return _near(one, other, tolerance)
    try:
        return checking.as_text(one) == checking.as_text(other)
    except RecursionError:
        return False


def _same_quantity(given: dict[str, Any], wanted: dict[str, Any], number: str, unit: str, tolerance: float) -> bool:
    one, other = _quantity(given, number, unit), _quantity(wanted, number, unit)
    if one is None or other is None:  # a unit that nobody knows: both as they stand
        return all(_same(given, wanted, name, tolerance) for name in (number, unit))
    return one[0] == other[0] and _near(one[1], other[1], tolerance)


def _quantity(fields: dict[str, Any], number: str, unit: str) -> tuple[str, float] | None:
    value, symbol = fields.get(number), fields.get(unit)
    if not _is_number(value) or not isinstance(symbol, str):
        return None
    return units.in_base_units(float(value), symbol)


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and checking.number(value) is not None


def _near(one: float, other: float, tolerance: float) -> bool:
    return checking.near(one, other, tolerance * abs(other))
