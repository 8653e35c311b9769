"""What one answer is scored by: does it follow the schema, is it the expected one, and further checks."""

from collections.abc import Mapping, Sequence
from typing import Any

from kit.checking import Case
from kit.checks import equals, json_schema
from kit.datasets import Row
from kit.judging import Judged


class Measures:
    """The metrics of an evaluation; each answer's scores lie between 0 and 1."""

    def __init__(self, schema: dict[str, Any] | None, checks: Sequence[Mapping[str, Any]] = ()) -> None:
        """`schema_valid` with a schema (not null or {}), `exact_match`, then the checks of a list by their names.

        Refuses as the checks do (`kit/judging.py`).
        """
        self._fixed = {"schema_valid": json_schema.make(schema, strict=True)} if schema else {}
        self._fixed["exact_match"] = equals.make()
        self._judged = Judged(checks) if checks else None

    @property
    def names(self) -> list[str]:
        """The metrics; the first one decides."""
        return [*self._fixed, *(self._judged.names if self._judged else ())]

    def of(self, answer: str, row: Row) -> dict[str, float]:
        """Each metric's score of one answer; whole numbers as such."""
        case = Case(row.prompt[-1]["content"], row.completion)
        found = {name: check(answer, case).score for name, check in self._fixed.items()}
        more = self._judged.judge(answer, case).scores if self._judged else {}
        return {name: int(score) if score in (0, 1) else score for name, score in (found | more).items()}
