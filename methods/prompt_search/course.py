"""The course of a search: successive halving over development rows, in brackets, within a budget of seconds.

In each bracket all candidates answer a few rows, the better half answers twice as many, and so on until some have
answered all (K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization",
AISTATS 2016). Candidate 0, the model without a prompt, takes part in each bracket. What was asked is never asked again,
so a course that was interrupted goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from candidates import BASE, Candidate

FIRST_ROWS = 8  # of the first rung
CANDIDATES, MINUTES = "candidates", "minutes"  # why a search ended: all were tried, or its time was up


@dataclass
class Course:
    """What was tried so far. `brackets` are numbers of candidates; `scores` are those of the first development rows."""

    candidates: list[Candidate]
    scores: list[list[float]]
    brackets: list[list[int]] = field(default_factory=list)
    own: list[dict[str, str]] | None = None  # good answers of the model; None: it was not asked for any yet
    confirmed: dict[str, list[float]] = field(default_factory=dict)  # base, winner: on rows that chose nothing
    seconds: float = 0.0  # spent
    asked: int = 0  # times that a candidate was asked some rows, for whatever purpose

    @classmethod
    def begun(cls, base: dict[str, Any]) -> "Course":
        return cls([Candidate(base, BASE)], [[]])

    def best(self) -> int:
        """The candidate with the highest mean among those that answered the most rows; the base unless one beats it.

        The base is compared on the same rows.
        """
        most = max((len(one) for one in self.scores[1:]), default=0)
        rows = min(most, len(self.scores[0]))
        if rows == 0:
            return 0
        far = [number for number, one in enumerate(self.scores) if len(one) >= rows]
        return min(far, key=lambda number: (-mean(self.scores[number][:rows]), number))

    def data(self) -> dict[str, Any]:
        """All of it as JSON; `of_data` reads it."""
        return {
            "candidates": [{"prompt": one.prompt, "origin": one.origin} for one in self.candidates],
            "scores": self.scores,
            "brackets": self.brackets,
            "own": self.own,
            "confirmed": self.confirmed,
            "seconds": self.seconds,
            "asked": self.asked,
        }

    @classmethod
    def of_data(cls, data: dict[str, Any]) -> "Course":
        """Raises KeyError or TypeError for what `data` did not write."""
        rest = {name: data[name] for name in ("scores", "brackets", "own", "confirmed", "seconds", "asked")}
        return cls([Candidate(one["prompt"], one["origin"]) for one in data["candidates"]], **rest)


def rungs(rows: int) -> list[int]:
    """How many rows each rung looks at: 8, 16, … and all."""
    found = [min(FIRST_ROWS, rows)]
    while found[-1] < rows:
        found.append(min(2 * found[-1], rows))
    return found


def climb(
    course: Course,
    members: Sequence[int],
    rows: int,
    ask: Callable[[int, int, int], None],
    has_time: Callable[[int], bool],
) -> bool:
    """Carry out one bracket; False where the time ran out in it.

    `ask(candidate, first, last)` adds the scores of the rows from `first` up to `last`; `has_time(rows)` says whether
    there is time for so many more. The base has the first rung in any case.
    """
    alive = list(members)
    for last in rungs(rows):
        for number in (0, *alive):
            first = len(course.scores[number])
            if first >= last:
                continue
            if (number or first) and not has_time(last - first):
                return False
            ask(number, first, last)
        ordered = sorted(alive, key=lambda number: (-mean(course.scores[number][:last]), number))
        alive = ordered[: max(1, (len(alive) + 1) // 2)]
    return True


def work(members: int, rows: int) -> int:
    """How many answers a bracket asks for, without the base's."""
    total, before = 0, 0
    for last in rungs(rows):
        total += members * (last - before)
        members, before = max(1, (members + 1) // 2), last
    return total


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
