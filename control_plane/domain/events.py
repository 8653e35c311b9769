"""What an attempt may report: one line of events.jsonl, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from control_plane.domain.documents import parse, well_formed

PROGRESS, METRIC, CHECKPOINT, MESSAGE = "progress", "metric", "checkpoint", "message"
KINDS = frozenset({PROGRESS, METRIC, CHECKPOINT, MESSAGE})
LONGEST_LINE = 65_536  # characters
_QUOTED = 500  # characters of a faulty line that are kept
_LATEST = 253_402_300_799.0  # seconds since the epoch: the end of the year 9999, after which no calendar goes
_MOST_STEPS = 10**15


@dataclass(frozen=True)
class Event:
    """A reported event. `time` is in seconds since the epoch, `body` the whole object of the line."""

    kind: str
    time: float
    body: dict[str, Any]


def read(line: str, now: float) -> Event:
    """The event of a line. A faulty line becomes a warning that quotes it: a report is never lost and never fatal."""
    try:
        body = parse(line) if len(line) <= LONGEST_LINE else None
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("kind") not in KINDS:
        return _faulty(line, now)
    return Event(body["kind"], _moment(body.get("time"), now), body)


def metrics(body: dict[str, Any]) -> dict[str, float]:
    """The numbers of a metric event by name; anything else in `values` is left out."""
    values = body.get("values")
    pairs = values.items() if isinstance(values, dict) else ()
    return {name: float(value) for name, value in pairs if _is_number(value)}


def progress(body: dict[str, Any]) -> dict[str, Any]:
    """`step`, `steps` and `stage` of a progress event, as far as they are sound; the numbers whole ones."""
    numbers = {name: int(body[name]) for name in ("step", "steps") if _is_count(body.get(name))}
    stage = body.get("stage")
    return numbers | ({"stage": stage[:64]} if isinstance(stage, str) else {})


def step(body: dict[str, Any]) -> float | None:
    """The step of a metric event; None if it has none that can be drawn."""
    value = body.get("step")
    return float(value) if _is_number(value) else None  # type: ignore[arg-type]  # it is a number


def too_many(limit: int, now: float) -> Event:
    """What stands in place of the first event that is beyond an attempt's limit."""
    text = f"More than {limit} events were reported; those that follow are not kept."
    body = {"kind": MESSAGE, "level": "warning", "code": "events_too_many", "params": {"limit": limit}, "text": text}
    return Event(MESSAGE, now, body)


def _faulty(line: str, now: float) -> Event:
    quoted = well_formed(line[:_QUOTED])
    body = {"kind": MESSAGE, "level": "warning", "code": "event_unreadable", "params": {"line": quoted}, "text": quoted}
    return Event(MESSAGE, now, body)


def _moment(value: object, otherwise: float) -> float:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LATEST
    return float(value) if sound else otherwise  # type: ignore[arg-type]  # sound ones are numbers


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST_STEPS


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
