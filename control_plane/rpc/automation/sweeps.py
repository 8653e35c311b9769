"""The Automation service's calls about sweeps: jobs of one method that differ in some parameters, to find the best."""

from __future__ import annotations

import json

from control_plane.domain.learning import HELD_OUT_LOSS
from control_plane.rpc import wire
from control_plane.rpc.automation import jobs
from control_plane.rpc.calls import Call
from control_plane.services import methods
from control_plane.services.sweeps import runs
from control_plane.services.sweeps.runs import Progress, Wanted
from control_plane.wording import say
from tunesmith.v1 import automation_pb2 as pb

_LONGEST_VARIED = 64 << 10  # characters


def start(call: Call, request: pb.StartSweepRequest) -> pb.Sweep:
    job = request.job
    wanted = Wanted(
        method=job.method,
        varied=wire.json_object("varied", request.varied, _LONGEST_VARIED),
        trials=request.trials,
        at_once=request.at_once or 1,
        objective=request.objective or HELD_OUT_LOSS,
        name=job.name,
        parameters=jobs.parameters_of(call, job),
        inputs={item.name: jobs.reference(item) for item in job.inputs},
        seed=job.seed,
        policy=wire.policy(job.policy),
    )
    sweep = runs.start(call.actor, call.cp, job.project, wanted, job.idempotency_key)
    return _sweep(call, runs.progress(call.actor, call.cp, sweep.id))


def get(call: Call, request: pb.GetSweepRequest | pb.WaitSweepRequest) -> pb.Sweep:
    return _sweep(call, runs.progress(call.actor, call.cp, request.id))


def list_sweeps(call: Call, request: pb.ListSweepsRequest) -> pb.ListSweepsReply:
    found = runs.of_project(call.actor, call.cp, request.project)
    return pb.ListSweepsReply(sweeps=[_sweep(call, one) for one in found])


def cancel(call: Call, request: pb.CancelSweepRequest) -> pb.Sweep:
    runs.cancel(call.actor, call.cp, request.id)
    return _sweep(call, runs.progress(call.actor, call.cp, request.id))


def topic(call: Call, request: pb.WaitSweepRequest) -> str:
    """What is signalled when a sweep moves: its project's topic."""
    return f"project:{runs.get(call.actor, call.cp, request.id).project_id}"


def _sweep(call: Call, found: Progress) -> pb.Sweep:
    sweep = found.sweep
    pairs = zip(found.jobs, found.trials, strict=True)
    return pb.Sweep(
        id=sweep.id,
        project=call.project_name(sweep.project_id),
        name=sweep.name,
        method=methods.of_version(sweep.method_version_id).name,
        varied=json.dumps(sweep.space),
        objective=sweep.objective,
        trials=sweep.trials,
        at_once=sweep.at_once,
        outcome=sweep.outcome,
        tried=[
            pb.Trial(job_id=job.id, values=json.dumps(one.values), state=job.state, value=one.value)
            for job, one in pairs
        ],
        best_job_id=found.best.number if found.best else 0,
        version=sweep.version,
        reason=sweep.reason,
        message=say(sweep.reason, sweep.reason_params, call.locale) if sweep.reason else "",
        created_at=sweep.created_at,
        ended_at=sweep.ended_at,
    )
