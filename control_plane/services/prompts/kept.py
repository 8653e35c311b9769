"""Prompts that were kept in a project, and their versions: save one, list them, find one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain import names
from control_plane.domain.errors import NotFound, PromptChanged, PromptUnknown
from control_plane.domain.permissions import Actor
from control_plane.domain.prompts import prompt as prompts
from control_plane.domain.prompts.prompt import Prompt
from control_plane.services import audit
from control_plane.services.access import projects
from control_plane.services.things.kinds import has_tag, is_kept, kept
from control_plane.store.database import transaction
from control_plane.store.projects import ProjectRecord
from control_plane.store.prompts import PromptRecord, PromptVersionRecord


@dataclass(frozen=True)
class Kept:
    """A prompt with one of its versions, mostly the newest."""

    prompt: PromptRecord
    version: PromptVersionRecord


def save(
    actor: Actor, cp: ControlPlane, project: str, name: str, said: Prompt, base: int = 0, title: str = ""
) -> tuple[Kept, bool]:
    """Keep what is said as the newest version of the prompt of this name; and whether a version was made.

    None is made where the newest says the same already. `base` is the number of the version that the author had
    before them, 0 where there was none to look at; `title` is what a new prompt is called on pages.
    Raises NotFound, Denied, NameInvalid, FieldInvalid, PromptChanged, InTrash.
    """
    place = projects.get(actor, cp, project, "prompt.change")
    names.checked(name)
    names.checked_title(title)
    with transaction():
        kept(ProjectRecord.get_by_id(place.id))
        found = _named(place.id, name)
        newest = newest_of(found.id) if found else None
        if base and newest is not None and newest.number != base:
            raise PromptChanged(number=newest.number)
        saved, made = add(actor, cp, place.id, name, said, title=title)
    if made:
        cp.signals.wake(f"project:{place.id}")
    return saved, made


def add(
    actor: Actor,
    cp: ControlPlane,
    project_id: int,
    name: str,
    said: Prompt,
    title: str = "",
    author: str = "",
    job_id: int | None = None,
    found: Mapping[str, Any] | None = None,
) -> tuple[Kept, bool]:
    """The same for a caller that has shown that it may; called inside a transaction.

    `author` is the user whose it is, if that is not the actor; `job_id` and `found` say which search it comes from, and
    what that says of it.
    """
    prompt, digest = _named(project_id, name), prompts.digest(said)
    if prompt is None:
        prompt = PromptRecord.create(
            project=project_id, name=name, title=title, created_by=author or actor.id, created_at=cp.clock()
        )
    newest = newest_of(prompt.id)
    if newest is not None and newest.hash == digest and newest.job_id == job_id:
        return Kept(prompt, newest), False
    made = PromptVersionRecord.create(
        prompt=prompt,
        number=newest.number + 1 if newest else 1,
        hash=digest,
        content=prompts.as_data(said),
        job=job_id,
        found=dict(found or {}),
        created_by=author or actor.id,
        created_at=cp.clock(),
    )
    subject = f"prompt:{prompt.id}"
    audit.record(actor, cp, "prompt.save", subject, project_id, name=name, number=made.number, hash=digest)
    return Kept(prompt, made), True


def list_prompts(actor: Actor, cp: ControlPlane, project: str, tag: str = "") -> list[Kept]:
    """The prompts of a project, or those that bear a tag, by name, each with its newest version.

    Raises NotFound, Denied.
    """
    return list_inside(projects.get(actor, cp, project, "prompt.see").id, tag)


def list_inside(project_id: int, tag: str = "") -> list[Kept]:
    """The same for a caller that has shown that it may see them."""
    newest = PromptVersionRecord.select(fn.MAX(PromptVersionRecord.id)).group_by(PromptVersionRecord.prompt)
    query = (
        PromptVersionRecord.select(PromptVersionRecord, PromptRecord)
        .join(PromptRecord)
        .where(PromptRecord.project == project_id, is_kept(PromptRecord), PromptVersionRecord.id.in_(newest))
        .order_by(PromptRecord.name)
    )
    return [Kept(one.prompt, one) for one in (query.where(has_tag(PromptRecord, tag)) if tag else query)]


def get(actor: Actor, cp: ControlPlane, prompt_id: int, permission: str = "prompt.see") -> Kept:
    """A prompt by its number. Raises NotFound, Denied, InTrash."""
    prompt: PromptRecord = projects.inside(actor, PromptRecord, prompt_id, permission)
    kept(prompt)
    newest = newest_of(prompt.id)
    if newest is None:
        raise NotFound
    return Kept(prompt, newest)


def versions(prompt: PromptRecord) -> list[PromptVersionRecord]:
    """The versions of a prompt, the newest first, for a caller that has shown that it may see it."""
    query = PromptVersionRecord.select().where(PromptVersionRecord.prompt == prompt.id)
    return list(query.order_by(PromptVersionRecord.number.desc()))


def version(actor: Actor, cp: ControlPlane, project: str, named: str) -> Kept:
    """The version called `name@3`, or the newest of `name`. Raises PromptUnknown, NotFound, Denied."""
    place = projects.get(actor, cp, project, "prompt.see")
    name, _, number = named.partition("@")
    prompt = _named(place.id, name)
    found = None
    if prompt is not None:
        found = newest_of(prompt.id) if not number else _numbered(prompt.id, number)
    if prompt is None or found is None:
        raise PromptUnknown(prompt=named[:80])
    return Kept(prompt, found)


def of_version(version_id: int) -> Kept:
    """A version by its own number, of a prompt in the trash or not: what names it names it for good."""
    found = PromptVersionRecord.get_by_id(version_id)
    return Kept(PromptRecord.get_by_id(found.prompt_id), found)


def said(version: PromptVersionRecord) -> Prompt:
    """What a version says. Of one that was deleted for good: nothing."""
    return prompts.read(version.content) if version.content else Prompt()


def newest_of(prompt_id: int) -> PromptVersionRecord | None:
    query = PromptVersionRecord.select().where(PromptVersionRecord.prompt == prompt_id)
    found: PromptVersionRecord | None = query.order_by(PromptVersionRecord.number.desc()).first()
    return found


def _named(project_id: int, name: str) -> PromptRecord | None:
    mine = (PromptRecord.project == project_id, PromptRecord.name == name, is_kept(PromptRecord))
    return PromptRecord.get_or_none(*mine)


def _numbered(prompt_id: int, number: str) -> PromptVersionRecord | None:
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    return PromptVersionRecord.get_or_none(
        PromptVersionRecord.prompt == prompt_id, PromptVersionRecord.number == int(number)
    )
