"""Approvals: what a step of a run asks somebody to decide, who may, and what was decided.

A decision is a row of its own, so that whoever decides, a restart and a clock that runs out meet in one place: the row
is written once, while nothing was decided yet, with its audit entry in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import StepExpired, StepRefused
from control_plane.domain.graph import CANCELLED, DONE, OPEN, REFUSED, Fact, Step
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import audit
from control_plane.services.access import identity
from control_plane.services.things.kinds import is_kept
from control_plane.store.database import transaction
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord

APPROVED, EXPIRED = "approved", "expired"  # decisions, with graph.REFUSED; empty while nobody has decided
PERMISSION = "workflow.approve"
_DAY = 86_400.0


def ask(cp: ControlPlane, run: WorkflowRunRecord, step: Step, inputs: Mapping[str, int]) -> ApprovalRecord:
    """Note that a step waits for a decision about what it is given (input → id); called inside a transaction.

    Where the run had asked before and nobody has decided, that is asked again.
    """
    now = cp.clock()
    expires_at = now + step.days * _DAY if step.days else 0.0
    asked = {"own": step.own, "given": dict(inputs), "asked_at": now, "expires_at": expires_at}
    same = (ApprovalRecord.run == run.id) & (ApprovalRecord.step == step.name)
    found: ApprovalRecord | None = ApprovalRecord.get_or_none(same)
    if found is None:
        return ApprovalRecord.create(run=run, project=run.project_id, step=step.name, **asked)
    ApprovalRecord.update(**asked).where(same, ApprovalRecord.decision == "").execute()
    return found


def topics(project_id: int) -> list[str]:
    """What is woken when a project's approvals change: the bells of those who may decide, and the project's pages."""
    deciders = identity.who_may(PERMISSION, project_id)
    return [f"project:{project_id}", *(f"notifications:{one}" for one in sorted(deciders))]


def decide(
    actor: Actor, cp: ControlPlane, run: WorkflowRunRecord, approval: ApprovalRecord, decision: str, note: str
) -> bool:
    """Write a decision and its audit entry, unless there is one; called inside a transaction that has read both."""
    open_one = (ApprovalRecord.id == approval.id) & (ApprovalRecord.decision == "")
    decided_by = int(actor.id) if actor.kind == "user" else None
    written = ApprovalRecord.update(decision=decision, note=note, decided_by=decided_by, decided_at=cp.clock())
    if not written.where(open_one).execute():
        return False
    action = {APPROVED: "workflow_run.approve", REFUSED: "workflow_run.refuse", EXPIRED: "workflow_run.expire"}
    details = {"step": approval.step, "note": note, **approval.given}
    audit.record(actor, cp, action[decision], f"workflow_run:{run.id}", run.project_id, **details)
    return True


def expire(cp: ControlPlane) -> int:
    """Refuse what nobody decided about in time; how many."""
    late = _open().where(ApprovalRecord.expires_at > 0, ApprovalRecord.expires_at <= cp.clock())
    expired = 0
    for approval in list(late):
        with transaction():
            run = WorkflowRunRecord.get_by_id(approval.run_id)
            expired += decide(SYSTEM, cp, run, approval, EXPIRED, "")
    return expired


def waiting(actor: Actor, project_id: int | None = None, limit: int = 100) -> list[ApprovalRecord]:
    """What waits for this actor's decision, in a project or in any; the newest first, each with its run."""
    return list(awaited_by(actor, project_id).order_by(ApprovalRecord.asked_at.desc()).limit(limit))


def awaited_by(actor: Actor, project_id: int | None = None) -> Any:
    """The same as a query over ApprovalRecord joined with its run."""
    kept = WorkflowRunRecord.project.in_(ProjectRecord.select(ProjectRecord.id).where(is_kept(ProjectRecord)))
    query = _open().where(kept)
    if not actor.administrator:
        query = query.where(ApprovalRecord.project.in_([one for one in actor.roles if actor.may(PERMISSION, one)]))
    if project_id is not None:
        query = query.where(ApprovalRecord.project == project_id)
    own = WorkflowRunRecord.created_by == (int(actor.id) if actor.kind == "user" else 0)
    return query.where((ApprovalRecord.own == True) | ~own)  # noqa: E712


def may_decide(actor: Actor, run: WorkflowRunRecord, approval: ApprovalRecord) -> bool:
    """Whether this actor may decide: a user with the permission, and another one than who started the run."""
    allowed = actor.kind == "user" and actor.may(PERMISSION, run.project_id)
    return allowed and (bool(approval.own) or not is_own(actor, run))


def is_own(actor: Actor, run: WorkflowRunRecord) -> bool:
    """Whether the actor has started the run."""
    return actor.kind == "user" and int(actor.id) == run.created_by_id


def deciders(run: WorkflowRunRecord, approval: ApprovalRecord) -> set[int]:
    """The users who may decide."""
    found = identity.who_may(PERMISSION, run.project_id)
    return found if approval.own else found - {run.created_by_id}


def names_of(approvals: Iterable[ApprovalRecord]) -> dict[int, str]:
    """What those who decided are called, by id."""
    numbers = {one.decided_by_id for one in approvals if one.decided_by_id}
    if not numbers:
        return {}
    users = UserRecord.select(UserRecord.id, UserRecord.name, UserRecord.title)
    return {int(user.id): user.title or user.name for user in users.where(UserRecord.id.in_(sorted(numbers)))}


def of_runs(runs: Sequence[WorkflowRunRecord]) -> dict[int, ApprovalRecord]:
    """The approvals of these runs, by id."""
    numbers = [one["approval"] for run in runs for one in run.begun.values() if "approval" in one]
    if not numbers:
        return {}
    return {int(one.id): one for one in ApprovalRecord.select().where(ApprovalRecord.id.in_(numbers))}


def fact(one: ApprovalRecord, is_over: bool, names: Mapping[int, str], passed_on: Fact | None) -> Fact:
    """What has come of an approval; nobody need decide any more in a run that is over.

    `passed_on` is what has come of the evaluation that it was given, if it was given one; `names` are those of users.
    """
    if one.decision == APPROVED:
        found = passed_on or Fact(DONE)
        return Fact(DONE, dict(one.given), found.verdict, marks=found.marks)
    if one.decision == EXPIRED:
        return Fact(REFUSED, reason=StepExpired().code, reason_params={"step": one.step})
    if one.decision == REFUSED:
        params = {"step": one.step, "name": names.get(one.decided_by_id or 0, "?")}
        return Fact(REFUSED, reason=StepRefused().code, reason_params=params)
    return Fact(CANCELLED if is_over else OPEN)


def _open() -> Any:
    """Approvals of runs that go on, about which nobody has decided; each with its run."""
    query = ApprovalRecord.select(ApprovalRecord, WorkflowRunRecord).join(WorkflowRunRecord)
    return query.where(ApprovalRecord.decision == "", WorkflowRunRecord.outcome == "")
