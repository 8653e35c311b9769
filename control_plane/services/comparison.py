"""Jobs side by side: what they were asked to do differently, and what came of each. Reads only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound
from control_plane.domain.learning import LOSS, Learning
from control_plane.domain.permissions import Actor
from control_plane.services import results
from control_plane.services.access import projects
from control_plane.services.fleet import points
from control_plane.services.things.kinds import is_kept
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord

MOST = 20  # jobs at a time


@dataclass(frozen=True)
class Compared:
    """One of the jobs, and what came of it."""

    job: JobRecord
    method: str
    asked: Mapping[str, Any]  # key → value: method, inputs.…, parameters.…, seed
    seconds: float | None  # of its newest attempt
    learning: Learning | None
    evaluation: EvaluationRecord | None  # the newest of the model it made


def of_jobs(actor: Actor, cp: ControlPlane, project: str, numbers: Sequence[int]) -> list[Compared]:
    """Up to 20 jobs of the project, in the order given.

    Raises NotFound, also for a job of another project or in the trash, Denied.
    """
    place = projects.get(actor, cp, project, "job.see")
    wanted = list(dict.fromkeys(numbers))[:MOST]
    found = {int(job.id): job for job in JobRecord.select().where(JobRecord.id.in_(wanted), is_kept(JobRecord))}
    if any(number not in found or found[number].project_id != place.id for number in wanted):
        raise NotFound
    method_of = results.methods_of({job.method_version_id for job in found.values()})
    seconds = results.seconds_of(wanted, cp.clock())
    evaluated = _evaluations(results.models_of(wanted))
    return [
        Compared(
            job=found[number],
            method=str(method_of[found[number].method_version_id].name),
            asked=_asked(found[number], method_of[found[number].method_version_id]),
            seconds=seconds.get(number),
            learning=points.learning(number),
            evaluation=evaluated.get(number),
        )
        for number in wanted
    ]


def differing(compared: Sequence[Compared]) -> list[tuple[str, list[Any]]]:
    """The keys whose values are not the same in all of them, with each one's value (None where it has none)."""
    keys = dict.fromkeys(key for one in compared for key in one.asked)
    rows = [(key, [one.asked.get(key) for one in compared]) for key in keys]
    return [(key, values) for key, values in rows if len({json.dumps(value, sort_keys=True) for value in values}) > 1]


def measures(compared: Sequence[Compared]) -> list[str]:
    """What they are judged by, each once: `loss`, `reward`; the loss where nothing is known yet."""
    return list(dict.fromkeys(one.learning.measure for one in compared if one.learning)) or [LOSS]


def curves(compared: Sequence[Compared], name: str) -> list[dict[str, Any]]:
    """A curve of each job: {"name": "#41 Pump faults", "points": [[step, value] …]}."""
    found = []
    for one in compared:
        series = points.series(one.job.id, names=(name,))["series"]
        found.append({"name": f"#{one.job.id} {one.job.label}", "points": series[0]["points"] if series else []})
    return found


def _asked(job: JobRecord, method: Any) -> dict[str, Any]:
    pinned = {f"inputs.{name}": pin["id"] for name, pin in job.inputs.items()}
    chosen = {f"parameters.{name}": value for name, value in job.parameters.items()}
    return {"method": method.name, "method_hash": method.hash[:12]} | pinned | chosen | {"seed": job.seed}


def _evaluations(made: Mapping[int, int]) -> dict[int, EvaluationRecord]:
    """job → the newest evaluation of the model that it made."""
    query = EvaluationRecord.select().where(EvaluationRecord.candidate.in_(list(made.values())))
    newest = {one.candidate_id: one for one in query.order_by(EvaluationRecord.id)}
    return {job: newest[model] for job, model in made.items() if model in newest}
