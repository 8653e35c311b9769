"""The events that listeners are told of, and the JSON that tells one (docs/developers/listeners.md is its reference).

The form has a version: within one, fields are added and never changed or taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from control_plane.domain.listeners.pages import page_of

VERSION = 1
TEST = "listener.test"
_LONGEST_TEXT = 1_000  # characters

# event → what is said of it: the catalogue's keys. `name` is the subject's, the others are its data
EVENTS = {
    "workflow_run.started": "The workflow run {id} of “{name}” has started.",
    "workflow_run.ended": "The workflow run {id} of “{name}” has ended: {state}.",
    "step.started": "The step “{step}” of the workflow run {id} (“{name}”) has started.",
    "step.ended": "The step “{step}” of the workflow run {id} (“{name}”) has ended: {state}.",
    "evaluation.judged": "The evaluation “{name}” has its verdict: {verdict}.",
    "job.succeeded": "The job “{name}” has succeeded.",
    "job.failed": "The job “{name}” has failed.",
    "dataset.version_made": "The dataset “{name}” has a new version: {number}.",
    "source.failed": "The data of “{name}” could not be fetched again.",
    "schedule.missed": "A time at which “{name}” was to start has passed while nothing ran.",
    "machine.lost": "The machine “{name}” is not heard any more.",
    "disk.low": "The disk of “{name}” is almost full: {free} are free.",
    "listener.test": "This is a test. Whoever reads it is told of the events that were chosen.",
}

# event → what it is called where somebody chooses: the catalogue's keys
TITLES = {
    "workflow_run.started": "Workflow run started",
    "workflow_run.ended": "Workflow run ended: done, stopped or cancelled",
    "step.started": "Step of a workflow run started",
    "step.ended": "Step of a workflow run ended",
    "evaluation.judged": "Verdict of an evaluation",
    "job.succeeded": "Job succeeded",
    "job.failed": "Job failed",
    "dataset.version_made": "New version of a dataset",
    "source.failed": "Data could not be fetched again",
    "schedule.missed": "Time of a workflow missed",
    "machine.lost": "Machine not heard any more",
    "disk.low": "Disk almost full",
    "listener.test": "Test",
}

CHOICES = tuple(event for event in EVENTS if event != TEST)


def payload(
    event: str,
    number: str,
    at: float,
    project: Mapping[str, str] | None,
    subject: Mapping[str, Any],
    text: str,
    dashboard: str,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """What tells an event. `number` is the event's own: the same in each delivery of it. `at` is seconds since 1970."""
    return {
        "version": VERSION,
        "id": number,
        "event": event,
        "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "project": dict(project) if project else None,
        "subject": dict(subject),
        "text": text[:_LONGEST_TEXT],
        "url": dashboard + page_of(project["name"] if project else "", subject),
        "data": dict(data),
    }
