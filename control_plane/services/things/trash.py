"""The trash: deleting a thing, having it back, and deleting it for good; by itself after the days of a setting."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import NameTaken, NotInTrash, TunesmithError
from control_plane.domain.permissions import SYSTEM, Actor, require
from control_plane.services import audit, results
from control_plane.services.access import identity, projects
from control_plane.services.things import kinds, purging, uses
from control_plane.services.things.kinds import (
    DATASET,
    DEPLOYMENT,
    JOB,
    KINDS,
    MODEL,
    PROJECT,
    PROMPT,
    REWARD,
    WORKFLOW,
    is_kept,
)
from control_plane.store.database import transaction
from control_plane.store.projects import ProjectRecord

log = logging.getLogger(__name__)

MOST_LISTED = 500
PERIOD = 600.0  # seconds between two looks for what has been in the trash long enough
_DAY = 86_400.0
_MOST = 50  # things of a kind deleted for good in one look
_AT_ONCE = 20  # things of a project deleted for good in one transaction
# what serves and what rests on something goes before it
_ORDER = (DEPLOYMENT, MODEL, DATASET, JOB, WORKFLOW, PROMPT, REWARD, PROJECT)


@dataclass(frozen=True)
class Trashed:
    """Something in the trash."""

    kind: str
    thing: Any
    deleted_by: str  # a user's name; empty for the system's
    until: float  # when it is deleted for good, in seconds since the epoch; 0: never by itself


def delete(actor: Actor, cp: ControlPlane, kind: str, number: int) -> Any:
    """Put a thing into the trash, from which it can be restored; the thing as it is then.

    Raises NotFound, Denied, InTrash where it is there already; and JobUnderWay, DeploymentWanted, InUse where somebody
    still needs it.
    """
    with transaction():
        thing = kinds.kept(kinds.find(actor, kind, number, "change"))
        uses.refuse_use(thing)
        kinds.write(thing, deleted_at=cp.clock(), deleted_by=actor.id)
        audit.record(actor, cp, "thing.delete", *kinds.place_of(thing), name=thing.name)
    kinds.wake(cp, thing)
    return type(thing).get_by_id(thing.id)


def restore(actor: Actor, cp: ControlPlane, kind: str, number: int) -> Any:
    """Take a thing out of the trash; the thing as it is then.

    Raises NotFound, Denied, NotInTrash; NameTaken where something else has its name by now; NeedsTrashed and
    NeedsPurged where something that it needs is not there.
    """
    with transaction():
        thing = _in_trash(kinds.find(actor, kind, number, "change"))
        if KINDS[kind].has_names_once and _has_namesake(kind, thing):
            raise NameTaken(name=thing.name)
        uses.refuse_lacking(thing)
        kinds.write(thing, deleted_at=0.0, deleted_by="")
        audit.record(actor, cp, "thing.restore", *kinds.place_of(thing), name=thing.name)
    kinds.wake(cp, thing)
    return type(thing).get_by_id(thing.id)


def purge(actor: Actor, cp: ControlPlane, kind: str, number: int) -> None:
    """Delete for good what is in the trash; of a project, all that is in it. What was made from it still names it.

    Raises NotFound, Denied, NotInTrash.
    """
    thing = kinds.find(actor, kind, number, "see")
    require(actor, "trash.purge", kinds.project_of(thing))
    _purge(actor, cp, kind, number)


def purge_old(cp: ControlPlane) -> int:
    """Delete for good what has been in the trash for the days of the setting; how many things. Run by a tick."""
    for project in purging.begun():  # a start came in between
        _empty(cp, project)
    if cp.settings.trash_days <= 0:
        return 0
    before = cp.clock() - cp.settings.trash_days * _DAY
    purged = 0
    for kind in _ORDER:
        record: Any = KINDS[kind].record
        old = (record.deleted_at > 0.0) & (record.deleted_at <= before) & (record.purged_at == 0.0)
        if kind != PROJECT:  # what is in a project that is in the trash goes with it
            old &= record.project.in_(ProjectRecord.select(ProjectRecord.id).where(is_kept(ProjectRecord)))
        for thing in record.select(record.id).where(old).order_by(record.id).limit(_MOST):
            try:
                _purge(SYSTEM, cp, kind, thing.id)
                purged += 1
            except TunesmithError as problem:  # restored a moment ago, or the disk is full: the next look sees
                log.info("%s %s was not deleted for good: %s", kind, thing.id, problem)
    return purged


def list_trash(actor: Actor, cp: ControlPlane, project: str = "") -> list[Trashed]:
    """What is in a project's trash, of the kinds that the actor may see; without a project, the projects that are.

    The newest first, at most 500 of each kind. Raises NotFound, Denied, InTrash.
    """
    found: list[tuple[str, Any]] = []
    if project:
        place = projects.get(actor, cp, project)
        for kind in (one for one in _ORDER if one != PROJECT and actor.may(f"{one}.see", place.id)):
            record: Any = KINDS[kind].record
            found += [(kind, thing) for thing in _deleted(record).where(record.project == place.id)]
    else:
        deleted = _deleted(KINDS[PROJECT].record)
        found = [(PROJECT, one) for one in deleted if actor.may("project.change", one.id)]
    names = results.owners_of({thing.deleted_by for _, thing in found})
    listed = [Trashed(kind, thing, names.get(thing.deleted_by, ""), _until(cp, thing)) for kind, thing in found]
    return sorted(listed, key=lambda one: -one.thing.deleted_at)


def look(actor: Actor, cp: ControlPlane, kind: str, number: int) -> Trashed:
    """One thing in the trash. Raises NotFound, Denied, NotInTrash."""
    thing = _in_trash(kinds.find(actor, kind, number, "see"))
    names = results.owners_of({thing.deleted_by})
    return Trashed(kind, thing, names.get(thing.deleted_by, ""), _until(cp, thing))


def _deleted(record: Any) -> Any:
    query = record.select().where(record.deleted_at > 0.0, record.purged_at == 0.0)
    return query.order_by(record.deleted_at.desc(), record.id.desc()).limit(MOST_LISTED)


def _until(cp: ControlPlane, thing: Any) -> float:
    days = cp.settings.trash_days
    return float(thing.deleted_at + days * _DAY) if days > 0 else 0.0


def _in_trash(thing: Any) -> Any:
    if not thing.deleted_at:
        raise NotInTrash(name=thing.label)
    return thing


def _has_namesake(kind: str, thing: Any) -> bool:
    record: Any = KINDS[kind].record
    named = record.select().where(record.name == thing.name, is_kept(record))
    return bool((named if kind == PROJECT else named.where(record.project == thing.project_id)).exists())


def _purge(actor: Actor, cp: ControlPlane, kind: str, number: int) -> None:
    """Files go by the next collections of garbage, which look for what nothing names."""
    with transaction():
        thing = _in_trash(kinds.find(actor, kind, number, "see"))
        inside = purging.count_inside(thing) if kind == PROJECT else 0
        gone = purging.project_itself(cp, thing) if kind == PROJECT else purging.content_of(cp, thing)
        audit.record(actor, cp, "thing.purge", *kinds.place_of(thing), name=thing.name, count=inside + 1)
    purging.remove_logs(cp, gone.attempts)
    for user_id in gone.members:
        identity.changed(cp, user_id)
    kinds.wake(cp, thing)
    if kind == PROJECT:
        _empty(cp, thing)


def _empty(cp: ControlPlane, project: Any) -> None:
    """Take away what is in a project that nobody sees any more, a few things at a time: others write in between."""
    while True:
        with transaction():
            gone = purging.content_inside(cp, project, _AT_ONCE)
        purging.remove_logs(cp, gone.attempts)
        if not gone.things:
            return
