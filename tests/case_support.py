"""A case's workflow run that ended well, played through the services as a machine would."""

from __future__ import annotations

from io import BytesIO

import rooms

from control_plane.services import cases
from control_plane.services.datasets import json_lines
from control_plane.services.workflows import runs, sources
from control_plane.services.workflows import steps as workflow_steps
from control_plane.services.workflows.sources import Wanted
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.workflows import WorkflowRunRecord


def begun_run(room: rooms.Rooms, case: str = rooms.CASE) -> WorkflowRunRecord:
    """A run on the case's sample data, which has just been started."""
    dataset = sources.plan_of(cases.get(room.actor, room.cp, case)).dataset
    train, test = (BytesIO(cases.read_file(room.actor, room.cp, case, file)) for file in (dataset.train, dataset.test))
    version, _ = json_lines.upload(room.actor, room.cp, room.project, dataset.name, train, test, dataset.format)
    return runs.start(room.actor, room.cp, room.project, Wanted(case=case, dataset_version_id=version.id))


def finished_run(room: rooms.Rooms, case: str = rooms.CASE) -> WorkflowRunRecord:
    """… and that has gone to its end: the tuned model was better, and is served."""
    run = begun_run(room, case)
    finish = {
        "import": lambda attempt: room.finish_model(attempt, "base"),
        "train": lambda attempt: room.finish_model(attempt, "adapter"),
        "evaluate": lambda attempt: room.finish_evaluation(attempt, rooms.ROWS, 2),
        "export": lambda attempt: room.finish_model(attempt, "gguf"),
    }
    while job := JobRecord.get_or_none(JobRecord.state == "QUEUED"):
        finish[job.kind](room.run(job, rooms.STEPS if job.kind == "train" else 0))
        workflow_steps.advance(room.cp)
    room.serve(DeploymentRecord.get())
    workflow_steps.advance(room.cp)
    run = WorkflowRunRecord.get_by_id(run.id)
    assert run.outcome == "done"
    return run
