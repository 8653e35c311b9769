"""Answers in JSON that differ from the others: no JSON at all, a field that is missing, new, or of another type.

Source: the fields and JSON types that the other answers have, as `domain/shapes.py` makes a schema of them. An
exception is what at most one answer of fifty does, where nine of ten are JSON objects. Values are not judged.
Cost: each answer parsed once; answers with the same fields and types are counted together, two bytes a row.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable
from typing import Any

import orjson

from control_plane.domain import documents
from control_plane.domain.shapes import TYPES, Shape

CODE = "answer_schema"

_MOST_SHAPES = 5000
_FEWEST = 10  # answers
_USUAL = 0.9  # of the answers are JSON objects
_EXCEPTION = 0.02  # of the answers
_LARGE = re.compile(r"[0-9]{19}")  # in a number that orjson may read and `Shape` refuses
_NOTHING, _OTHER = 0, 1  # numbers of shapes: no answer that is to be learned, an answer that is no JSON object

Fields = tuple[tuple[str, str], ...]  # each field of an answer with its type, in the order of the answer


class AnswerSchema:
    """Takes the answers, and tells at the end which are unlike the others."""

    code = CODE

    def __init__(self) -> None:
        self._numbers: dict[Fields, int] = {}
        self._counts: Counter[int] = Counter()
        self._of_rows = array("H")

    def take(self, answers: Iterable[str | None]) -> None:
        """The answers of the next rows; None where one has none that is to be learned."""
        numbers = [_NOTHING if one is None else self._number(_fields(one)) for one in answers]
        self._of_rows.extend(numbers)
        self._counts.update(numbers)

    def shape(self) -> Shape:
        """What all answers have in common, as if `Shape` had taken one after the other."""
        shape = Shape(is_common=not self._counts[_OTHER])
        for fields, number in self._numbers.items():
            shape.take_fields(dict(fields), self._counts[number])
        return shape

    def unlike(self) -> dict[int, dict[str, Any]]:
        """Each row that differs with what its sentence says: `problem`, which is no_object, missing, new or type, and
        the `field`; empty where the answers have no structure in common.
        """
        faults = self._faults()
        return {row: faults[number] for row, number in enumerate(self._of_rows) if number in faults} if faults else {}

    def _number(self, fields: Fields | None) -> int:
        if fields is None or (fields not in self._numbers and len(self._numbers) == _MOST_SHAPES):
            return _OTHER
        return self._numbers.setdefault(fields, len(self._numbers) + _OTHER + 1)

    def _faults(self) -> dict[int, dict[str, Any]]:
        """The number of each shape that is an exception, with what is wrong with it."""
        objects = sum(self._counts[number] for number in self._numbers.values())
        if objects < _FEWEST or objects < _USUAL * (objects + self._counts[_OTHER]):
            return {}
        few = max(1, _EXCEPTION * objects)
        having: Counter[str] = Counter()
        typed: Counter[tuple[str, str]] = Counter()
        for fields, number in self._numbers.items():
            having.update({name: self._counts[number] for name, _ in fields})
            typed.update({(name, _merged(kind)): self._counts[number] for name, kind in fields})
        always = [name for name, count in having.items() if objects - count <= few]
        found: dict[int, dict[str, Any]] = {_OTHER: {"problem": "no_object"}}
        for fields, number in self._numbers.items():
            if fault := _fault(fields, always, having, typed, few):
                found[number] = fault
        return found


def _fault(
    fields: Fields, always: list[str], having: Counter[str], typed: Counter[tuple[str, str]], few: float
) -> dict[str, Any] | None:
    given = dict(fields)
    for name in always:
        if name not in given:
            return {"problem": "missing", "field": name}
    for name, kind in fields:
        if having[name] <= few:
            return {"problem": "new", "field": name[:40]}
        if typed[name, _merged(kind)] <= few:
            return {"problem": "type", "field": name[:40]}
    return None


def _merged(kind: str) -> str:
    return "number" if kind == "integer" else kind


def _fields(answer: str) -> Fields | None:
    begin = answer[:1]
    if begin != "{" and not (begin.isspace() and answer[:20].lstrip().startswith("{")):
        return None
    try:
        value = documents.parse(answer) if _LARGE.search(answer) else orjson.loads(answer)
    except ValueError:
        return None
    return tuple((name, TYPES[type(part)]) for name, part in value.items())
