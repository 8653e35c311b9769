"""The Automation service's calls about workflow runs: a workflow's graph carried out on data of the project."""

from __future__ import annotations

import json
from typing import Any

from control_plane.rpc.automation import workflows
from control_plane.rpc.calls import Call
from control_plane.services.workflows import kept
from control_plane.services.workflows import runs as workflow_runs
from control_plane.services.workflows.sources import Wanted
from control_plane.store.workflows import WorkflowVersionRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb


def start(call: Call, request: pb.StartWorkflowRunRequest) -> pb.WorkflowRun:
    wanted = Wanted(
        case=request.case,
        workflow=request.workflow,
        text=request.spec,
        given=workflows.given(request.parameters),
        dataset_version_id=request.dataset_version_id,
        fresh=request.fresh,
        idempotency_key=request.idempotency_key,
    )
    run = workflow_runs.start(call.actor, call.cp, request.project, wanted)
    return _run(call, workflow_runs.progress(call.actor, call.cp, run.id))


def get(call: Call, request: pb.GetWorkflowRunRequest | pb.WaitWorkflowRunRequest) -> pb.WorkflowRun:
    message = _run(call, workflow_runs.progress(call.actor, call.cp, request.id))
    message.machine_seconds = workflow_runs.machine_seconds(call.cp, [request.id])[request.id]
    return message


def list_runs(call: Call, request: pb.ListWorkflowRunsRequest) -> pb.ListWorkflowRunsReply:
    found = workflow_runs.of_project(call.actor, call.cp, request.project)
    return pb.ListWorkflowRunsReply(runs=[_run(call, progress) for progress in found])


def resume(call: Call, request: pb.ResumeWorkflowRunRequest) -> pb.WorkflowRun:
    workflow_runs.resume(call.actor, call.cp, request.id)
    return get(call, pb.GetWorkflowRunRequest(id=request.id))


def cancel(call: Call, request: pb.CancelWorkflowRunRequest) -> pb.WorkflowRun:
    workflow_runs.cancel(call.actor, call.cp, request.id)
    return _run(call, workflow_runs.progress(call.actor, call.cp, request.id))


def topic(call: Call, request: pb.WaitWorkflowRunRequest) -> str:
    """What is signalled when a run moves: its project's topic."""
    return f"project:{workflow_runs.get(call.actor, call.cp, request.id).project_id}"


def _run(call: Call, found: workflow_runs.Progress) -> pb.WorkflowRun:
    run = found.run
    return pb.WorkflowRun(
        id=run.id,
        project=call.project_name(run.project_id),
        case=run.case,
        dataset_version_id=run.dataset_version_id,
        outcome=run.outcome,
        steps=[_step(seen, call.locale) for seen in found.steps],
        version=run.version,
        reason=run.reason,
        message=say(run.reason, run.reason_params, call.locale) if run.reason else "",
        created_at=run.created_at,
        title=run.label,
        parameters=json.dumps(run.given, ensure_ascii=False),
        fresh=run.fresh,
        **_carried_out(run.workflow_version_id),
    )


def _carried_out(version_id: int | None) -> dict[str, Any]:
    """The saved workflow that a run carries out, if it is one."""
    if version_id is None:
        return {}
    version = WorkflowVersionRecord.get_by_id(version_id)
    return {"workflow": kept.of_version(version).name, "workflow_version": version.number}


def _step(seen: workflow_runs.Seen, locale: str) -> pb.WorkflowStep:
    outputs = seen.step.outputs.items()
    return pb.WorkflowStep(
        name=seen.step.name,
        kind=seen.step.kind,
        state=seen.state,
        job_id=seen.job.id if seen.job else 0,
        reused=seen.reused,
        outputs=[pb.StepOutput(name=name, kind=kind, id=seen.made.get(name, 0)) for name, kind in outputs],
        reason=seen.shut.code if seen.shut else "",
        message=say(seen.shut.code, seen.shut.params, locale) if seen.shut else "",
        of=seen.step.of,
        variant=json.dumps(seen.step.variant, ensure_ascii=False) if seen.step.variant else "",
        chosen=json.dumps(seen.chosen, ensure_ascii=False) if seen.chosen else "",
        earlier_job_ids=seen.earlier,
    )
