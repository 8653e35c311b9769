"""Deciding about a step of a run: by the client, by the command, and by who may not."""

from __future__ import annotations

import pytest
import rooms
from click.testing import CliRunner, Result
from client_support import Installation

import tunesmith
from control_plane.services.access import identity, people
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.people import UserRecord
from control_plane.store.workflows import WorkflowRunRecord
from tunesmith import cli


def command(installation: Installation, *arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["--data", str(installation.cp.settings.data), "workflow", *arguments])


@pytest.fixture
def run(client: tunesmith.Client, installation: Installation) -> int:
    """A run of ada's that waits for an approval."""
    client.invite_user("ada")
    client.set_member("default", "ada", "Expert")
    made = rooms.with_run(rooms.furnished(installation.cp, "default")).made
    WorkflowRunRecord.update(created_by=UserRecord.get(UserRecord.name == "ada")).execute()
    return made["run"]


def test_it_is_asked_approved_and_told(client: tunesmith.Client, installation: Installation, run: int) -> None:
    asked = next(step.approval for step in client.get_workflow_run(run).steps if step.kind == "approval")
    assert (asked.decision, asked.own, asked.may_decide) == ("", False, True)
    assert asked.expires_at - asked.asked_at == 7 * 86_400
    (told,) = [one for one in client.list_notifications().notifications if one.noun == "workflow_run"]
    assert (told.kind, told.id, told.project) == ("approval", str(run), "default")
    before = DeploymentRecord.select().count()
    approved = client.approve_workflow_run(run, note="Fine.")
    decided = next(step.approval for step in approved.steps if step.kind == "approval")
    assert (decided.decision, decided.note, decided.may_decide) == ("approved", "Fine.", False)
    assert decided.decided_by
    assert DeploymentRecord.select().count() == before + 1
    with pytest.raises(tunesmith.CallFailed) as again:
        client.refuse_workflow_run(run)
    assert (again.value.code, again.value.status) == ("decision_made", "FAILED_PRECONDITION")


def test_whoever_started_it_may_not(client: tunesmith.Client, installation: Installation, run: int) -> None:
    actor = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    link = client.create_user_link("ada")
    people.redeem_link(installation.cp, link.rsplit("/", 1)[1], "a long enough sentence", "")
    with installation.connect(people.create_token(actor, installation.cp, "script")[0]) as ada:
        assert not any(step.approval.may_decide for step in ada.get_workflow_run(run).steps)
        with pytest.raises(tunesmith.CallFailed) as refused:
            ada.approve_workflow_run(run)
        assert (refused.value.code, refused.value.status) == ("four_eyes", "PERMISSION_DENIED")


def test_by_the_command(installation: Installation, run: int) -> None:
    assert "release" in command(installation, "runs").output
    said = command(installation, "refuse", str(run), "--note", "Row 7 names a customer.")
    assert said.exit_code == 0 and f"Run {run}" in said.output and "refused" in said.output
    watched = command(installation, "watch", str(run))
    assert watched.exit_code == 1
    assert "has refused “release”" in watched.output
    again = command(installation, "approve", str(run))
    assert again.exit_code == 1 and "ended already" in again.output


def test_watching_says_what_is_to_be_decided(
    client: tunesmith.Client, installation: Installation, run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = client.wait_workflow_run
    monkeypatch.setattr(tunesmith.Client, "wait_workflow_run", lambda self, run_id: [next(followed(run_id))])
    said = command(installation, "watch", str(run)).output
    assert f"tunesmith workflow approve {run} --step release" in " ".join(said.split())
