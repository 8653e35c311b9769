"""The fleet as tests of workflow runs play it: it marks jobs as ended and writes what they made."""

from __future__ import annotations

from typing import Any

from control_plane.context import ControlPlane
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord


def succeed(cp: ControlPlane, job_id: int, form: str = "", verdict: str = "", score: float = 0.5) -> None:
    """The job has succeeded after ten seconds, with a model of this form or an evaluation of this verdict."""
    job = JobRecord.get_by_id(job_id)
    machine, _ = MachineRecord.get_or_create(
        id="m", defaults={"name": "m", "machine_class": "server", "key_hash": "", "serial": "", "enrolled_at": 0}
    )
    times: dict[str, Any] = {"offered_at": 0, "offer_expires_at": 0, "accepted_at": 5.0, "ended_at": 15.0}
    attempt = AttemptRecord.create(job=job, number=1, machine=machine, fence=1, state="SUCCEEDED", **times)
    AttemptPartRecord.create(attempt=attempt, rank=0, machine=machine, state="SUCCEEDED", devices=[])
    pins = {name: pin["id"] for name, pin in job.inputs.items()}
    if form:
        artifact = ArtifactRecord.create(attempt=attempt, name="model", files=[], hash=f"h{job_id}", size=1, begun_at=0)
        ModelRecord.create(
            project=job.project_id,
            name=job.name,
            form=form,
            job=job,
            artifact=artifact,
            base=pins.get("base"),
            hash=f"h{job_id}",
            size=1,
            card={},
            created_at=0,
        )
    if verdict:
        measured = {"metric": "exact_match", "n": 10, "value": score, "low": score - 0.1, "high": score + 0.1}
        before = {"metric": "exact_match", "n": 10, "value": 0.2, "low": 0.1, "high": 0.3}
        EvaluationRecord.create(
            project=job.project_id,
            job=job,
            dataset_version=pins["dataset"],
            candidate=pins["candidate"],
            baseline=pins["baseline"],
            primary_metric="exact_match",
            verdict=verdict,
            scores=[measured | {"candidate": "candidate"}, before | {"candidate": "baseline"}],
            difference={"value": score - 0.2, "low": score - 0.3, "high": score - 0.1},
            created_at=0,
        )
    JobRecord.update(state="SUCCEEDED").where(JobRecord.id == job_id).execute()
