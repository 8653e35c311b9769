"""The checks: one module each, whose docstring says where it comes from and what it costs.

`TABLE` has them in the order of precedence: a row that several checks would leave out is left out by the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from control_plane.domain.preparation import Choice
from control_plane.preparation.checks import (
    answer_schema,
    empty_answers,
    exact_duplicates,
    hidden_characters,
    imbalance,
    language_mix,
    leakage,
    near_duplicates,
    personal_data,
    secrets,
    too_long,
)

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Check:
    """What can be done about what a check finds; the first choice is the check's own."""

    number: int
    code: str
    choices: tuple[Choice, ...]

    def choice(self, given: Mapping[str, Choice]) -> Choice:
        """What was chosen, if the check can do that, else its own."""
        chosen = given.get(self.code)
        return chosen if chosen in self.choices else self.choices[0]


_KEEP, _DROP, _FIX = Choice.KEEP, Choice.DROP, Choice.FIX
_ROWS = (
    (UNREADABLE, (_DROP,)),
    (hidden_characters.CODE, (_FIX, _KEEP, _DROP)),
    (secrets.CODE, (_DROP, _FIX, _KEEP)),
    (personal_data.CODE, (_KEEP, _FIX, _DROP)),
    (empty_answers.CODE, (_KEEP, _DROP)),
    (too_long.CODE, (_KEEP, _DROP)),
    (answer_schema.CODE, (_KEEP, _DROP)),
    (language_mix.CODE, (_KEEP, _DROP)),
    (exact_duplicates.CODE, (_DROP, _KEEP)),
    (near_duplicates.CODE, (_KEEP, _DROP)),
    (leakage.CODE, (_DROP, _KEEP)),
    (imbalance.CODE, (_KEEP,)),
)
TABLE = {code: Check(number, code, choices) for number, (code, choices) in enumerate(_ROWS, 1)}
