"""Workflow runs whose fleet is played: what a test says has happened to their jobs and to what they deploy."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import cases
from control_plane.services.workflows import runs
from control_plane.services.workflows import steps as workflow_steps
from control_plane.services.workflows.sources import Wanted
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import AttemptPartRecord, AttemptRecord, JobRecord
from control_plane.store.machines import MachineRecord
from control_plane.store.models import ModelRecord
from control_plane.store.workflows import WorkflowRunRecord

CASE = "machine_faults"

_DEPLOYED = 'inputs = { model = "package.model" }'
_RELEASE = """
[[steps]]
name = "%s"
kind = "approval"
inputs = { evaluation = "evaluate.evaluation", model = "package.model" }
parameters = { %s }
"""


def with_approval(cp: ControlPlane, folder: Path, options: str = "", twice: bool = False) -> ControlPlane:
    """The control plane with the shipped case, whose deployment waits for the approval "release" with these options.

    `twice`: beside it there is another one, "report", for which nothing waits.
    """
    shutil.copytree(cases.SHIPPED / CASE, folder / CASE)
    plan = folder / CASE / cases.PLAN
    whole = plan.read_text("utf-8")
    assert whole.count(_DEPLOYED) == 1
    asked = "".join(_RELEASE % (name, options) for name in (["release", "report"] if twice else ["release"]))
    whole = whole.replace(_DEPLOYED, 'inputs = { model = "release.model" }')
    before, deploy = whole.split('[[steps]]\nname = "deploy"')
    plan.write_text(before + asked.lstrip() + '\n[[steps]]\nname = "deploy"' + deploy, "utf-8")
    return replace(cp, settings=replace(cp.settings, cases=str(folder)))


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
            differences={"exact_match": {"value": score - 0.2, "low": score - 0.3, "high": score - 0.1}},
            created_at=0,
        )
    JobRecord.update(state="SUCCEEDED").where(JobRecord.id == job_id).execute()


def begin(cp: ControlPlane, ada: Actor, version: int, key: str = "") -> WorkflowRunRecord:
    return runs.start(ada, cp, "lab", Wanted(case=CASE, dataset_version_id=version, idempotency_key=key))


def stands(cp: ControlPlane, run: WorkflowRunRecord) -> dict[str, str]:
    return {seen.step.name: seen.state for seen in runs.progress(SYSTEM, cp, run.id).steps}


def job_of(cp: ControlPlane, run: WorkflowRunRecord, step: str) -> JobRecord:
    return next(seen.job for seen in runs.progress(SYSTEM, cp, run.id).steps if seen.step.name == step)


def play(cp: ControlPlane, run: WorkflowRunRecord, verdict: str = "better", until: str = "package") -> None:
    """Let the jobs of the run succeed one after the other, until that of a step has."""
    for step, made in (
        ("import", {"form": "base"}),
        ("train", {"form": "adapter"}),
        ("evaluate", {"verdict": verdict}),
        ("package", {"form": "gguf"}),
    ):
        succeed(cp, job_of(cp, run, step).id, **made)
        workflow_steps.advance(cp)
        if step == until:
            return


def serve(cp: ControlPlane, state: str = "SERVING") -> None:
    """What a machine would say of the one deployment there is."""
    ReplicaRecord.delete().execute()
    DeploymentRecord.update(waiting_code="").execute()
    ReplicaRecord.create(
        deployment=DeploymentRecord.get(),
        machine=MachineRecord.get(),
        desired_state="SERVING",
        state=state,
        observed_generation=1,
        reason="engine_failed" if state == "FAILED" else "",
        reason_params={"lines": "boom"},
        observed_at=0,
    )
    MachineRecord.update(connectivity="ONLINE").execute()
