"""Deciding about a step of a run: approve or refuse it. The run goes on at once, or ends."""

from __future__ import annotations

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    DecisionAmbiguous,
    DecisionMade,
    Denied,
    FieldInvalid,
    FourEyes,
    NothingToDecide,
    WorkflowRunOver,
)
from control_plane.domain.graph import REFUSED
from control_plane.domain.permissions import Actor
from control_plane.services.workflows import approvals, runs, steps
from control_plane.store.database import transaction
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord

LONGEST_NOTE = 2_000  # characters


def approve(actor: Actor, cp: ControlPlane, run_id: int, step: str = "", note: str = "") -> WorkflowRunRecord:
    """Let what a step asks about go on. Without `step`, the only one that waits.

    Raises NotFound, Denied, FourEyes, WorkflowRunOver, NothingToDecide, DecisionAmbiguous, DecisionMade, FieldInvalid.
    """
    return _decide(actor, cp, run_id, step, approvals.APPROVED, note)


def refuse(actor: Actor, cp: ControlPlane, run_id: int, step: str = "", note: str = "") -> WorkflowRunRecord:
    """Have nothing come of what a step asks about: the steps behind it are skipped. Raises like `approve`."""
    return _decide(actor, cp, run_id, step, REFUSED, note)


def _decide(actor: Actor, cp: ControlPlane, run_id: int, step: str, decision: str, note: str) -> WorkflowRunRecord:
    run = runs.get(actor, cp, run_id, approvals.PERMISSION)
    if actor.kind != "user":  # an approval is somebody's
        raise Denied(permission=approvals.PERMISSION)
    note = note.strip()
    if len(note) > LONGEST_NOTE:
        raise FieldInvalid(field="note", problem=f"> {LONGEST_NOTE}")
    with transaction():
        run = WorkflowRunRecord.get_by_id(run.id)
        approval = _asked(run, step)
        if run.outcome:
            raise WorkflowRunOver(state=run.outcome)
        late = 0 < approval.expires_at <= cp.clock()
        if approval.decision or late:
            raise DecisionMade(step=approval.step, decision=approval.decision or approvals.EXPIRED)
        if not approvals.may_decide(actor, run, approval):
            raise FourEyes(step=approval.step)
        approvals.decide(actor, cp, run, approval, decision, note)
        steps.move(cp, run)
    steps.carry_on(cp, WorkflowRunRecord.get_by_id(run.id))
    cp.signals.wake(*approvals.topics(run.project_id), f"notifications:{run.created_by_id}")
    return WorkflowRunRecord.get_by_id(run.id)


def _asked(run: WorkflowRunRecord, step: str) -> ApprovalRecord:
    """The approval of a step that has begun; without a name the only one that waits, or the last that was decided."""
    found = list(ApprovalRecord.select().where(ApprovalRecord.run == run.id).order_by(ApprovalRecord.id))
    if step:
        found = [one for one in found if one.step == step]
    waiting = [one for one in found if not one.decision]
    if len(waiting) > 1:
        raise DecisionAmbiguous(steps=[one.step for one in waiting])
    if not found:
        raise NothingToDecide
    return (waiting or found)[-1]
