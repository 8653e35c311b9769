"""The Automation service's calls about guided runs: a case's chain of jobs."""

from __future__ import annotations

from control_plane.rpc.calls import Call
from control_plane.services import guided
from control_plane.store.guided import GuidedRunRecord
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb

_LISTED = 50


def start(call: Call, request: pb.StartGuidedRunRequest) -> pb.GuidedRun:
    run = guided.start(
        call.actor, call.cp, request.project, request.case, request.dataset_version_id, request.idempotency_key
    )
    return _run(call, run.id)


def get(call: Call, request: pb.GetGuidedRunRequest | pb.WaitGuidedRunRequest) -> pb.GuidedRun:
    return _run(call, request.id)


def list_runs(call: Call, request: pb.ListGuidedRunsRequest) -> pb.ListGuidedRunsReply:
    found = guided.of_project(call.actor, call.cp, request.project, _LISTED)
    return pb.ListGuidedRunsReply(runs=[_run(call, run.id) for run in found])


def topic(call: Call, request: pb.WaitGuidedRunRequest) -> str:
    """What is signalled when a run moves: its project's topic."""
    return f"project:{guided.get(call.actor, call.cp, request.id).project_id}"


def _run(call: Call, run_id: int) -> pb.GuidedRun:
    found = guided.progress(call.actor, call.cp, run_id)
    run: GuidedRunRecord = found.run
    return pb.GuidedRun(
        id=run.id,
        project=call.project_name(run.project_id),
        case=run.case,
        dataset_version_id=run.dataset_version_id,
        stage=run.stage,
        stages=[
            pb.GuidedStage(stage=stage, job_id=job.id if job else 0, state=job.state if job else "")
            for stage, job in found.jobs.items()
        ],
        base_id=run.made.get("base", 0),
        tuned_id=run.made.get("tuned", 0),
        packaged_id=run.made.get("packaged", 0),
        evaluation_id=run.made.get("evaluation", 0),
        reason=run.reason,
        message=say(run.reason, run.reason_params, call.locale) if run.reason else "",
        created_at=run.created_at,
    )
