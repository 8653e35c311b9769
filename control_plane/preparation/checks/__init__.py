"""The checks: one module each, whose docstring says where it comes from and what it costs.

`TABLE` numbers them in the order of precedence (`domain/preparation.py::CHOICES`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from control_plane.domain.preparation import CHOICES, UNREADABLE, Choice

__all__ = ["TABLE", "UNREADABLE", "Check"]


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


TABLE = {code: Check(number, code, choices) for number, (code, choices) in enumerate(CHOICES.items(), 1)}
