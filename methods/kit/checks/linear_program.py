"""A linear program in the answer has the same optimum as the expected one: HiGHS solves both.

    {"maximize": {"tables": 50, "chairs": 30}, "constraints": [{"tables": 4, "chairs": 3, "at_most": 240}, …],
     "bounds": {"tables": [0, 40]}}

A constraint is coefficients by variable and one of at_most, at_least, equals. A variable without bounds is at least 0;
null is no bound. What a model writes is solved, so its size, its numbers and the solver's time are limited.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from kit import checking
from kit.checking import Case, Check, Found, found

LONGEST, VARIABLES, CONSTRAINTS, LARGEST = 20_000, 50, 100, 1e9  # characters; how many; how large a number may be
SECONDS = 0.5  # of the solver
OBJECT, PROGRAM, SENSE, NAMED, SOLVED = 0.1, 0.1, 0.1, 0.2, 0.1  # what comes before the optimum, which is the rest
EMBEDDED = 0.5  # of the score, for JSON with text around it
SENSES = ("maximize", "minimize")
LIMITS = ("at_most", "at_least", "equals")

Row = tuple[Mapping[str, float], str, float]


class _Malformed(ValueError):
    """This is no linear program."""


@dataclass(frozen=True)
class _Program:
    sense: str
    objective: Mapping[str, float]
    constraints: list[Row]
    bounds: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)

    @property
    def variables(self) -> list[str]:
        named = [*self.objective, *(name for row in self.constraints for name in row[0]), *self.bounds]
        return list(dict.fromkeys(named))


def make(tolerance: float = 0.0, strict: bool = False) -> Check:
    """1 for the same sense, the same variables and an optimum within `tolerance`.

    Without `strict` something for what lies on the way: JSON, a linear program, the sense, the names of the variables,
    an optimum at all.
    """
    import highspy

    @lru_cache(maxsize=512)  # a question is answered many times
    def of_reference(text: str) -> tuple[_Program, float] | None:
        try:
            program = _read(checking.parse(text))
        except ValueError:
            return None
        best = _optimum(highspy, program)
        return None if best is None else (program, best)

    def check(answer: str, case: Case) -> Found:
        reference = of_reference(case.expected)
        if reference is None:
            return found(0, "reference_no_program")
        one = _judged(highspy, answer, *reference, tolerance)
        return replace(one, score=float(one.score == 1)) if strict else one

    return check


def _judged(highspy: Any, answer: str, wanted: _Program, best: float, tolerance: float) -> Found:
    value, part = _json(answer)
    if not isinstance(value, dict):
        return found(0, "not_json" if value is None else "no_object")
    try:
        program = _read(value)
    except _Malformed as error:
        return found(part * OBJECT, "no_program", reason=str(error)[:200])
    score = OBJECT + PROGRAM + SENSE * (program.sense == wanted.sense) + NAMED * _alike(program, wanted)
    optimum = _optimum(highspy, program)
    if optimum is None:
        return found(part * score, "program_without_optimum")
    same = program.sense == wanted.sense and set(program.variables) == set(wanted.variables)
    if same and checking.near(optimum, best, max(tolerance, 1e-6 * abs(best))):
        return found(part, "optimum_right" if part == 1 else "json_and_more")
    return found(part * (score + SOLVED), "optimum_other", optimum=optimum)


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


def _optimum(highspy: Any, program: _Program) -> float | None:
    """The best value of the objective; None where there is none: no solution, no end, or none found in time."""
    solver = highspy.Highs()
    for option, value in (("output_flag", False), ("time_limit", SECONDS), ("threads", 1)):
        solver.setOptionValue(option, value)
    places = {name: place for place, name in enumerate(program.variables)}
    for name in places:
        low, high = program.bounds.get(name, (0.0, None))
        if low is not None and high is not None and low > high:
            return None
        solver.addVar(-highspy.kHighsInf if low is None else low, highspy.kHighsInf if high is None else high)
        solver.changeColCost(places[name], program.objective.get(name, 0.0))
    for terms, limit, value in program.constraints:
        low = -highspy.kHighsInf if limit == "at_most" else value
        high = highspy.kHighsInf if limit == "at_least" else value
        solver.addRow(low, high, len(terms), [places[name] for name in terms], list(terms.values()))
    wants_most = program.sense == "maximize"
    solver.changeObjectiveSense(highspy.ObjSense.kMaximize if wants_most else highspy.ObjSense.kMinimize)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return checking.number(solver.getInfo().objective_function_value)
