"""The Automation service's calls about evaluations and their rows."""

from __future__ import annotations

from control_plane.rpc import messages
from control_plane.rpc.calls import Call
from control_plane.services import evaluation_rows, evaluations
from tunesmith.v1 import automation_pb2 as pb

_LISTED = 100  # models or evaluations, where the caller names no limit
_SAMPLES = 32  # rows of an evaluation, likewise


def get(call: Call, request: pb.GetEvaluationRequest) -> pb.Evaluation:
    record = evaluations.get(call.actor, call.cp, request.id)
    samples = evaluation_rows.read(call.cp, record, "", request.offset, request.limit or _SAMPLES)
    return messages.evaluation(call.project_name(record.project_id), record, samples)


def list_evaluations(call: Call, request: pb.ListEvaluationsRequest) -> pb.ListEvaluationsReply:
    found = evaluations.list_evaluations(call.actor, call.cp, request.project, request.limit or _LISTED, request.offset)
    return pb.ListEvaluationsReply(
        evaluations=[messages.evaluation(request.project, evaluation) for evaluation in found],
        total=evaluations.count(call.actor, call.cp, request.project),
    )
