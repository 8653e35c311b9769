"""Giving a thing a title, a description and tags. Its name stays: addresses and programs go by that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.names import checked_description, checked_tags, checked_title
from control_plane.domain.permissions import Actor
from control_plane.services import audit
from control_plane.services.things import kinds
from control_plane.store.database import transaction


def describe(
    actor: Actor,
    cp: ControlPlane,
    kind: str,
    number: int,
    title: str | None = None,
    description: str | None = None,
    tags: Iterable[str] | None = None,
) -> Any:
    """Change of a thing what is given; with an empty title it is called by its name. The thing as it is then.

    Raises NotFound, InTrash, Denied, FieldInvalid.
    """
    wanted: dict[str, Any] = {}
    if title is not None:
        wanted["title"] = checked_title(title.strip())
    if description is not None:
        wanted["description"] = checked_description(description)
    if tags is not None:
        wanted["tags"] = checked_tags(tags)
    with transaction():
        thing = kinds.kept(kinds.find(actor, kind, number, "change"))
        changed = {name: value for name, value in wanted.items() if getattr(thing, name) != value}
        if changed:
            kinds.write(thing, **changed)
            said = {"name": thing.name, "changed": sorted(changed), "title": changed.get("title", thing.title)}
            audit.record(actor, cp, "thing.describe", *kinds.place_of(thing), **said)
    kinds.wake(cp, thing)
    return type(thing).get_by_id(thing.id)
