"""What every check is made of: the case that an answer belongs to, what was found, and reading answers as JSON."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

_NUMBER = re.compile(r"[-+−]?(?:\d{1,3}(?:[,’' ]\d{3})+|\d+)?(?:\.\d+|(?<=\d))(?:[eE][-+]?\d{1,3})?")
_GROUPS = re.compile(r"(?<=\d)[,’' ](?=\d{3})")
_READER = json.JSONDecoder()


@dataclass(frozen=True)
class Case:
    """What an answer is judged beside: the question, the answer that was expected, and the JSON Schema for it as JSON.

    Either of the last two is "" where there is none.
    """

    prompt: str = ""
    expected: str = ""
    schema: str = ""


@dataclass(frozen=True)
class Found:
    """A score from 0 to 1, and why: a code among the reasons of checks.toml with what its sentence needs."""

    score: float
    reason: str
    params: dict[str, Any] = field(default_factory=dict)


Check = Callable[[str, Case], Found]


def found(score: float, reason: str, /, **params: Any) -> Found:
    """A `Found` whose score is held between 0 and 1."""
    return Found(min(max(float(score), 0.0), 1.0), reason, params)


def parse(text: str) -> Any:
    """Read a whole text as JSON, strictly: no NaN, no key twice; raises ValueError."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def embedded(text: str) -> Any:
    """The first JSON object that stands somewhere in a text; raises ValueError if there is none."""
    try:
        return _READER.raw_decode(text, text.index("{"))[0]
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def canonical(text: str) -> str:
    """A JSON text in one spelling; raises ValueError if it is no JSON."""
    try:
        return json.dumps(parse(text), sort_keys=True)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def at(value: Any, path: str) -> Any:
    """What stands in a JSON value below a dotted path (`order.items.0.name`); raises LookupError."""
    for step in path.split("."):
        if isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10:
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value[step]
        else:
            raise LookupError(step)
    return value


def field_of(text: str, path: str) -> Any:
    """The field at a dotted path of a text that is JSON; raises ValueError or LookupError."""
    return at(parse(text), path)


def number(value: Any) -> float | None:
    """A JSON value, or a text that is a number by itself, as a finite number; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        numbers = numbers_in(value)
        return numbers[0] if len(numbers) == 1 and _NUMBER.fullmatch(value.strip()) else None
    try:
        return _finite(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def numbers_in(text: str) -> list[float]:
    """All numbers in a text, thousands separated or not."""
    spelled = (_GROUPS.sub("", one.group()).replace("−", "-") for one in _NUMBER.finditer(text))
    found_ = (_finite(float(one)) for one in spelled if any(map(str.isdigit, one)))
    return [one for one in found_ if one is not None]


def near(value: float, wanted: float, tolerance: float) -> bool:
    """Whether two finite numbers differ by at most `tolerance`, or by rounding alone."""
    return abs(value - wanted) <= max(tolerance, 1e-9 * max(abs(value), abs(wanted)))


def as_text(value: Any) -> str:
    """A JSON value as a text to compare: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)


def words(text: str) -> list[str]:
    """The words of a text in small letters; a Chinese or Japanese character is one by itself."""
    return re.findall(r"[぀-ヿ㐀-鿿]|(?:(?![぀-ヿ㐀-鿿])\w)+", text.casefold())


def overlap(common: float, first: int, second: int) -> float:
    """F1 of what two sequences of these lengths have in common; 1 where both are empty."""
    return 1.0 if first == second == 0 else 2 * common / (first + second)


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None  # NaN is not smaller either


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)
