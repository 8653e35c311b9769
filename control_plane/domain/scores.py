"""evaluation.json: what an evaluation method reports, checked, and what follows from it. Its rows stay in the file."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from control_plane.domain import verdict
from control_plane.domain.streams import Member, members

CANDIDATE, BASELINE = "candidate", "baseline"
DIFFERENCES, WRONG, CUT = 1, 2, 4  # bits of what a row is: scores differ; the candidate's is below 1; an answer was cut
_LARGEST_NUMBER = 1e15
_LARGEST_PART = 32 << 20  # characters of one row, or of all metrics
_MOST_METRICS = 64
_CANDIDATES = {CANDIDATE: 1, BASELINE: 2}  # and their bits
_HEAD = frozenset({"candidates", "metrics", "primary_metric", "seconds", "answer_limit"})
_LONGEST_ANSWER = 1 << 31  # tokens


@dataclass
class Rows:
    """Where the rows lie in the document, in bytes, in its order; `numbers` are their places in the metrics' lists."""

    offsets: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("Q"))
    numbers: array[int] = field(default_factory=lambda: array("Q"))
    cut: array[int] = field(default_factory=lambda: array("B"))  # bits of those whose answer was stopped at the limit


@dataclass(frozen=True)
class Scores:
    """An evaluation's outcome; of its rows only where they are."""

    primary_metric: str
    verdict: str
    scores: list[dict[str, Any]]  # {"metric", "candidate", "n", "value", "low", "high"}
    differences: dict[str, dict[str, Any]]  # metric → see `_differences`; empty without a baseline
    seconds: dict[str, float]
    metrics: dict[str, dict[str, list[float]]]  # metric → candidate → the score of each row
    rows: Rows
    answer_limit: int  # tokens, the same for every candidate; 0 where the method has none or does not say
    cut: dict[str, int]  # candidate → how many of its answers in `rows` were stopped at the limit


def read(chunks: Iterable[bytes], most_rows: int = 100_000) -> Scores:
    """The outcome of an evaluation.json that comes in pieces. Raises ValueError saying what is wrong.

    One row is in memory at a time, whatever the document holds, and the metrics' numbers.
    """
    document: dict[str, Any] = {}
    rows, answered = Rows(), set[frozenset[str]]()
    for member in members(chunks, "rows", _LARGEST_PART):
        if member.is_item:
            answered.add(_take_row(rows, member, most_rows))
        elif member.key == "rows":
            raise ValueError("rows")
        elif member.key in _HEAD:
            document[member.key] = member.value
    metrics = _metrics(document, most_rows)
    by_candidate = next(iter(metrics.values()))
    if any(not set(by_candidate) <= names for names in answered):
        raise ValueError("rows: answers")
    if len(rows.numbers) and max(rows.numbers) >= len(by_candidate[CANDIDATE]):
        raise ValueError("rows: row")
    return _outcome(document, metrics, rows)


def flags(scores: dict[str, dict[str, float]]) -> int:
    """What a row is, by its scores (metric → candidate → score): DIFFERENCES | WRONG."""
    differs = any(len(set(one.values())) > 1 for one in scores.values())
    wrong = any(one[CANDIDATE] < 1 for one in scores.values())
    return DIFFERENCES * differs | WRONG * wrong


def _outcome(document: dict[str, Any], metrics: dict[str, dict[str, list[float]]], rows: Rows) -> Scores:
    primary = document.get("primary_metric")
    if not isinstance(primary, str) or primary not in metrics:
        raise ValueError("primary_metric")
    differences = _differences(metrics, primary) if BASELINE in metrics[primary] else {}
    return Scores(
        primary_metric=primary,
        verdict=differences[primary]["verdict"] if differences else verdict.of(None),
        scores=[
            {"metric": metric, "candidate": name, "n": len(values), **asdict(verdict.score(values))}
            for metric, by_candidate in metrics.items()
            for name, values in by_candidate.items()
        ],
        differences=differences,
        seconds=_seconds(document),
        metrics=metrics,
        rows=rows,
        answer_limit=_answer_limit(document),
        cut={name: sum(bool(cut & _CANDIDATES[name]) for cut in rows.cut) for name in metrics[primary]},
    )


def _differences(metrics: dict[str, dict[str, list[float]]], primary: str) -> dict[str, dict[str, Any]]:
    """metric → {"value", "low", "high", "p", "needed", "adjusted_p", "verdict"} of candidate - baseline, row by row."""
    gains = {metric: verdict.difference(one[CANDIDATE], one[BASELINE]) for metric, one in metrics.items()}
    adjusted = verdict.adjusted(gains, primary)
    return {
        metric: asdict(gain) | {"adjusted_p": adjusted[metric], "verdict": verdict.judged(gain, adjusted[metric])}
        for metric, gain in gains.items()
    }


def _take_row(rows: Rows, member: Member, most: int) -> frozenset[str]:
    """Note where a row is; the names of those that answered it."""
    at, row = len(rows.numbers), member.value
    if at == most:
        raise ValueError(f"rows: more than {most}")
    if not isinstance(row, dict):
        raise ValueError(f"rows[{at}]")
    number = row.get("row", at)
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"rows[{at}].row")
    answers = row.get("answers")
    if not isinstance(answers, dict):
        raise ValueError(f"rows[{at}].answers")
    cut = row.get("cut", [])
    if not isinstance(cut, list) or not all(isinstance(name, str) and name in answers for name in cut):
        raise ValueError(f"rows[{at}].cut")
    rows.cut.append(sum(_CANDIDATES[name] for name in set(cut) & set(_CANDIDATES)))
    rows.offsets.append(member.offset)
    rows.lengths.append(member.length)
    rows.numbers.append(int(number))
    return frozenset(answers) & frozenset(_CANDIDATES)


def _metrics(document: dict[str, Any], most_rows: int) -> dict[str, dict[str, list[float]]]:
    names = document.get("candidates")
    if not isinstance(names, list) or sorted(map(str, names)) not in ([CANDIDATE], [BASELINE, CANDIDATE]):
        raise ValueError("candidates")
    metrics = document.get("metrics")
    if not isinstance(metrics, dict) or not 0 < len(metrics) <= _MOST_METRICS:
        raise ValueError("metrics")
    lengths = set()
    for metric, by_candidate in metrics.items():
        if not isinstance(by_candidate, dict) or set(by_candidate) != set(names):
            raise ValueError(f"metrics.{metric}")
        for name, values in by_candidate.items():
            if not isinstance(values, list) or not all(_is_number(value) for value in values):
                raise ValueError(f"metrics.{metric}.{name}")
            lengths.add(len(values))
    if len(lengths) != 1 or not 0 < lengths.copy().pop() <= most_rows:
        raise ValueError(f"metrics: {sorted(lengths)} rows")
    return metrics


def _answer_limit(document: dict[str, Any]) -> int:
    limit = document.get("answer_limit", 0)
    if type(limit) is not int or not 0 <= limit <= _LONGEST_ANSWER:
        raise ValueError("answer_limit")
    return limit


def _seconds(document: dict[str, Any]) -> dict[str, float]:
    seconds = document.get("seconds", {})
    pairs = seconds.items() if isinstance(seconds, dict) else ()
    return {name: float(value) for name, value in pairs if _is_number(value)}


def _is_number(value: Any) -> bool:
    """Bounded, so that the sums of a hundred thousand squares are numbers too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_NUMBER
