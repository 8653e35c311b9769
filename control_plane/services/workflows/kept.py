"""Workflows that were kept in a project, and their versions: save one, list them, find one."""

from __future__ import annotations

from dataclasses import dataclass

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.errors import NotFound, WorkflowChanged, WorkflowUnknown
from control_plane.domain.permissions import Actor
from control_plane.domain.workflows import spec as specs
from control_plane.services import audit
from control_plane.services.access import projects
from control_plane.services.things.kinds import has_tag, is_kept, kept
from control_plane.services.workflows import texts
from control_plane.store.database import transaction
from control_plane.store.projects import ProjectRecord
from control_plane.store.workflows import WorkflowRecord, WorkflowVersionRecord


@dataclass(frozen=True)
class Kept:
    """A workflow with its newest version."""

    workflow: WorkflowRecord
    version: WorkflowVersionRecord


def save(actor: Actor, cp: ControlPlane, project: str, text: str, base: int = 0) -> tuple[Kept, bool]:
    """Keep what a text says as the newest version of the workflow that it names; and whether a version was made.

    None is made where the newest says the same already. `base` is the number of the version that the author had
    before them, 0 where there was none to look at. Raises NotFound, Denied, WorkflowInvalid, WorkflowChanged.
    """
    place = projects.get(actor, cp, project, "workflow.change")
    read = texts.read(text)
    digest = specs.digest(read.spec)
    with transaction():
        kept(ProjectRecord.get_by_id(place.id))
        workflow = _named(place.id, read.spec.name)
        newest = _newest(workflow.id) if workflow else None
        if base and newest is not None and newest.number != base:
            raise WorkflowChanged(number=newest.number)
        if workflow is not None and newest is not None and newest.hash == digest:
            return Kept(workflow, newest), False
        if workflow is None:
            workflow = WorkflowRecord.create(
                project=place, name=read.spec.name, created_by=actor.id, created_at=cp.clock()
            )
        made = WorkflowVersionRecord.create(
            workflow=workflow,
            number=newest.number + 1 if newest else 1,
            hash=digest,
            text=text.replace("\r\n", "\n"),
            spec=specs.as_data(read.spec),
            created_by=actor.id,
            created_at=cp.clock(),
        )
        WorkflowRecord.update(title=read.spec.title, description=read.spec.description).where(
            WorkflowRecord.id == workflow.id
        ).execute()
        subject = f"workflow:{workflow.id}"
        audit.record(actor, cp, "workflow.save", subject, place.id, name=workflow.name, number=made.number, hash=digest)
    cp.signals.wake(f"project:{place.id}")
    return Kept(WorkflowRecord.get_by_id(workflow.id), made), True


def list_workflows(actor: Actor, cp: ControlPlane, project: str, tag: str = "") -> list[Kept]:
    """The workflows of a project, or those that bear a tag, by name, each with its newest version.

    Raises NotFound, Denied.
    """
    place = projects.get(actor, cp, project, "workflow.see")
    newest = WorkflowVersionRecord.select(fn.MAX(WorkflowVersionRecord.id)).group_by(WorkflowVersionRecord.workflow)
    query = (
        WorkflowVersionRecord.select(WorkflowVersionRecord, WorkflowRecord)
        .join(WorkflowRecord)
        .where(WorkflowRecord.project == place.id, is_kept(WorkflowRecord), WorkflowVersionRecord.id.in_(newest))
        .order_by(WorkflowRecord.name)
    )
    return [Kept(one.workflow, one) for one in (query.where(has_tag(WorkflowRecord, tag)) if tag else query)]


def get(actor: Actor, cp: ControlPlane, workflow_id: int, permission: str = "workflow.see") -> Kept:
    """A workflow by its number. Raises NotFound, Denied, InTrash."""
    workflow: WorkflowRecord = projects.inside(actor, WorkflowRecord, workflow_id, permission)
    kept(workflow)
    newest = _newest(workflow.id)
    if newest is None:
        raise NotFound
    return Kept(workflow, newest)


def versions(actor: Actor, cp: ControlPlane, workflow_id: int) -> list[WorkflowVersionRecord]:
    """The versions of a workflow, the newest first. Raises NotFound, Denied, InTrash."""
    return versions_of(get(actor, cp, workflow_id).workflow)


def versions_of(workflow: WorkflowRecord) -> list[WorkflowVersionRecord]:
    """The same, for a caller that has shown that it may see the workflow."""
    query = WorkflowVersionRecord.select().where(WorkflowVersionRecord.workflow == workflow.id)
    return list(query.order_by(WorkflowVersionRecord.number.desc()))


def version(actor: Actor, cp: ControlPlane, project: str, named: str) -> WorkflowVersionRecord:
    """The version called `name@3`, or the newest of `name`. Raises WorkflowUnknown, NotFound, Denied, InTrash."""
    place = projects.get(actor, cp, project, "workflow.see")
    name, _, number = named.partition("@")
    workflow = _named(place.id, name) or _in_trash(place.id, name)
    if workflow is None:
        raise WorkflowUnknown(workflow=named[:80])
    kept(workflow)
    found = _newest(workflow.id) if not number else _numbered(workflow.id, number)
    if found is None:
        raise WorkflowUnknown(workflow=named[:80])
    return found


def read(found: WorkflowVersionRecord) -> texts.Read:
    """What a version says, in its author's order, and where its parts stand."""
    return texts.read(str(found.text))


def of_version(found: WorkflowVersionRecord) -> WorkflowRecord:
    """The workflow of a version, in the trash or not: runs name it for good."""
    workflow: WorkflowRecord = WorkflowRecord.get_by_id(found.workflow_id)
    return workflow


def _named(project_id: int, name: str) -> WorkflowRecord | None:
    mine = (WorkflowRecord.project == project_id, WorkflowRecord.name == name, is_kept(WorkflowRecord))
    return WorkflowRecord.get_or_none(*mine)


def _in_trash(project_id: int, name: str) -> WorkflowRecord | None:
    deleted = (WorkflowRecord.deleted_at > 0.0) & (WorkflowRecord.purged_at == 0.0)
    query = WorkflowRecord.select().where(WorkflowRecord.project == project_id, WorkflowRecord.name == name, deleted)
    found: WorkflowRecord | None = query.order_by(WorkflowRecord.deleted_at.desc()).first()
    return found


def _newest(workflow_id: int) -> WorkflowVersionRecord | None:
    query = WorkflowVersionRecord.select().where(WorkflowVersionRecord.workflow == workflow_id)
    found: WorkflowVersionRecord | None = query.order_by(WorkflowVersionRecord.number.desc()).first()
    return found


def _numbered(workflow_id: int, number: str) -> WorkflowVersionRecord | None:
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    return WorkflowVersionRecord.get_or_none(
        WorkflowVersionRecord.workflow == workflow_id, WorkflowVersionRecord.number == int(number)
    )
