"""What the checks have found so far: in how many rows, where the first of them stand, and what its sentence says."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from control_plane.domain.errors import RowsInvalid
from control_plane.domain.preparation import Choice, Finding, Place
from control_plane.preparation.checks import TABLE, UNREADABLE, hidden_characters, personal_data, secrets

SHOWN = 100  # places of a finding
LOOKED_AT = 300  # characters of a row, of which an excerpt is made

_EXCERPT = 160  # characters
_PLACE = ("file", "line", "field")  # of a problem's parameters
_CUT = re.compile(r"[A-Za-z0-9_./+=:@-]*$")  # what may be the beginning of a secret


class Findings:
    """Collects what is found, and what is chosen about it."""

    def __init__(self, choices: dict[str, Choice]) -> None:
        self.choices = {code: check.choice(choices) for code, check in TABLE.items()}
        self.params: dict[str, dict[str, Any]] = {code: {} for code in TABLE}
        self._counts: Counter[str] = Counter()
        self._places: dict[str, list[Place]] = {code: [] for code in TABLE}

    @property
    def keeps_secrets(self) -> bool:
        """Whether they were chosen to be kept; else they stand nowhere, in rows that are left out neither."""
        return self.choices[secrets.CODE] == Choice.KEEP

    def count(self, code: str, rows: int) -> None:
        """So many rows more."""
        self._counts[code] += rows

    def wants_place(self, code: str) -> bool:
        """Whether there is room for another place of this check."""
        return len(self._places[code]) < SHOWN

    def add_place(self, code: str, place: Place) -> None:
        """A row that was found; what does not fit is left out."""
        if self.wants_place(code):
            self._places[code].append(place)

    def tally(self, code: str, name: str, kinds: Iterable[str]) -> None:
        """Count kinds of what was found, such as mail addresses, under a parameter of the finding's sentence."""
        counts = self.params[code].setdefault(name, {})
        for kind in kinds:
            counts[kind] = counts.get(kind, 0) + 1

    def unreadable(self, problem: RowsInvalid, excerpt: str) -> None:
        """A record that makes no row; its problem names file and line."""
        self.count(UNREADABLE, 1)
        self.tally(UNREADABLE, "causes", [problem.code])
        if self.wants_place(UNREADABLE):
            params = problem.storable()
            file, line, field = str(params["file"]), int(str(params["line"])), str(params.get("field", ""))
            said = {
                name: shown(value) if name not in _PLACE and isinstance(value, str) else value
                for name, value in params.items()
            }
            said["code"] = problem.code
            self.add_place(UNREADABLE, Place(file, line, shown(excerpt), said, field))

    def all(self) -> list[Finding]:
        """What every check has found, in the order of the checks; nothing found is a finding, too."""
        return [
            Finding(
                check=code,
                count=self._counts[code],
                choice=self.choices[code],
                choices=list(check.choices),
                places=self._places[code],
                params=self.params[code],
            )
            for code, check in TABLE.items()
        ]


def shown(text: str) -> str:
    """An excerpt: secrets, personal data and hidden characters are not in it, nor what may be half a secret."""
    looked_at = text[:LOOKED_AT]
    if len(text) >= LOOKED_AT:
        looked_at = _CUT.sub("", looked_at)
    clear = personal_data.masked(secrets.masked(hidden_characters.without(looked_at)))
    return clear if len(clear) <= _EXCERPT else clear[: _EXCERPT - 1] + "…"
