"""The Automation service's calls about guided runs: a case's graph carried out on data of the project."""

from __future__ import annotations

from control_plane.rpc.calls import Call
from control_plane.services import guided
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb


def start(call: Call, request: pb.StartGuidedRunRequest) -> pb.GuidedRun:
    run = guided.start(
        call.actor, call.cp, request.project, request.case, request.dataset_version_id, request.idempotency_key
    )
    return _run(call, guided.progress(call.actor, call.cp, run.id))


def get(call: Call, request: pb.GetGuidedRunRequest | pb.WaitGuidedRunRequest) -> pb.GuidedRun:
    return _run(call, guided.progress(call.actor, call.cp, request.id))


def list_runs(call: Call, request: pb.ListGuidedRunsRequest) -> pb.ListGuidedRunsReply:
    found = guided.of_project(call.actor, call.cp, request.project)
    return pb.ListGuidedRunsReply(runs=[_run(call, progress) for progress in found])


def cancel(call: Call, request: pb.CancelGuidedRunRequest) -> pb.GuidedRun:
    guided.cancel(call.actor, call.cp, request.id)
    return _run(call, guided.progress(call.actor, call.cp, request.id))


def topic(call: Call, request: pb.WaitGuidedRunRequest) -> str:
    """What is signalled when a run moves: its project's topic."""
    return f"project:{guided.get(call.actor, call.cp, request.id).project_id}"


def _run(call: Call, found: guided.Progress) -> pb.GuidedRun:
    run = found.run
    return pb.GuidedRun(
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


def _step(seen: guided.Seen) -> pb.GuidedStep:
    outputs = seen.step.outputs.items()
    return pb.GuidedStep(
        name=seen.step.name,
        kind=seen.step.kind,
        state=seen.state,
        job_id=seen.job.id if seen.job else 0,
        reused=seen.reused,
        outputs=[pb.StepOutput(name=name, kind=kind, id=seen.made.get(name, 0)) for name, kind in outputs],
    )
