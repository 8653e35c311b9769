"""The client's calls about a workflow run once more with something changed, and two runs side by side."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from tunesmith.calls import Calls
from tunesmith.v1 import automation_pb2 as pb


class Repeats(Calls):
    """What a client can do with runs that are there."""

    def preview_workflow_repeat(self, run_id: int, **wish: Any) -> pb.WorkflowRepeat:
        """What a run once more would differ in, and which steps' results it would use again; starts nothing.

        `wish` is what is to be different: `dataset_version_id`, `base_model_id`, `methods` ({step: method}) and
        `parameters` ({step: {name: value}}; None: the method's default).
        """
        request = pb.PreviewWorkflowRepeatRequest(id=run_id, wish=_wish(**wish))
        return self._ask(pb.WorkflowRepeat, self._stub.PreviewWorkflowRepeat, request)

    def repeat_workflow_run(self, run_id: int, idempotency_key: str = "", **wish: Any) -> pb.WorkflowRun:
        """A run once more with something changed; `wish` as `preview_workflow_repeat` has it.

        Two calls with the same `idempotency_key` make one run; without one, each call makes its own.
        """
        request = pb.RepeatWorkflowRunRequest(
            id=run_id, wish=_wish(**wish), idempotency_key=idempotency_key or uuid.uuid4().hex
        )
        return self._ask(pb.WorkflowRun, self._stub.RepeatWorkflowRun, request)

    def compare_workflow_runs(self, before_id: int, after_id: int) -> pb.WorkflowComparison:
        """Two runs side by side: what was changed, and what it did to each metric, with 95 % intervals."""
        request = pb.CompareWorkflowRunsRequest(before_id=before_id, after_id=after_id)
        return self._ask(pb.WorkflowComparison, self._stub.CompareWorkflowRuns, request)


def _wish(
    dataset_version_id: int = 0,
    base_model_id: int = 0,
    methods: Mapping[str, str] | None = None,
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> pb.WorkflowWish:
    return pb.WorkflowWish(
        dataset_version_id=dataset_version_id,
        base_model_id=base_model_id,
        methods=methods or {},
        parameters=json.dumps({step: dict(one) for step, one in (parameters or {}).items()}) if parameters else "",
    )
