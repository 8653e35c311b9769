"""A linear program in the answer is the expected one in other words: HiGHS solves both, and the optima are the same.

    {"maximize": {"tables": 50, "chairs": 30}, "constraints": [{"tables": 4, "chairs": 3, "at_most": 240}, …],
     "bounds": {"tables": [0, 40]}}

A constraint is coefficients by variable and one of at_most, at_least, equals. A variable without bounds is at least 0;
null is no bound. One optimum alone would not notice a wrong number in a constraint that does not bind: both programs
are also solved for other objectives, and both objectives have to agree wherever the expected program's optima lie. What
a model writes is solved, so its size, its numbers and the solver's time are limited.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from kit import checking
from kit.checking import Case, Check, Found, found

LONGEST, VARIABLES, CONSTRAINTS, LARGEST = 20_000, 50, 100, 1e9  # characters; how many; how large a number may be
SECONDS = 0.5  # of the solver
# a score's parts: JSON, a program, maximize or minimize, the variables, an optimum, the right one; the rest: agreement
OBJECT, PROGRAM, SENSE, NAMED, SOLVED, RIGHT = 0.1, 0.1, 0.1, 0.2, 0.1, 0.2
UNREAD = 0.5  # of NAMED, for a program that has no coefficient of the expected one; it has nothing of SOLVED either
OTHERS = 16  # further objectives
EMBEDDED = 0.5  # of the score, for JSON with text around it
SENSES = ("maximize", "minimize")
LIMITS = ("at_most", "at_least", "equals")

Row = tuple[Mapping[str, float], str, float]
Objective = tuple[str, Mapping[str, float]]  # maximize or minimize, and the coefficients
Best = tuple[float, Mapping[str, float]]  # the value, and where it is reached


class _Malformed(ValueError):
    """This is no linear program."""


@dataclass(frozen=True)
class _Program:
    sense: str
    objective: Mapping[str, float]
    constraints: list[Row]
    bounds: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)

    @property
    def goal(self) -> Objective:
        """Its own objective."""
        return self.sense, self.objective

    @property
    def variables(self) -> list[str]:
        named = [*self.objective, *(name for row in self.constraints for name in row[0]), *self.bounds]
        return list(dict.fromkeys(named))


@dataclass(frozen=True)
class _Expected:
    """The right program, its optimum, and its optima for other objectives (None where there is none)."""

    program: _Program
    best: Best
    others: list[tuple[Objective, Best | None]]


def make(tolerance: float = 0.0, strict: bool = False) -> Check:
    """1 for the same program: optimum within `tolerance`, also for other objectives.

    Without `strict` something for what lies on the way: JSON, a linear program, the sense, the names of the variables,
    an optimum at all, the right optimum, and how many of the other ones agree.
    """
    import highspy

    @lru_cache(maxsize=512)  # a question is answered many times
    def expected(text: str) -> _Expected | None:
        try:
            program = _read(checking.parse(text))
        except ValueError:
            return None
        best = _optimum(highspy, program, program.goal)
        others = [(goal, _optimum(highspy, program, goal)) for goal in _other_goals(program)] if best else []
        return _Expected(program, best, others) if best else None

    def check(answer: str, case: Case) -> Found:
        wanted = expected(case.expected)
        if wanted is None:
            return found(0, "reference_no_program")
        one = _judged(highspy, answer, wanted, tolerance)
        return replace(one, score=float(one.score == 1)) if strict else one

    return check


def _judged(highspy: Any, answer: str, wanted: _Expected, tolerance: float) -> Found:
    value, part = _json(answer)
    if not isinstance(value, dict):
        return found(0, "not_json" if value is None else "no_object")
    try:
        program = _read(value)
    except _Malformed as error:
        return found(part * OBJECT, "no_program", reason=str(error)[:200])
    same_sense = program.sense == wanted.program.sense
    read = bool(_telling(wanted.program) & _telling(program))
    score = OBJECT + PROGRAM + SENSE * same_sense + NAMED * _alike(program, wanted.program) * (1 if read else UNREAD)
    best = _optimum(highspy, program, program.goal)
    if best is None:
        return found(part * score, "program_without_optimum")
    same_names = set(program.variables) == set(wanted.program.variables)
    if not (same_sense and same_names and _near(best[0], wanted.best[0], tolerance)):
        return found(part * (score + SOLVED * read), "optimum_other", optimum=best[0])
    share = _agreement(highspy, program, wanted, tolerance)
    if share == 1:
        return found(part, "optimum_right" if part == 1 else "json_and_more")
    rest = 1 - OBJECT - PROGRAM - SENSE - NAMED - SOLVED - RIGHT
    return found(part * (score + SOLVED + RIGHT + rest * share), "optimum_by_chance")


def _other_goals(program: _Program) -> list[Objective]:
    """Objectives that depend on the number of variables alone, with coefficients of all sizes."""
    source, names = random.Random(0), sorted(program.variables)

    def coefficient() -> float:
        return source.choice((-1, 1, 1)) * 10 ** source.uniform(-1.5, 1.5)

    return [(source.choice(SENSES), {name: coefficient() for name in names}) for _ in range(OTHERS)]


def _agreement(highspy: Any, program: _Program, wanted: _Expected, tolerance: float) -> float:
    """How much two programs that have the same optimum share of what else they say, from 0 to 1."""
    agree = [_worth(program, wanted.best[1], wanted, tolerance)]
    for goal, right in wanted.others:
        own = _optimum(highspy, program, goal)
        if own is None or right is None:
            agree.append(own is right)
        else:
            agree.append(_near(own[0], right[0], tolerance) and _worth(program, right[1], wanted, tolerance))
    return sum(agree) / len(agree)


def _worth(program: _Program, point: Mapping[str, float], wanted: _Expected, tolerance: float) -> bool:
    """Whether a plan is worth the same to both programs."""
    own, right = (
        sum(one.objective.get(name, 0.0) * value for name, value in point.items()) for one in (program, wanted.program)
    )
    return _near(own, right, tolerance)


def _near(value: float, wanted: float, tolerance: float) -> bool:
    """Whether two values are the same to a solver."""
    return checking.near(value, wanted, max(tolerance, 1e-6 * abs(wanted)))


def _json(answer: str) -> tuple[Any, float]:
    """(The JSON value or None, what part of the score it can have)."""
    if len(answer) > LONGEST:
        return None, 0.0
    for read, part in ((checking.parse, 1.0), (checking.embedded, EMBEDDED)):
        try:
            return read(answer), part
        except ValueError:
            continue
    return None, 0.0


def _read(value: Any) -> _Program:
    """The program that a JSON value says. Raises _Malformed."""
    if not isinstance(value, dict) or set(value) - {*SENSES, "constraints", "bounds"}:
        raise _Malformed("keys")
    senses = [name for name in SENSES if name in value]
    rows, bounds = value.get("constraints"), value.get("bounds", {})
    if len(senses) != 1 or not isinstance(rows, list) or not isinstance(bounds, dict) or len(rows) > CONSTRAINTS:
        raise _Malformed(f"one of {', '.join(SENSES)}; constraints; bounds")
    program = _Program(
        senses[0],
        _coefficients(value[senses[0]]),
        [_constraint(row) for row in rows],
        {name: _bounds(name, pair) for name, pair in bounds.items()},
    )
    if not 0 < len(program.variables) <= VARIABLES:
        raise _Malformed(f"1 to {VARIABLES} variables")
    return program


def _constraint(row: Any) -> Row:
    limits = [name for name in LIMITS if isinstance(row, dict) and name in row]
    if len(limits) != 1:
        raise _Malformed(f"one of {', '.join(LIMITS)} in each constraint")
    rest = {name: value for name, value in row.items() if name != limits[0]}
    return _coefficients(rest), limits[0], _number(row[limits[0]])


def _coefficients(value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or len(value) > VARIABLES:
        raise _Malformed("coefficients by variable")
    return {name: _number(one) for name, one in value.items()}


def _bounds(name: str, pair: Any) -> tuple[float | None, float | None]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise _Malformed(f"bounds of {name}: [low, high]")
    low, high = (None if one is None else _number(one) for one in pair)
    return low, high


def _number(value: Any) -> float:
    """A JSON number that a solver can take."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST <= value <= LARGEST:
        raise _Malformed("a number is missing or too large")  # NaN lies within no limits
    return float(value)


def _alike(program: _Program, wanted: _Program) -> float:
    """What the names of the variables have in common."""
    given, right = set(program.variables), set(wanted.variables)
    return checking.overlap(len(given & right), len(given), len(right))


def _telling(program: _Program) -> set[tuple[str, float]]:
    """Its coefficients by variable; without 0 and 1, which stand in many programs, unless there are no others."""
    tables = [program.objective, *(row[0] for row in program.constraints)]
    pairs = {pair for table in tables for pair in table.items()}
    return {pair for pair in pairs if pair[1] not in (0, 1)} or pairs


def _optimum(highspy: Any, program: _Program, goal: Objective) -> Best | None:
    """The best that a program's limits allow; None where there is none: no solution, no end, or none found in time."""
    solver = highspy.Highs()
    for option, value in (("output_flag", False), ("time_limit", SECONDS), ("threads", 1)):
        solver.setOptionValue(option, value)
    places = {name: place for place, name in enumerate(program.variables)}
    for name in places:
        low, high = program.bounds.get(name, (0.0, None))
        if low is not None and high is not None and low > high:
            return None
        solver.addVar(-highspy.kHighsInf if low is None else low, highspy.kHighsInf if high is None else high)
        solver.changeColCost(places[name], goal[1].get(name, 0.0))
    for terms, limit, value in program.constraints:
        low = -highspy.kHighsInf if limit == "at_most" else value
        high = highspy.kHighsInf if limit == "at_least" else value
        solver.addRow(low, high, len(terms), [places[name] for name in terms], list(terms.values()))
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize if goal[0] == "maximize" else highspy.ObjSense.kMinimize)
    solver.run()
    best = checking.number(solver.getInfo().objective_function_value)
    if best is None or solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return best, dict(zip(places, solver.getSolution().col_value, strict=True))
