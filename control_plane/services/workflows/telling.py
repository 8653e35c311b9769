"""What listeners are told of a workflow run: that it and its steps have started and ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.graph import CANCELLED, DONE, FAILED, REFUSED, Fact
from control_plane.services.listeners import outbox
from control_plane.store.workflows import WorkflowRunRecord

_OVER = (DONE, FAILED, REFUSED, CANCELLED)


def started(cp: ControlPlane, run: WorkflowRunRecord) -> None:
    """A run was written down; inside that transaction."""
    _tell(cp, run, "workflow_run.started", {})


def ended(run: WorkflowRunRecord, facts: Mapping[str, Fact]) -> dict[str, dict[str, str]]:
    """What is to be noted of the steps that have ended and of which that is not noted yet, by step.

    A job or a deployment ends by itself; the note is what makes a run tell it once.
    """
    return {
        name: {"ended": facts[name].state}
        for name, one in run.begun.items()
        if "ended" not in one and name in facts and facts[name].state in _OVER
    }


def changed(
    cp: ControlPlane,
    run: WorkflowRunRecord,
    begun: Mapping[str, Mapping[str, Any]] | None = None,
    outcome: str = "",
    reason: str = "",
    reason_params: Mapping[str, Any] | None = None,
    **_: Any,
) -> None:
    """These columns of a run were written, which had others before; inside that transaction."""
    for step, one in (begun or {}).items():
        said = {"step": step, **({"job": one["job"]} if "job" in one else {}), "reused": one.get("reused", False)}
        if step not in run.begun or one.get("tries", 1) > run.begun[step].get("tries", 1):  # once more is a start, too
            _tell(cp, run, "step.started", said)
        if "ended" in one and "ended" not in run.begun.get(step, {}):
            _tell(cp, run, "step.ended", {**said, "state": one["ended"]})
    if outcome:
        _tell(cp, run, "workflow_run.ended", {"state": outcome}, (reason, reason_params or {}))


def _tell(
    cp: ControlPlane,
    run: WorkflowRunRecord,
    event: str,
    said: Mapping[str, Any],
    why: tuple[str, Mapping[str, Any]] = ("", {}),
) -> None:
    subject = {"kind": "workflow_run", "id": run.id, "name": run.label, **({"case": run.case} if run.case else {})}
    outbox.tell(cp, event, run.project_id, subject, said, why)
