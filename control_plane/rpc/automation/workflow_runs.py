"""The Automation service's calls about workflow runs: a workflow's graph carried out on data of the project."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from control_plane.rpc.automation import workflows
from control_plane.rpc.calls import Call
from control_plane.services.workflows import approvals, deciding, kept
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
    return _one(call, run.id)


def get(call: Call, request: pb.GetWorkflowRunRequest | pb.WaitWorkflowRunRequest) -> pb.WorkflowRun:
    message = _one(call, request.id)
    message.machine_seconds = workflow_runs.machine_seconds(call.cp, [request.id])[request.id]
    return message


def list_runs(call: Call, request: pb.ListWorkflowRunsRequest) -> pb.ListWorkflowRunsReply:
    found = workflow_runs.of_project(call.actor, call.cp, request.project)
    return pb.ListWorkflowRunsReply(runs=_runs(call, found))


def resume(call: Call, request: pb.ResumeWorkflowRunRequest) -> pb.WorkflowRun:
    workflow_runs.resume(call.actor, call.cp, request.id)
    return get(call, pb.GetWorkflowRunRequest(id=request.id))


def cancel(call: Call, request: pb.CancelWorkflowRunRequest) -> pb.WorkflowRun:
    workflow_runs.cancel(call.actor, call.cp, request.id)
    return _one(call, request.id)


def approve(call: Call, request: pb.ApproveWorkflowRunRequest) -> pb.WorkflowRun:
    deciding.approve(call.actor, call.cp, request.id, request.step, request.note)
    return _one(call, request.id)


def refuse(call: Call, request: pb.RefuseWorkflowRunRequest) -> pb.WorkflowRun:
    deciding.refuse(call.actor, call.cp, request.id, request.step, request.note)
    return _one(call, request.id)


def topic(call: Call, request: pb.WaitWorkflowRunRequest) -> str:
    """What is signalled when a run moves: its project's topic."""
    return f"project:{workflow_runs.get(call.actor, call.cp, request.id).project_id}"


def _one(call: Call, run_id: int) -> pb.WorkflowRun:
    return _runs(call, [workflow_runs.progress(call.actor, call.cp, run_id)])[0]


def _runs(call: Call, found: Sequence[workflow_runs.Progress]) -> list[pb.WorkflowRun]:
    names = approvals.names_of(seen.approval for one in found for seen in one.steps if seen.approval)
    return [_run(call, one, names) for one in found]


def _run(call: Call, found: workflow_runs.Progress, names: Mapping[int, str]) -> pb.WorkflowRun:
    run = found.run
    return pb.WorkflowRun(
        id=run.id,
        project=call.project_name(run.project_id),
        case=run.case,
        dataset_version_id=run.dataset_version_id,
        outcome=run.outcome,
        steps=[_step(call, found, seen, names) for seen in found.steps],
        version=run.version,
        reason=run.reason,
        message=say(run.reason, run.reason_params, call.locale) if run.reason else "",
        created_at=run.created_at,
        title=run.label,
        parameters=json.dumps(run.given, ensure_ascii=False),
        fresh=run.fresh,
        repeats=run.repeats_id or 0,
        **_carried_out(run.workflow_version_id),
    )


def _carried_out(version_id: int | None) -> dict[str, Any]:
    """The saved workflow that a run carries out, if it is one."""
    if version_id is None:
        return {}
    version = WorkflowVersionRecord.get_by_id(version_id)
    return {"workflow": kept.of_version(version).name, "workflow_version": version.number}


def _step(
    call: Call, found: workflow_runs.Progress, seen: workflow_runs.Seen, names: Mapping[int, str]
) -> pb.WorkflowStep:
    outputs = seen.step.outputs.items()
    return pb.WorkflowStep(
        name=seen.step.name,
        kind=seen.step.kind,
        state=seen.state,
        job_id=seen.job.id if seen.job else 0,
        reused=seen.reused,
        outputs=[pb.StepOutput(name=name, kind=kind, id=seen.made.get(name, 0)) for name, kind in outputs],
        reason=seen.shut.code if seen.shut else "",
        message=say(seen.shut.code, seen.shut.params, call.locale) if seen.shut else "",
        of=seen.step.of,
        variant=json.dumps(seen.step.variant, ensure_ascii=False) if seen.step.variant else "",
        chosen=json.dumps(seen.chosen, ensure_ascii=False) if seen.chosen else "",
        earlier_job_ids=seen.earlier,
        approval=_approval(call, found, seen, names),
    )


def _approval(
    call: Call, found: workflow_runs.Progress, seen: workflow_runs.Seen, names: Mapping[int, str]
) -> pb.WorkflowApproval | None:
    one = seen.approval
    if one is None:
        return None
    return pb.WorkflowApproval(
        decision=one.decision,
        decided_by=names.get(one.decided_by_id or 0, ""),
        note=one.note,
        own=one.own,
        may_decide=not one.decision and not found.run.outcome and approvals.may_decide(call.actor, found.run, one),
        asked_at=one.asked_at,
        decided_at=one.decided_at,
        expires_at=one.expires_at,
    )
