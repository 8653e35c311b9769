"""What tells the listeners: several at once, each one thing after the other, outside of every transaction.

A row says that something waits to be told; that it is being told is known to this process alone. So after a restart
what waits is told. What was told a moment before a kill, and not yet written down as told, is told again: its number is
the same, by which the other side knows it.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, ListenerBehind, ListenerRefused, PythonListenerBroke, TunesmithError
from control_plane.domain.listeners.ways import (
    DELIVERED,
    GIVEN_UP,
    MAIL,
    MOST_WAITING,
    PYTHON,
    RETRY_AFTER,
    SLACK,
    TEAMS,
    WEBHOOK,
    next_try,
)
from control_plane.preparations import LISTENER
from control_plane.services import secrets
from control_plane.services.access import identity
from control_plane.services.listeners import by_http, by_mail, by_python
from control_plane.services.things.kinds import is_kept
from control_plane.services.watching import watched
from control_plane.store.database import release, transaction
from control_plane.store.listeners import DeliveryRecord, ListenerRecord
from control_plane.store.projects import ProjectRecord

log = logging.getLogger(__name__)

Tell = Callable[[ControlPlane, ListenerRecord, Mapping[str, Any], Mapping[str, str]], int]

TELL: Mapping[str, Tell] = {
    WEBHOOK: by_http.webhook,
    SLACK: by_http.slack,
    TEAMS: by_http.teams,
    MAIL: by_mail.mail,
    PYTHON: by_python.python,
}
_OF_A_PROJECT = 2  # listeners that are told at once: those of one project that all hang leave room for the others'
_IN_A_ROW = 20  # deliveries of a listener, before others have their turn
_OF_ONE_EVENT = (ListenerRefused, PythonListenerBroke)  # the listener was reached: another event may go well


def advance(cp: ControlPlane) -> int:
    """Begin to tell the listeners for which something is due, those first that have waited longest; how many."""
    busy = cp.deliveries.running(LISTENER)
    free = cp.settings.deliveries - len(busy)
    if free <= 0:
        return 0
    told = ListenerRecord.select(ListenerRecord.project).where(ListenerRecord.id.in_(list(busy)))
    of_project = Counter(one.project_id for one in told)
    begun, next_turn = 0, partial(cp.signals.wake, "schedule")
    for listener_id, project_id in _due(cp, busy):
        if begun == free:
            break
        if of_project[project_id] < _OF_A_PROJECT:
            of_project[project_id] += 1
            begun += cp.deliveries.begin((LISTENER, listener_id), partial(_watch, cp, listener_id), next_turn)
    return begun


def give_up_excess(cp: ControlPlane) -> int:
    """Give up the oldest of what waits where too much of it does; how many."""
    number, given_up = fn.COUNT(DeliveryRecord.id), 0
    query = DeliveryRecord.select(DeliveryRecord.listener).where(DeliveryRecord.outcome == "")
    query = query.group_by(DeliveryRecord.listener).having(number > MOST_WAITING)
    for listener_id in [int(row[0]) for row in query.tuples().iterator()]:
        listener = ListenerRecord.get_by_id(listener_id)
        waits, told = _waiting(listener), _told(ListenerBehind(most=MOST_WAITING))
        with transaction():
            newest_first = DeliveryRecord.select(DeliveryRecord.id).where(waits).order_by(DeliveryRecord.id.desc())
            excess = newest_first.offset(MOST_WAITING).first()
            if excess is None:
                continue
            old = waits & (DeliveryRecord.id <= excess.id)
            given_up += DeliveryRecord.update(outcome=GIVEN_UP, **told).where(old).execute()
            _note(listener, failed_at=cp.clock(), **told)
        cp.signals.wake(f"listener:{listener_id}", f"notifications:{listener.created_by_id}")
    return given_up


def _due(cp: ControlPlane, busy: frozenset[int]) -> list[tuple[int, int]]:
    """Listeners with their projects."""
    waits = (DeliveryRecord.outcome == "") & (DeliveryRecord.next_at <= cp.clock())
    query = (
        DeliveryRecord.select(DeliveryRecord.listener, ListenerRecord.project)
        .join(ListenerRecord, on=(DeliveryRecord.listener == ListenerRecord.id))
        .join(ProjectRecord, on=(ListenerRecord.project == ProjectRecord.id))
        .where(waits, ~ListenerRecord.stopped, is_kept(ProjectRecord), DeliveryRecord.listener.not_in(list(busy)))
        .group_by(DeliveryRecord.listener, ListenerRecord.project)
        .order_by(fn.MIN(DeliveryRecord.next_at))
    )
    return [(int(row[0]), int(row[1])) for row in query.tuples().iterator()]


def _watch(cp: ControlPlane, listener_id: int, stop: threading.Event) -> None:
    def tell() -> None:
        for _ in range(_IN_A_ROW):
            if stop.is_set() or not _tell_next(cp, listener_id):
                return

    watched(f"what listener {listener_id} is told", tell, lambda: stop.wait(1.0))


def _tell_next(cp: ControlPlane, listener_id: int) -> bool:
    """Tell a listener the next thing that is due; False where there is none, or where it did not arrive."""
    waits = (DeliveryRecord.outcome == "") & (DeliveryRecord.next_at <= cp.clock())
    query = DeliveryRecord.select().where(DeliveryRecord.listener == listener_id, waits)
    delivery = query.order_by(DeliveryRecord.next_at, DeliveryRecord.id).first()
    listener = ListenerRecord.get_or_none(ListenerRecord.id == listener_id, ~ListenerRecord.stopped)
    if delivery is None or listener is None:
        return False
    try:
        identity.acting_for(listener.created_by_id, "listener.change", listener.project_id)
    except Denied as problem:
        _stop(cp, listener, problem)
        return False
    try:
        release()  # no connection is held while somebody else is waited for
        code = TELL[listener.way](cp, listener, delivery.payload, secrets.opened(cp, listener.secret_id))
    except TunesmithError as problem:
        log.info("listener %s was not told %s: %s", listener.id, delivery.event, problem.code)
        _failed(cp, listener, delivery, problem)
        return False
    _arrived(cp, listener, delivery, code)
    return True


def _arrived(cp: ControlPlane, listener: ListenerRecord, delivery: DeliveryRecord, code: int) -> None:
    with transaction():
        if _write(cp, delivery, outcome=DELIVERED, code=code, error="", error_params={}):
            _note(listener, error="", error_params={}, failed_at=0.0)
            untried = _waiting(listener) & (DeliveryRecord.attempts == 0) & (DeliveryRecord.next_at > cp.clock())
            DeliveryRecord.update(next_at=cp.clock()).where(untried).execute()  # they waited for it alone
    cp.signals.wake(f"listener:{listener.id}")


def _failed(cp: ControlPlane, listener: ListenerRecord, delivery: DeliveryRecord, problem: TunesmithError) -> None:
    now = cp.clock()
    following, told = next_try(delivery.attempts + 1, now), _told(problem)
    given = {"next_at": following} if following else {"outcome": GIVEN_UP}
    code = problem.params.get("code", 0)
    with transaction():
        if _write(cp, delivery, code=code, **told, **given):
            _note(listener, **({} if following else told | {"failed_at": now}))
            if not isinstance(problem, _OF_ONE_EVENT):
                _put_off(listener, following, now, told)
    cp.signals.wake(f"listener:{listener.id}", *([] if following else [f"notifications:{listener.created_by_id}"]))


def _put_off(listener: ListenerRecord, following: float, now: float, told: Mapping[str, Any]) -> None:
    """What is due or was never tried waits, where a listener cannot be told, as long as what was: so each wait costs
    one attempt. With what is given up (`following` is 0) goes what happened as long ago. Inside a transaction."""
    waits, untried, until = _waiting(listener), DeliveryRecord.attempts == 0, following or now + RETRY_AFTER[0]
    if not following:
        as_old = waits & untried & (DeliveryRecord.created_at <= now - sum(RETRY_AFTER))
        DeliveryRecord.update(outcome=GIVEN_UP, **told).where(as_old).execute()
    # what was tried and has a later time of its own keeps it, or events that come often would put it off for good
    put_off = waits & (DeliveryRecord.next_at < until) & (untried | (DeliveryRecord.next_at <= now))
    DeliveryRecord.update(next_at=until).where(put_off).execute()


def _stop(cp: ControlPlane, listener: ListenerRecord, problem: TunesmithError) -> None:
    """Who added it may do so no longer: it is told nothing more until somebody who may chooses its events anew."""
    with transaction():
        _note(listener, stopped=True, failed_at=cp.clock(), **_told(problem))
    cp.signals.wake(f"listener:{listener.id}", f"notifications:{listener.created_by_id}")


def _waiting(listener: ListenerRecord) -> Any:
    return (DeliveryRecord.listener == listener.id) & (DeliveryRecord.outcome == "")


def _told(problem: TunesmithError) -> dict[str, Any]:
    return {"error": problem.code, "error_params": problem.storable()}


def _write(cp: ControlPlane, delivery: DeliveryRecord, **columns: Any) -> bool:
    """Inside a transaction. False if it was removed meanwhile."""
    same = (DeliveryRecord.id == delivery.id) & (DeliveryRecord.outcome == "")
    changed = {"attempts": DeliveryRecord.attempts + 1, "tried_at": cp.clock()} | columns
    return bool(DeliveryRecord.update(**changed).where(same).execute())


def _note(listener: ListenerRecord, **columns: Any) -> None:
    ListenerRecord.update(version=ListenerRecord.version + 1, **columns).where(
        ListenerRecord.id == listener.id
    ).execute()
