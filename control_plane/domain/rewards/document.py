"""A reward's document: `{"checks": [{"check", "weight", "parameters"}, …]}`, read, put into one form, and hashed.

`checks` is the very value that a method's parameter of the same name takes (`x-checks`). Which checks there are and
what each takes, the caller says: the kit's catalogue (methods/kit/checks.toml) in any language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from control_plane.domain.documents import parse
from control_plane.domain.errors import (
    RewardCheckUnknown,
    RewardEmpty,
    RewardKeyUnknown,
    RewardTooLarge,
    RewardUnreadable,
    RewardValueUnfit,
    RewardWeightUnfit,
)

KEYS = ("checks",)
CHECK_KEYS = ("check", "weight", "parameters")
MOST_CHECKS = 20  # as the methods' parameter has it
MOST_WEIGHT = 1_000
LONGEST = 256 << 10  # characters of a document

Checks = list[dict[str, Any]]
Catalogue = Mapping[str, Mapping[str, Any]]  # check → as checks.toml has it


def read(given: str | Mapping[str, Any] | Sequence[Any], known: Catalogue) -> Checks:
    """The checks of a document, or of a bare list of them, each with its weight and all its parameters' defaults.

    What a parameter may be is looked at by services/rewards/documents.py. Raises RewardUnreadable, RewardTooLarge,
    RewardKeyUnknown, RewardEmpty, RewardValueUnfit, RewardCheckUnknown, RewardWeightUnfit.
    """
    value = _plain(given)
    if isinstance(value, Mapping):
        _only("–", value, KEYS)
        value = value.get("checks", [])
    if not isinstance(value, list):
        raise RewardValueUnfit(place="checks", wanted="[…]")
    if not value:
        raise RewardEmpty
    if len(value) > MOST_CHECKS:
        raise RewardTooLarge(what="checks", most=MOST_CHECKS)
    return [_check(number, one, known) for number, one in enumerate(value, 1)]


def canonical(checks: Checks) -> dict[str, Any]:
    """The document of checks that were read."""
    return {"checks": checks}


def digest(document: Mapping[str, Any]) -> str:
    """The sha256 of a document in its canonical form: the same for all that say the same."""
    whole = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def shares(checks: Sequence[Mapping[str, Any]]) -> list[float]:
    """What part of the whole reward each check is, from 0 to 1; they add up to 1."""
    weights = [float(one["weight"]) for one in checks]
    return [weight / (sum(weights) or 1.0) for weight in weights]


def _plain(given: Any) -> Any:
    """The value as it can be stored and written out again."""
    try:
        text = given if isinstance(given, str) else json.dumps(given)
        if len(text) > LONGEST:
            raise RewardTooLarge(what="characters", most=LONGEST)
        return parse(text)
    except (TypeError, ValueError, RecursionError) as problem:
        raise RewardUnreadable(problem=str(problem)[:200]) from problem


def _check(number: int, given: Any, known: Catalogue) -> dict[str, Any]:
    place = f"checks.{number}"
    if not isinstance(given, Mapping):
        raise RewardValueUnfit(place=place, wanted='{"check": …, "weight": …, "parameters": {…}}')
    _only(place, given, CHECK_KEYS)
    name, parameters = given.get("check"), given.get("parameters", {})
    if not isinstance(name, str) or name not in known:
        raise RewardCheckUnknown(number=number, check=str(name)[:80], known=list(known))
    if not isinstance(parameters, Mapping):
        raise RewardValueUnfit(place=f"{place}.parameters", wanted="{…}")
    weight = given.get("weight", 1)
    is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not is_number or not isfinite(weight) or not 0 < weight <= MOST_WEIGHT:
        raise RewardWeightUnfit(number=number, check=name, most=MOST_WEIGHT)
    defaults = {key: one["default"] for key, one in known[name]["parameters"].items() if "default" in one}
    return {"check": name, "weight": float(weight), "parameters": {**defaults, **parameters}}


def _only(place: str, given: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in given:
        if key not in keys:
            raise RewardKeyUnknown(place=f"{place}.{key[:80]}", known=list(keys))
