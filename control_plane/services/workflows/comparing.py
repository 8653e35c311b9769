"""Two runs side by side: what was changed, and what it did to each metric.

Where both evaluations scored the same held-out rows by the same method, their scores are compared row by row, which
finds far smaller differences than two intervals that stand beside each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain import verdict
from control_plane.domain.permissions import Actor
from control_plane.domain.scores import CANDIDATE
from control_plane.domain.verdict import Interval
from control_plane.domain.workflows.changes import Difference
from control_plane.services import evaluation_rows, evaluations
from control_plane.services.workflows import again, runs
from control_plane.services.workflows.runs import Progress
from control_plane.store.datasets import DatasetVersionRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord


@dataclass(frozen=True)
class Measured:
    """A metric of the model under test in both runs; None where a run has none."""

    step: str  # the evaluation's
    metric: str
    decides: bool  # it is the primary metric
    before: Interval | None
    after: Interval | None
    gain: Interval | None  # after - before, with its 95 % interval
    paired: bool  # row by row over the same rows
    rows: int  # how many rows of the later one were scored

    @property
    def verdict(self) -> str:
        """better | worse | unclear; unpaired where only one of the two has it. More is better in each metric."""
        return verdict.of(self.gain)


@dataclass(frozen=True)
class SideBySide:
    """The two runs, what differs between them, and what it did."""

    before: Progress
    after: Progress
    differences: list[Difference]
    measured: list[Measured]


def compare(actor: Actor, cp: ControlPlane, before_id: int, after_id: int) -> SideBySide:
    """Two runs of a project side by side. Raises NotFound, Denied."""
    differences = again.differences_of(actor, cp, before_id, after_id)
    before, after = (runs.progress(actor, cp, number) for number in (before_id, after_id))
    first, second = _scored(actor, cp, before), _scored(actor, cp, after)
    measured = [
        one
        for step in dict.fromkeys([*second, *first])
        for one in _measured(cp, step, first.get(step), second.get(step))
    ]
    return SideBySide(before, after, differences, measured)


def _scored(actor: Actor, cp: ControlPlane, progress: Progress) -> dict[str, EvaluationRecord]:
    """The evaluations that a run's own steps have made, by step."""
    made = {
        seen.step.name: seen.made[name]
        for seen in progress.steps
        for name, is_a in seen.step.outputs.items()
        if is_a == "evaluation" and seen.step.method and name in seen.made
    }
    found = evaluations.of_ids(actor, cp, progress.run.project_id, set(made.values()))
    return {step: found[number] for step, number in made.items() if number in found}


def _measured(
    cp: ControlPlane, step: str, before: EvaluationRecord | None, after: EvaluationRecord | None
) -> list[Measured]:
    first, second = _of_candidate(before), _of_candidate(after)
    primary = (after or before).primary_metric if after or before else ""  # type: ignore[union-attr]
    pairs = _row_by_row(cp, before, after) if before is not None and after is not None else {}
    found = []
    for metric in dict.fromkeys([primary, *second, *first]):
        old, new = first.get(metric), second.get(metric)
        gain = pairs.get(metric)
        if gain is None and old is not None and new is not None:
            gain = verdict.apart(_interval(new), _interval(old))
        found.append(
            Measured(
                step=step,
                metric=metric,
                decides=metric == primary,
                before=_interval(old) if old else None,
                after=_interval(new) if new else None,
                gain=gain,
                paired=metric in pairs,
                rows=int((new or old or {}).get("n", 0)),
            )
        )
    return found


def _of_candidate(evaluation: EvaluationRecord | None) -> dict[str, dict[str, Any]]:
    """metric → its score, of the model under test."""
    scores = evaluation.scores if evaluation is not None else []
    return {one["metric"]: one for one in scores if one["candidate"] == CANDIDATE}


def _interval(score: dict[str, Any]) -> Interval:
    return Interval(score["value"], score["low"], score["high"])


def _row_by_row(cp: ControlPlane, before: EvaluationRecord, after: EvaluationRecord) -> dict[str, Interval]:
    """metric → the difference over the same rows; empty where the two did not score the same ones."""
    if not _same_rows(before, after):
        return {}
    first, second = (evaluation_rows.of_candidate(cp, one) for one in (before, after))
    scored = {one["metric"]: one["n"] for one in after.scores if one["candidate"] == CANDIDATE}
    return {
        metric: verdict.difference([second[metric][row] for row in rows], [first[metric][row] for row in rows])
        for metric in second
        if metric in first and (rows := sorted(second[metric])) == sorted(first[metric])
        if 0 < len(rows) == scored.get(metric)  # every row that was scored can be told apart
    }


def _same_rows(before: EvaluationRecord, after: EvaluationRecord) -> bool:
    """Whether both asked the same rows: the same held-out rows, of which a method takes the same first ones."""
    data = {one.dataset_version_id for one in (before, after)}
    held_out = {one.test_sha256 for one in DatasetVersionRecord.select().where(DatasetVersionRecord.id.in_(data))}
    jobs = JobRecord.select().where(JobRecord.id.in_([before.job_id, after.job_id]))
    methods = {(job.method_version_id, job.seed) for job in jobs}
    return len(held_out) == len(methods) == 1 and "" not in held_out and before.row_count == after.row_count
