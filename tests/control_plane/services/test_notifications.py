"""What a user is told: of their own, of what they may see, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import rooms

from control_plane.context import ControlPlane
from control_plane.domain.permissions import OWNER, SYSTEM, Actor
from control_plane.services import deployments, notifications
from control_plane.services.access import people
from control_plane.services.fleet import machines
from control_plane.store.jobs import JobRecord
from control_plane.store.people import UserRecord
from control_plane.store.workflows import WorkflowRunRecord


@pytest.fixture
def room(cp: ControlPlane) -> rooms.Rooms:
    for name in ("root", "ada"):  # what furnished the room is root's
        people.invite(SYSTEM, cp, name, name.title(), False)
    room = rooms.with_base(cp)
    room.actor = replace(room.actor, id=str(UserRecord.get(UserRecord.name == "ada").id))
    return room


def told(room: rooms.Rooms, actor: Actor | None = None) -> list[tuple[Any, ...]]:
    return [(one.kind, one.noun, one.name, one.unread) for one in notifications.listed(actor or room.actor, room.cp)]


def test_ones_own_jobs_that_ended_are_told_newest_first(room: rooms.Rooms) -> None:
    ended, failed, running = (room.train(name) for name in ("good", "bad", "still-running"))
    room.finish_model(room.run(ended), "adapter")
    room.fail(room.run(failed, 3), "Traceback\nMemoryError\n")
    room.take(running)
    assert told(room) == [("failed", "job", "bad", True), ("ended", "job", "good", True)]
    (newest, _) = notifications.listed(room.actor, room.cp)
    assert (newest.project, newest.id, newest.reason) == ("lab", failed.id, "trainer_crashed")
    assert notifications.unread(room.actor, room.cp) == 2


def test_what_has_been_read_stays_and_counts_no_more(room: rooms.Rooms) -> None:
    room.finish_model(room.run(room.train("good")), "adapter")
    before = notifications.listed(room.actor, room.cp)[0].at
    notifications.mark_read(room.actor, room.cp, before)
    assert (notifications.unread(room.actor, room.cp), told(room)) == (0, [("ended", "job", "good", False)])
    room.fail(room.run(room.train("bad"), 3), "MemoryError\n")
    notifications.mark_read(room.actor, room.cp, before - 100)  # an old page comes late
    assert [one.unread for one in notifications.listed(room.actor, room.cp)] == [True, False]
    assert notifications.unread(room.actor, room.cp) == 1
    notifications.mark_read(room.actor, room.cp, room.cp.clock() + 1e9)  # nobody has read the future
    assert UserRecord.get_by_id(int(room.actor.id)).notified_until == room.cp.clock()


@pytest.mark.parametrize(("loss", "kind"), [(lambda step: 2.0 + step, "diverged"), (lambda step: 2.0, "flat")])
def test_a_training_that_did_not_learn_is_told_as_such(room: rooms.Rooms, loss: Any, kind: str) -> None:
    job = room.train("hopeless")
    room.finish_model(room.run(job, loss=loss), "adapter")
    assert told(room) == [(kind, "job", "hopeless", True)]
    assert JobRecord.get_by_id(job.id).learning == kind


def test_a_training_whose_reward_says_nothing_is_told_as_such(room: rooms.Rooms) -> None:
    job = room.reward("hopeless")
    room.finish_model(room.run(job, reward=lambda step: 0.0), "adapter")
    assert told(room) == [("constant", "job", "hopeless", True)]


def test_a_better_model_waits_for_a_decision_until_it_is_deployed(room: rooms.Rooms) -> None:
    adapter = room.finish_model(room.run(room.train("tuned")), "adapter")
    pair = {"candidate": adapter, "baseline": room.made["base"], "dataset": room.made["version"]}
    number = room.finish_evaluation(room.run(room.submit("evaluate", "exam", pair), 0), rooms.ROWS, 2)
    assert told(room)[0] == ("decision", "evaluation", "exam", True)
    assert notifications.listed(room.actor, room.cp)[0].id == number
    packed = room.finish_model(room.run(room.submit("export_gguf", "packed", {"model": adapter}), 0), "gguf")
    deployments.deploy(room.actor, room.cp, "lab", "tuned", packed)
    assert ("ended", "job", "exam", True) in told(room)


def test_a_workflow_run_is_told_as_one(room: rooms.Rooms) -> None:
    columns = {"case": "machine_faults", "dataset_version": room.made["version"], "graph": []}
    made = {"project": next(iter(room.actor.roles)), "created_by": int(room.actor.id), "created_at": 1.0}
    run = WorkflowRunRecord.create(**columns, **made, outcome="stopped", reason="job_over", ended_at=room.cp.clock())
    job = room.train("inside")
    JobRecord.update(workflow_run=run).where(JobRecord.id == job.id).execute()
    room.finish_model(room.run(job), "adapter")
    assert told(room) == [("failed", "workflow_run", "machine_faults", True)]
    assert notifications.unread(room.actor, room.cp) == 1


def test_nobody_is_told_of_what_is_anothers_or_may_not_be_seen(room: rooms.Rooms) -> None:
    people.invite(SYSTEM, room.cp, "bob", "Bob", False)
    number = str(UserRecord.get(UserRecord.name == "bob").id)
    bob = Actor(kind="user", id=number, name="bob", roles=dict.fromkeys(room.actor.roles, OWNER))
    room.finish_model(room.run(room.train("good")), "adapter")
    gone = replace(room.actor, roles={})
    for actor in (bob, gone, SYSTEM):
        assert (told(room, actor), notifications.unread(actor, room.cp)) == ([], 0)
    assert told(room, replace(gone, administrator=True)) == [("ended", "job", "good", True)]


def test_a_machine_that_is_not_heard_is_told_while_it_is_silent(room: rooms.Rooms) -> None:
    machines.load_presence(room.cp)
    room.wait(3600)
    machines.mark_connectivity(room.cp)
    assert [one[:2] for one in told(room)] == [("silent", "machine")]
    assert notifications.unread(room.actor, room.cp) == 1
    assert told(room, replace(room.actor, roles={})) == []


def test_what_is_older_than_a_month_is_told_no_more(room: rooms.Rooms) -> None:
    room.finish_model(room.run(room.train("good")), "adapter")
    room.wait(31 * 86_400)
    assert (told(room), notifications.unread(room.actor, room.cp)) == ([], 0)
