"""Rewards to begin from, by what an answer is; what each is called says web/rewards/words.py.

None pays for what is no answer (tests/control_plane/services/rewards/test_dry_run.py tries each).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def _check(check: str, weight: float, **parameters: Any) -> dict[str, Any]:
    return {"check": check, "weight": weight, "parameters": parameters}


TEMPLATES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "record": (_check("json_valid", 1.0), _check("json_fields", 4.0)),
    "classification": (_check("equals", 9.0, ignore_case=True), _check("length", 1.0, minimum=1, maximum=5)),
    "extraction": (_check("json_valid", 1.0, strict=True), _check("fields_near", 4.0)),
    "calculation": (_check("final_number", 9.0), _check("length", 1.0, minimum=1, maximum=200)),
    "style": (_check("rouge_l", 4.0), _check("token_f1", 3.0), _check("repetition", 1.0)),
}
