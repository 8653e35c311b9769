"""What fires triggers: their times, new versions and new base models are looked for, and what is due starts its run.

A firing is a row that its key makes the only one, written with the note that the trigger has seen what it fires for. It
starts its run by another key, which nobody can know beforehand, so that a kill between the start and the note of it
starts nothing twice.
"""

from __future__ import annotations

import logging
import secrets as random
from collections.abc import Callable, Mapping
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, ScheduleInvalid, TunesmithError, Unavailable
from control_plane.domain.preparation import read
from control_plane.domain.schedules import Schedule
from control_plane.domain.workflows.triggers import LATE, MISSED_OUT, REFUSED, SCHEDULE, SKIP, STARTED, WEBHOOK, Quiet
from control_plane.services import schedules
from control_plane.services.access import identity
from control_plane.services.listeners import outbox
from control_plane.services.triggers import setting
from control_plane.services.workflows import runs
from control_plane.services.workflows.sources import Wanted
from control_plane.store.database import transaction
from control_plane.store.projects import ProjectRecord
from control_plane.store.triggers import FiringRecord, TriggerRecord
from control_plane.store.workflows import WorkflowRecord

log = logging.getLogger(__name__)

PERIOD = 5.0  # seconds between two looks
FORGET_SECONDS = 3_600.0  # between two looks at what is old
_AT_ONCE = 1_000  # of one transaction
_DAY = 86_400.0
_AGAIN = 60.0  # seconds until a run is started again that could not be just now, as where the disk is full


def look(cp: ControlPlane) -> int:
    """Fire what is to fire, and start the runs that are due; how many runs started."""
    for trigger in setting.working().where(TriggerRecord.next_at > 0.0, TriggerRecord.next_at <= cp.clock()):
        _alone(cp, trigger, _fire_at_its_time)
    for trigger in setting.working().where(TriggerRecord.kind.not_in((SCHEDULE, WEBHOOK))):
        _alone(cp, trigger, _fire_for_what_is_new)
    waits = (FiringRecord.outcome == "") & (FiringRecord.due_at <= cp.clock())
    due = FiringRecord.select().where(waits, FiringRecord.trigger.in_(setting.working().select(TriggerRecord.id)))
    return sum(_start_alone(cp, firing) for firing in list(due.order_by(FiringRecord.due_at, FiringRecord.id)))


def fire(cp: ControlPlane, trigger: TriggerRecord, key: str, due_at: float, outcome: str = "") -> FiringRecord:
    """Have a trigger fire; a second time with the same key, it is the same firing. Called inside a transaction."""
    known: FiringRecord | None = FiringRecord.get_or_none(FiringRecord.trigger == trigger.id, FiringRecord.key == key)
    if known is not None:
        return known
    made: FiringRecord = FiringRecord.create(
        trigger=trigger,
        key=key,
        run_key=f"firing:{random.token_hex(16)}",
        due_at=due_at,
        outcome=outcome,
        created_at=cp.clock(),
    )
    return made


def forget_old(cp: ControlPlane) -> int:
    """Forget firings that ended long ago, but the last one of each trigger; how many."""
    until, forgotten = cp.clock() - cp.settings.delivery_days * _DAY, 0
    last = FiringRecord.select(fn.MAX(FiringRecord.id)).group_by(FiringRecord.trigger)
    old = FiringRecord.select(FiringRecord.id).where(
        FiringRecord.created_at < until, FiringRecord.outcome != "", FiringRecord.id.not_in(last)
    )
    while numbers := [one.id for one in old.limit(_AT_ONCE)]:
        with transaction():
            forgotten += FiringRecord.delete().where(FiringRecord.id.in_(numbers)).execute()
    return forgotten


def quiet_of(trigger: TriggerRecord) -> Quiet:
    """The hours in which a trigger starts nothing."""
    return read(Quiet, trigger.quiet) if trigger.quiet else Quiet()


def _alone(cp: ControlPlane, trigger: TriggerRecord, fires: Callable[[ControlPlane, TriggerRecord], None]) -> None:
    """Let one trigger fire; whatever is wrong with it holds up no other."""
    try:
        fires(cp, trigger)
    except ScheduleInvalid as problem:  # its time zone is known no longer
        with transaction():
            _note(cp, trigger, problem, stopped=True)
    except Exception:  # a loop's top: the others fire all the same, and this one is looked at again
        log.exception("trigger %s could not be looked at", trigger.id)


def _start_alone(cp: ControlPlane, firing: FiringRecord) -> bool:
    """Start one run; whatever is wrong with it holds up no other."""
    try:
        return _start(cp, firing)
    except Exception:  # a loop's top: the others start all the same, and this one is tried again
        log.exception("trigger %s could not start a run", firing.trigger_id)
        FiringRecord.update(due_at=cp.clock() + _AGAIN).where(FiringRecord.id == firing.id).execute()
        return False


def _fire_at_its_time(cp: ControlPlane, trigger: TriggerRecord) -> None:
    """Once for its time. Times at which nothing ran are made up for by one run, or let go, and listeners are told.

    Raises ScheduleInvalid where its time zone is known no longer.
    """
    now, due, quiet = cp.clock(), float(trigger.next_at), quiet_of(trigger)
    following = quiet.after(schedules.next_after(read(Schedule, trigger.schedule), now))
    is_late = now - due > LATE
    with transaction():
        if not _change(trigger, TriggerRecord.next_at == trigger.next_at, next_at=following):
            return  # somebody was quicker
        lets_go = is_late and trigger.missed == SKIP
        # a run that makes up for what was missed waits for the end of quiet hours, as any other
        fire(cp, trigger, f"at:{due:.0f}", due if lets_go else quiet.after(now), MISSED_OUT if lets_go else "")
        if is_late:
            _tell_missed(cp, trigger, due)


def _fire_for_what_is_new(cp: ControlPlane, trigger: TriggerRecord) -> None:
    """Once for the newest that it has not seen: of several that came at once, a run takes the newest anyway."""
    found = setting.newest(trigger.kind, trigger.project_id, trigger.dataset)
    if found <= trigger.seen:
        return
    with transaction():
        if _change(trigger, TriggerRecord.seen == trigger.seen, seen=found):
            fire(cp, trigger, f"new:{found}", quiet_of(trigger).after(cp.clock()))


def _start(cp: ControlPlane, firing: FiringRecord) -> bool:
    trigger: TriggerRecord = TriggerRecord.get_by_id(firing.trigger_id)
    project, workflow = ProjectRecord.get_by_id(trigger.project_id), WorkflowRecord.get_by_id(trigger.workflow_id)
    wanted = Wanted(workflow=workflow.name, given=trigger.given, idempotency_key=firing.run_key)
    try:
        actor = identity.acting_for(trigger.created_by_id, "job.submit", trigger.project_id)
        run = runs.start(actor, cp, project.name, wanted)
    except Unavailable:  # a full disk, say: it is tried again
        FiringRecord.update(due_at=cp.clock() + _AGAIN).where(FiringRecord.id == firing.id).execute()
        return False
    except TunesmithError as problem:
        log.info("trigger %s started nothing: %s", trigger.id, problem.code)
        with transaction():
            _end(firing, outcome=REFUSED, error=problem.code, error_params=problem.storable())
            _note(cp, trigger, problem, stopped=isinstance(problem, Denied))
        cp.signals.wake(f"notifications:{trigger.created_by_id}", f"project:{trigger.project_id}")
        return False
    with transaction():
        _end(firing, outcome=STARTED, run=run.id)
        _change(trigger, TriggerRecord.id == trigger.id, error="", error_params={}, failed_at=0.0)
    return True


def _tell_missed(cp: ControlPlane, trigger: TriggerRecord, due: float) -> None:
    workflow = WorkflowRecord.get_by_id(trigger.workflow_id)
    subject = {"kind": "workflow", "id": workflow.id, "name": workflow.name, "title": workflow.title}
    outbox.tell(cp, "schedule.missed", trigger.project_id, subject, {"due_at": due, "made_up": trigger.missed != SKIP})


def _note(cp: ControlPlane, trigger: TriggerRecord, problem: TunesmithError, stopped: bool) -> None:
    told = {"error": problem.code, "error_params": problem.storable(), "failed_at": cp.clock()}
    _change(trigger, TriggerRecord.id == trigger.id, **told, **({"stopped": True} if stopped else {}))


def _change(trigger: TriggerRecord, same: Any, **columns: Any) -> bool:
    """Change a trigger that is as it was read; False if it is not. Called inside a transaction."""
    changed: Mapping[str, Any] = {"version": TriggerRecord.version + 1} | columns
    return bool(TriggerRecord.update(**changed).where(TriggerRecord.id == trigger.id, same).execute())


def _end(firing: FiringRecord, **columns: Any) -> None:
    FiringRecord.update(**columns).where(FiringRecord.id == firing.id, FiringRecord.outcome == "").execute()
