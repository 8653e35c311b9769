"""The Automation service's calls about workflow runs: a case's graph carried out on data of the project."""

from __future__ import annotations

from control_plane.rpc.calls import Call
from control_plane.services.workflows import runs as workflow_runs
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb


def start(call: Call, request: pb.StartWorkflowRunRequest) -> pb.WorkflowRun:
    run = workflow_runs.start(
        call.actor, call.cp, request.project, request.case, request.dataset_version_id, request.idempotency_key
    )
    return _run(call, workflow_runs.progress(call.actor, call.cp, run.id))


def get(call: Call, request: pb.GetWorkflowRunRequest | pb.WaitWorkflowRunRequest) -> pb.WorkflowRun:
    return _run(call, workflow_runs.progress(call.actor, call.cp, request.id))


def list_runs(call: Call, request: pb.ListWorkflowRunsRequest) -> pb.ListWorkflowRunsReply:
    found = workflow_runs.of_project(call.actor, call.cp, request.project)
    return pb.ListWorkflowRunsReply(runs=[_run(call, progress) for progress in found])


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
        steps=[_step(seen) for seen in found.steps],
        version=run.version,
        reason=run.reason,
        message=say(run.reason, run.reason_params, call.locale) if run.reason else "",
        created_at=run.created_at,
    )


def _step(seen: workflow_runs.Seen) -> pb.WorkflowStep:
    outputs = seen.step.outputs.items()
    return pb.WorkflowStep(
        name=seen.step.name,
        kind=seen.step.kind,
        state=seen.state,
        job_id=seen.job.id if seen.job else 0,
        reused=seen.reused,
        outputs=[pb.StepOutput(name=name, kind=kind, id=seen.made.get(name, 0)) for name, kind in outputs],
    )
