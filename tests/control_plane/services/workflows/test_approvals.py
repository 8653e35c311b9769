"""Approvals in a run: who decides, what follows, and that nothing behind one happens before. The fleet is played."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from control_plane.context import ControlPlane
from control_plane.domain import graph as graphs
from control_plane.domain.errors import (
    DecisionAmbiguous,
    DecisionMade,
    Denied,
    FieldInvalid,
    FourEyes,
    NotFound,
    NothingToDecide,
    WorkflowRunOver,
)
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services.access import identity, people, projects
from control_plane.services.workflows import approvals, deciding, runs, steps
from control_plane.store.audit import AuditRecord
from control_plane.store.database import release
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.people import UserRecord
from control_plane.store.workflows import ApprovalRecord, WorkflowRunRecord
from support import FakeClock
from workflow_support import begin, play, serve, stands, with_approval

DAY = 86_400.0


def member(cp: ControlPlane, name: str, role: str) -> Actor:
    people.invite(SYSTEM, cp, name, name.title(), False)
    projects.set_member(SYSTEM, cp, "lab", name, role)
    return identity.actor_of(UserRecord.get(UserRecord.name == name), "")


@pytest.fixture
def grace(cp: ControlPlane, ada: Actor) -> Actor:
    """Another expert of the project."""
    return member(cp, "grace", "Expert")


@pytest.fixture
def asking(cp: ControlPlane, tmp_path: Path) -> ControlPlane:
    """The control plane with the case, whose deployment waits for an approval."""
    return with_approval(cp, tmp_path)


def waiting_run(cp: ControlPlane, ada: Actor, version: int) -> WorkflowRunRecord:
    """A run whose model is packaged and waits for a decision."""
    run = begin(cp, ada, version)
    play(cp, run)
    assert stands(cp, run)["release"] == "open"
    return run


def test_a_deployment_waits_until_somebody_else_approves(
    asking: ControlPlane, ada: Actor, grace: Actor, version: int
) -> None:
    cp = asking
    run = waiting_run(cp, ada, version)
    for _ in range(3):
        steps.advance(cp)
    assert DeploymentRecord.select().count() == 0
    with pytest.raises(FourEyes):
        deciding.approve(ada, cp, run.id)
    assert ApprovalRecord.get().decision == ""
    seen = deciding.approve(grace, cp, run.id, note=" 31 of 32 right ")
    assert seen.outcome == ""
    step = next(one for one in runs.progress(ada, cp, run.id).steps if one.step.name == "release")
    packed = next(one for one in runs.progress(ada, cp, run.id).steps if one.step.name == "package")
    assert (step.state, step.made["model"]) == ("done", packed.made["model"])
    assert (DeploymentRecord.get().model_id, DeploymentRecord.get().created_by) == (packed.made["model"], ada.id)
    entry = AuditRecord.get(AuditRecord.action == "workflow_run.approve")
    assert (entry.actor_name, entry.subject, entry.project_id) == ("grace", f"workflow_run:{run.id}", run.project_id)
    assert (entry.details["step"], entry.details["note"]) == ("release", "31 of 32 right")
    serve(cp)
    steps.advance(cp)
    assert runs.get(ada, cp, run.id).outcome == "done"


def test_what_is_refused_is_never_deployed_and_the_run_says_so(
    asking: ControlPlane, ada: Actor, grace: Actor, version: int
) -> None:
    cp = asking
    run = waiting_run(cp, ada, version)
    ended = deciding.refuse(grace, cp, run.id, "release", "Row 7 names a customer.")
    assert (ended.outcome, ended.reason) == ("refused", "step_refused")
    assert ended.reason_params == {"step": "release", "name": "Grace"}
    steps.advance(cp)
    assert (stands(cp, run)["release"], stands(cp, run)["deploy"]) == ("refused", "skipped")
    assert DeploymentRecord.select().count() == 0
    for verb in (deciding.approve, deciding.refuse):
        with pytest.raises(WorkflowRunOver):
            verb(grace, cp, run.id)
    assert AuditRecord.get(AuditRecord.action == "workflow_run.refuse").details["note"] == "Row 7 names a customer."


def test_one_person_may_decide_alone_where_the_workflow_says_so(
    cp: ControlPlane, ada: Actor, version: int, tmp_path: Path
) -> None:
    cp = with_approval(cp, tmp_path, "own = true")
    run = waiting_run(cp, ada, version)
    deciding.approve(ada, cp, run.id)
    assert DeploymentRecord.select().count() == 1


def test_who_may_not_decide(asking: ControlPlane, ada: Actor, version: int) -> None:
    cp = asking
    run = waiting_run(cp, ada, version)
    with pytest.raises(Denied):
        deciding.approve(member(cp, "vic", "Viewer"), cp, run.id)
    people.invite(SYSTEM, cp, "olga", "Olga", False)
    with pytest.raises(NotFound):
        deciding.approve(identity.actor_of(UserRecord.get(UserRecord.name == "olga"), ""), cp, run.id)
    with pytest.raises(Denied):
        deciding.approve(SYSTEM, cp, run.id)
    UserRecord.update(administrator=True).where(UserRecord.name == "ada").execute()
    root = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    with pytest.raises(FourEyes):  # not even as an administrator
        deciding.approve(root, cp, run.id)
    assert ApprovalRecord.get().decision == ""


def test_nothing_is_decided_twice_or_before_it_is_asked(
    asking: ControlPlane, ada: Actor, grace: Actor, version: int
) -> None:
    cp = asking
    run = begin(cp, ada, version)
    with pytest.raises(NothingToDecide):
        deciding.approve(grace, cp, run.id)
    play(cp, run)
    with pytest.raises(NothingToDecide):
        deciding.approve(grace, cp, run.id, "train")
    with pytest.raises(FieldInvalid):
        deciding.approve(grace, cp, run.id, note="x" * 2_001)
    deciding.approve(grace, cp, run.id)
    with pytest.raises(DecisionMade):
        deciding.refuse(grace, cp, run.id)
    assert (
        AuditRecord.select().where(AuditRecord.action.in_(["workflow_run.approve", "workflow_run.refuse"])).count() == 1
    )


def test_two_who_decide_at_once_make_one_decision(asking: ControlPlane, ada: Actor, grace: Actor, version: int) -> None:
    cp = asking
    run = waiting_run(cp, ada, version)
    hugo = member(cp, "hugo", "Owner")
    at_once = threading.Barrier(2)
    ended: list[str] = []

    def one(actor: Actor, verb: Callable[..., WorkflowRunRecord]) -> None:
        at_once.wait()
        try:
            verb(actor, cp, run.id)
            ended.append("decided")
        except (DecisionMade, WorkflowRunOver) as problem:
            ended.append(problem.code)
        finally:
            release()

    threads = [threading.Thread(target=one, args=pair) for pair in ((grace, deciding.approve), (hugo, deciding.refuse))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("decided") == 1
    approved = ApprovalRecord.get().decision == "approved"
    assert DeploymentRecord.select().count() == int(approved)


def test_what_nobody_decides_in_time_is_refused(
    cp: ControlPlane, ada: Actor, grace: Actor, version: int, tmp_path: Path, clock: FakeClock
) -> None:
    cp = with_approval(cp, tmp_path, "days = 2")
    run = waiting_run(cp, ada, version)
    clock.advance(2 * DAY - 1)
    steps.advance(cp)
    assert runs.get(ada, cp, run.id).outcome == ""
    clock.advance(1)
    with pytest.raises(DecisionMade):  # too late, even where no pass has noticed yet
        deciding.approve(grace, cp, run.id)
    steps.advance(cp)
    ended = runs.get(ada, cp, run.id)
    assert (ended.outcome, ended.reason) == ("refused", "step_expired")
    assert DeploymentRecord.select().count() == 0
    assert AuditRecord.get(AuditRecord.action == "workflow_run.expire").actor_kind == "system"


def test_a_cancelled_run_waits_for_nobody(asking: ControlPlane, ada: Actor, grace: Actor, version: int) -> None:
    cp = asking
    run = waiting_run(cp, ada, version)
    assert [one.run_id for one in approvals.waiting(grace)] == [run.id]
    runs.cancel(ada, cp, run.id)
    assert approvals.waiting(grace) == []
    assert stands(cp, run)["release"] == "cancelled"
    with pytest.raises(WorkflowRunOver):
        deciding.approve(grace, cp, run.id)
    assert DeploymentRecord.select().count() == 0


def test_it_waits_for_those_who_may_decide_and_for_nobody_else(
    asking: ControlPlane, ada: Actor, grace: Actor, version: int
) -> None:
    cp = asking
    run = waiting_run(cp, ada, version)
    approval = ApprovalRecord.get()
    assert approvals.waiting(ada) == approvals.waiting(member(cp, "vic", "Viewer")) == []
    assert [one.step for one in approvals.waiting(grace, run.project_id)] == ["release"]
    assert approvals.waiting(grace, run.project_id + 1) == []
    assert approvals.deciders(run, approval) == {int(grace.id)}
    assert approvals.may_decide(grace, run, approval) and not approvals.may_decide(ada, run, approval)
    projects.create(SYSTEM, cp, "other", "Other")
    people.invite(SYSTEM, cp, "mia", "Mia", False)
    projects.set_member(SYSTEM, cp, "other", "mia", "Owner")
    assert approvals.waiting(identity.actor_of(UserRecord.get(UserRecord.name == "mia"), "")) == []


def test_a_later_run_asks_again_though_all_else_is_reused(
    asking: ControlPlane, ada: Actor, grace: Actor, version: int
) -> None:
    cp = asking
    first = waiting_run(cp, ada, version)
    deciding.approve(grace, cp, first.id)
    assert runs.foreseen(ada, cp, "lab", graphs.of_data(first.graph)) == {"import", "train", "evaluate", "package"}
    second = begin(cp, ada, version)
    assert (stands(cp, second)["package"], stands(cp, second)["release"]) == ("done", "open")
    assert "deployment" not in str(second.begun)


def test_two_open_decisions_are_told_apart_by_their_step(
    cp: ControlPlane, ada: Actor, grace: Actor, version: int, tmp_path: Path
) -> None:
    cp = with_approval(cp, tmp_path, twice=True)
    run = waiting_run(cp, ada, version)
    with pytest.raises(DecisionAmbiguous) as refused:
        deciding.approve(grace, cp, run.id)
    assert refused.value.params["steps"] == ["release", "report"]
    deciding.refuse(grace, cp, run.id, "report")
    assert runs.get(ada, cp, run.id).outcome == ""  # the other one is open still
    deciding.approve(grace, cp, run.id, "release")
    assert DeploymentRecord.select().count() == 1


def test_a_restart_forgets_no_decision(asking: ControlPlane, ada: Actor, grace: Actor, version: int) -> None:
    """The control plane dies after the decision is written and before the run goes on: the next start goes on."""
    cp = asking
    run = waiting_run(cp, ada, version)
    carry_on = steps.carry_on
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "carry_on", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            deciding.approve(grace, cp, run.id)
    assert (ApprovalRecord.get().decision, DeploymentRecord.select().count()) == ("approved", 0)
    assert steps.carry_on is carry_on
    again = replace(cp)
    assert steps.advance(again) == 1
    assert steps.advance(again) == 0
    assert DeploymentRecord.select().count() == 1
