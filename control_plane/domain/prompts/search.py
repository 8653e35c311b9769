"""prompt.json: what a search for a prompt reports, checked, and what follows from it.

The winner was chosen because it scored high on the rows that chose it, where the best of many looks better than it is.
Whether it beats the model without a prompt is said by the confirming rows alone, which chose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from control_plane.domain import verdict
from control_plane.domain.errors import TunesmithError
from control_plane.domain.prompts import prompt as prompts
from control_plane.domain.prompts.prompt import Decoding, Prompt
from control_plane.domain.verdict import Interval

ENDS = ("candidates", "minutes")  # all were tried, or the time was up
NOTHING = "nothing"  # the verdict where no candidate scored higher than the base, even on the rows that choose
_MOST_CANDIDATES, _MOST_ROWS = 2_000, 20_000
_LONGEST_ORIGIN = 40


@dataclass(frozen=True)
class Tried:
    """A candidate with its score on the rows that choose; number 0 is the model without a prompt."""

    number: int
    origin: str  # base | instruction | examples | own_answers | neighbour
    prompt: Prompt
    n: int  # rows that it answered: those that begin badly are given up early
    score: Interval


@dataclass(frozen=True)
class Search:
    """What a search found."""

    winner: int
    tried: list[Tried]  # by number
    n: int  # confirming rows
    base: Interval  # on those
    best: Interval | None  # the winner on the same; None where the base is it
    gain: Interval | None  # winner - base, paired
    verdict: str  # better | worse | unclear | nothing
    ended: str
    seconds: float

    @property
    def prompt(self) -> Prompt:
        """The winner's."""
        return next(one.prompt for one in self.tried if one.number == self.winner)

    @property
    def told(self) -> dict[str, Any]:
        """What stands beside the prompt version that it becomes."""
        return {
            "verdict": self.verdict,
            "n": self.n,
            "tried": len(self.tried) - 1,
            "ended": self.ended,
            "seconds": self.seconds,
            "base": asdict(self.base),
            "best": asdict(self.best) if self.best else {},
            "gain": asdict(self.gain) if self.gain else {},
        }


def read(document: Any) -> Search:
    """The outcome of a prompt.json. Raises ValueError saying what is wrong."""
    if not isinstance(document, Mapping):
        raise ValueError("an object is needed")
    given = document.get("candidates")
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_CANDIDATES:
        raise ValueError("candidates")
    tried = [_tried(one, place) for place, one in enumerate(given)]
    numbers = [one.number for one in tried]
    winner = document.get("winner")
    if numbers[0] != 0 or sorted(set(numbers)) != numbers:
        raise ValueError("candidates: number")
    if isinstance(winner, bool) or not isinstance(winner, int) or winner not in numbers:
        raise ValueError("winner")
    confirmed = document.get("confirmed")
    if not isinstance(confirmed, Mapping):
        raise ValueError("confirmed")
    base = _scores(confirmed.get("base"), "confirmed.base")
    best = _scores(confirmed.get("winner"), "confirmed.winner") if winner else None
    if best is not None and len(best) != len(base):
        raise ValueError("confirmed: the same rows are needed for both")
    gain = verdict.difference(best, base) if best is not None else None
    ended, seconds = document.get("ended"), document.get("seconds", 0.0)
    if ended not in ENDS:
        raise ValueError("ended")
    if not _is_number(seconds) or seconds < 0:
        raise ValueError("seconds")
    return Search(
        winner=winner,
        tried=tried,
        n=len(base),
        base=verdict.score(base),
        best=verdict.score(best) if best is not None else None,
        gain=gain,
        verdict=verdict.of(gain) if gain is not None else NOTHING,
        ended=ended,
        seconds=float(seconds),
    )


def _tried(given: Any, place: int) -> Tried:
    if not isinstance(given, Mapping):
        raise ValueError(f"candidates[{place}]")
    number, origin = given.get("number"), given.get("origin", "")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < _MOST_CANDIDATES:
        raise ValueError(f"candidates[{place}].number")
    if not isinstance(origin, str) or len(origin) > _LONGEST_ORIGIN:
        raise ValueError(f"candidates[{place}].origin")
    scores = _scores(given.get("scores"), f"candidates[{place}].scores")
    return Tried(number, origin, _prompt(given.get("prompt"), number, place), len(scores), verdict.score(scores))


def _prompt(given: Any, number: int, place: int) -> Prompt:
    """A candidate's prompt; that of the base says nothing but how answers are drawn."""
    try:
        if number == 0 and isinstance(given, Mapping) and not given.get("system") and not given.get("examples"):
            return Prompt(decoding=prompts.read({**given, "system": "-"}).decoding if given else Decoding())
        return prompts.read(given)
    except TunesmithError as problem:
        raise ValueError(f"candidates[{place}].prompt: {problem}") from problem


def _scores(given: Any, place: str) -> list[float]:
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_ROWS:
        raise ValueError(place)
    if not all(_is_number(one) and 0 <= one <= 1 for one in given):
        raise ValueError(f"{place}: numbers from 0 to 1")
    return [float(one) for one in given]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
