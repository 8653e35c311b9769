"""The checks that say how good an answer to a wish is, with weights that add up to 1.

What gives something for coming near stands first, so that a model that knows nothing has a way up; what only the right
answer earns stands last, and nothing that can be had without a right answer is worth more than that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from control_plane.domain.wishes import fields, kinds
from control_plane.domain.wishes.examples import Example
from control_plane.domain.wishes.fields import Field
from control_plane.domain.wishes.kinds import Kind
from control_plane.domain.wishes.questions import Question, quantity

_NEAR = 0.01  # of the right number


def checks(
    kind: Kind, form: Sequence[Field], questions: Sequence[Question], examples: Sequence[Example], language: str
) -> list[dict[str, Any]]:
    """As the parameter `reward` of a method takes them (methods/kit/checks.toml)."""
    chosen = {one.code: one.chosen for one in questions}
    if kind.name == kinds.RECORD:
        return [
            _check("json_schema", 0.3, schema=fields.schema(form)),
            _fields(kind, form, chosen),
            _check("equals", 0.2),
        ]
    if kind.name == kinds.CLASS:
        values = "|".join(re.escape(one) for one in form[0].values)
        return [_check("token_f1", 0.2), _check("regex", 0.2, pattern=f"({values})", whole=True), _check("equals", 0.6)]
    if kind.name == kinds.NUMBER:
        if chosen.get("steps") == "way":
            return [_check("regex", 0.2, pattern="[0-9]"), _check("final_number", 0.8)]
        return [_check("length", 0.2, minimum=1, maximum=3, unit="words"), _check("final_number", 0.8)]
    if kind.name == kinds.EXTRACT:
        return [_check("token_f1", 0.3), _check("edit_similarity", 0.2), _check("equals", 0.5)]
    lengths = [len(one.answer) for one in examples]
    found = [
        _check("length", 0.1, minimum=min(lengths) // 2, maximum=2 * max(lengths), unit="characters"),
        _check("repetition", 0.1),
        _check("token_f1", 0.4),
        _check("rouge_l", 0.4),
    ]
    if chosen.get("language") == "keep":
        found[0]["weight"] = 0.05
        found.insert(1, _check("language", 0.05, language=language))
    return found


def _fields(kind: Kind, form: Sequence[Field], chosen: dict[str, str]) -> dict[str, Any]:
    pair = quantity(form, kind.records)
    if pair is not None and chosen.get("quantity") == "same_quantity":
        return _check("fields_near", 0.5, tolerance=_NEAR, number_field=pair[0].name, unit_field=pair[1].name)
    if chosen.get("number") == "near":
        return _check("fields_near", 0.5, tolerance=_NEAR)
    return _check("json_fields", 0.5)


def _check(name: str, weight: float, **parameters: Any) -> dict[str, Any]:
    return {"check": name, "weight": weight, "parameters": parameters}
