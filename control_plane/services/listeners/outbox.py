"""What happened, written down for the listeners in the transaction in which it happened.

So an event is told if and only if what it tells was committed, whatever is killed in between. What sends the rows is
`delivering.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from control_plane import wording
from control_plane.context import ControlPlane
from control_plane.domain.listeners import events
from control_plane.services.access import credentials
from control_plane.services.things.kinds import is_kept
from control_plane.store.listeners import DeliveryRecord, ListenerRecord
from control_plane.store.projects import ProjectRecord


def tell(
    cp: ControlPlane,
    event: str,
    project_id: int | None,
    subject: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    why: tuple[str, Mapping[str, Any]] = ("", {}),
    once_in: float = 0.0,
) -> int:
    """Write an event down for each listener that wants it; how many. Called inside the transaction of what happened.

    `subject` is what it is about: its kind, id, name and, where it has one, title. `data` is what else there is to say
    of the event, `why` an error's code with its parameters. Without a project, every project's listeners are told.
    `once_in` is for what lasts: a listener that was told the same of the subject within so many seconds is not told
    again. Nothing of it may be secret.
    """
    written, number = 0, fresh_number()
    for listener in _wanting(event, project_id):
        if once_in and _was_told(listener, event, _about(subject), cp.clock() - once_in):
            continue
        write(cp, listener, event, number, subject, data or {}, why)
        written += 1
    return written


def write(
    cp: ControlPlane,
    listener: ListenerRecord,
    event: str,
    number: str,
    subject: Mapping[str, Any],
    data: Mapping[str, Any],
    why: tuple[str, Mapping[str, Any]] = ("", {}),
) -> DeliveryRecord:
    """An event for one listener, in its language."""
    code, params = why
    said = wording.happened(event, {**data, **subject, "name": _name(subject)}, listener.language)
    if code:
        said = f"{said} {wording.briefly(code, params, listener.language)}"
    project: ProjectRecord = ProjectRecord.get_by_id(listener.project_id)
    now = cp.clock()
    told = events.payload(
        event,
        number,
        now,
        {"name": project.name, "title": project.label},
        subject,
        said,
        credentials.web_url(cp),
        {**data, **({"reason": code} if code else {})},
    )
    return DeliveryRecord.create(
        listener=listener, event=event, about=_about(subject), payload=told, next_at=now, created_at=now
    )


def fresh_number() -> str:
    """The number of an event: the same in each delivery of it, by which a receiver knows one that comes twice."""
    return uuid.uuid4().hex


def _wanting(event: str, project_id: int | None) -> list[ListenerRecord]:
    of = ListenerRecord.select().where(ListenerRecord.stopped == False)  # noqa: E712
    if project_id is not None:
        of = of.where(ListenerRecord.project == project_id)
    else:
        of = of.where(ListenerRecord.project.in_(ProjectRecord.select(ProjectRecord.id).where(is_kept(ProjectRecord))))
    return [listener for listener in of if event in listener.events]


def _was_told(listener: ListenerRecord, event: str, about: str, since: float) -> bool:
    same = (DeliveryRecord.event == event) & (DeliveryRecord.about == about) & (DeliveryRecord.created_at > since)
    return bool(DeliveryRecord.select().where(DeliveryRecord.listener == listener.id, same).exists())


def _about(subject: Mapping[str, Any]) -> str:
    return f"{subject['kind']}:{subject['id']}"


def _name(subject: Mapping[str, Any]) -> str:
    return str(subject.get("title") or subject["name"])
