"""evaluation.json: what an evaluation method reports, checked, and what follows from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from control_plane.domain import verdict

CANDIDATE, BASELINE = "candidate", "baseline"
_MOST_ROWS = 100_000
_LARGEST_VALUE = 1e15


@dataclass(frozen=True)
class Scores:
    """An evaluation's outcome, in the shape in which it is stored."""

    primary_metric: str
    verdict: str
    scores: list[dict[str, Any]]  # {"metric", "candidate", "n", "value", "low", "high"}
    difference: dict[str, float]  # of the primary metric: {"value", "low", "high"}; empty without a baseline
    rows: list[dict[str, Any]]
    seconds: dict[str, float]


def read(document: Any) -> Scores:
    """The outcome of a parsed evaluation.json. Raises ValueError saying what is wrong."""
    if not isinstance(document, dict):
        raise ValueError("evaluation.json is not an object")
    metrics = _metrics(document)
    primary = document.get("primary_metric")
    if not isinstance(primary, str) or primary not in metrics:
        raise ValueError("primary_metric")
    of_primary = metrics[primary]
    gain = verdict.difference(of_primary[CANDIDATE], of_primary[BASELINE]) if BASELINE in of_primary else None
    return Scores(
        primary_metric=primary,
        verdict=verdict.of(gain),
        scores=[
            {"metric": metric, "candidate": name, "n": len(values), **asdict(verdict.score(values))}
            for metric, by_candidate in metrics.items()
            for name, values in by_candidate.items()
        ],
        difference={} if gain is None else asdict(gain),
        rows=_rows(document, metrics),
        seconds=_seconds(document),
    )


def _metrics(document: dict[str, Any]) -> dict[str, dict[str, list[float]]]:
    names = document.get("candidates")
    if not isinstance(names, list) or sorted(map(str, names)) not in ([CANDIDATE], [BASELINE, CANDIDATE]):
        raise ValueError("candidates")
    metrics = document.get("metrics")
    if not isinstance(metrics, dict) or not metrics:
        raise ValueError("metrics")
    lengths = set()
    for metric, by_candidate in metrics.items():
        if not isinstance(by_candidate, dict) or set(by_candidate) != set(names):
            raise ValueError(f"metrics.{metric}")
        for name, values in by_candidate.items():
            if not isinstance(values, list) or not all(_is_number(value) for value in values):
                raise ValueError(f"metrics.{metric}.{name}")
            lengths.add(len(values))
    if len(lengths) != 1 or not 0 < lengths.copy().pop() <= _MOST_ROWS:
        raise ValueError(f"metrics: {sorted(lengths)} rows")
    return metrics


def _rows(document: dict[str, Any], metrics: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    """The samples, each with its number and its scores beside its answers."""
    rows = document.get("rows", [])
    if not isinstance(rows, list):
        raise ValueError("rows")
    return [_row(at, row, metrics) for at, row in enumerate(rows)]


def _row(at: int, row: Any, metrics: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    by_candidate = next(iter(metrics.values()))
    if not isinstance(row, dict):
        raise ValueError(f"rows[{at}]")
    number = row.get("row", at)
    if not isinstance(number, int) or not 0 <= number < len(by_candidate[CANDIDATE]):
        raise ValueError(f"rows[{at}].row")
    answers = row.get("answers")
    if not isinstance(answers, dict) or not set(by_candidate) <= set(answers):
        raise ValueError(f"rows[{at}].answers")
    scores = {metric: {name: values[number] for name, values in one.items()} for metric, one in metrics.items()}
    return row | {"row": int(number), "scores": scores}


def _seconds(document: dict[str, Any]) -> dict[str, float]:
    seconds = document.get("seconds", {})
    pairs = seconds.items() if isinstance(seconds, dict) else ()
    return {name: float(value) for name, value in pairs if _is_number(value)}


def _is_number(value: Any) -> bool:
    """Bounded, so that the sums of a hundred thousand squares are numbers too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_VALUE
