"""The Automation service's calls about a run once more with something changed, and two runs side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence

from control_plane.domain.errors import FieldInvalid
from control_plane.domain.verdict import Interval
from control_plane.domain.workflows.changes import Difference
from control_plane.rpc.automation import workflow_runs
from control_plane.rpc.calls import Call
from control_plane.services.workflows import again, comparing
from control_plane.services.workflows.again import Wish
from control_plane.services.workflows.comparing import Measured
from tunesmith.v1 import automation_pb2 as pb


def preview(call: Call, request: pb.PreviewWorkflowRepeatRequest) -> pb.WorkflowRepeat:
    planned = again.plan(call.actor, call.cp, request.id, _wish(request.wish))
    return pb.WorkflowRepeat(
        changes=_changes(planned.differences),
        reused_steps=[step.name for step in planned.graph if step.name in planned.there],
        new_steps=[step.name for step in planned.anew],
    )


def repeat(call: Call, request: pb.RepeatWorkflowRunRequest) -> pb.WorkflowRun:
    run = again.start(call.actor, call.cp, request.id, _wish(request.wish), request.idempotency_key)
    return workflow_runs.get(call, pb.GetWorkflowRunRequest(id=run.id))


def compare(call: Call, request: pb.CompareWorkflowRunsRequest) -> pb.WorkflowComparison:
    found = comparing.compare(call.actor, call.cp, request.before_id, request.after_id)
    measures = [_measure(one) for one in found.measured]
    return pb.WorkflowComparison(changes=_changes(found.differences), measures=measures)


def _wish(wish: pb.WorkflowWish) -> Wish:
    """Raises FieldInvalid."""
    return Wish(
        dataset_version_id=wish.dataset_version_id,
        base_id=wish.base_model_id,
        methods=dict(wish.methods),
        parameters=_parameters(wish.parameters),
    )


def _parameters(text: str) -> dict[str, dict[str, object]]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError) as problem:
        raise FieldInvalid(field="parameters", problem=str(problem)[:200]) from problem
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise FieldInvalid(field="parameters", problem='{"step": {"name": …}}')
    return found


def _changes(differences: Sequence[Difference]) -> list[pb.WorkflowChange]:
    return [
        pb.WorkflowChange(
            step=one.step,
            what=one.what,
            name=one.name,
            before=json.dumps(one.before, ensure_ascii=False),
            after=json.dumps(one.after, ensure_ascii=False),
        )
        for one in differences
    ]


def _measure(one: Measured) -> pb.WorkflowMeasure:
    gain = one.gain
    return pb.WorkflowMeasure(
        step=one.step,
        metric=one.metric,
        decides=one.decides,
        before=_score(one, one.before),
        after=_score(one, one.after),
        difference=gain.value if gain else None,
        difference_low=gain.low if gain else 0.0,
        difference_high=gain.high if gain else 0.0,
        paired=one.paired,
        verdict=one.verdict,
    )


def _score(one: Measured, interval: Interval | None) -> pb.Score | None:
    if interval is None:
        return None
    given = {"value": interval.value, "low": interval.low, "high": interval.high}
    return pb.Score(metric=one.metric, candidate="candidate", n=one.rows, **given)
