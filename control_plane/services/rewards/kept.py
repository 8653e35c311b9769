"""Rewards of a project and their versions: save one, list them, find one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import fn

from control_plane.context import ControlPlane
from control_plane.domain.errors import RewardChanged, RewardUnknown
from control_plane.domain.names import checked, checked_title
from control_plane.domain.permissions import Actor
from control_plane.domain.rewards.document import digest
from control_plane.services import audit
from control_plane.services.access import projects
from control_plane.services.rewards import documents
from control_plane.services.things.kinds import has_tag, is_kept, kept
from control_plane.store.database import transaction
from control_plane.store.projects import ProjectRecord
from control_plane.store.rewards import RewardRecord, RewardVersionRecord


@dataclass(frozen=True)
class Kept:
    """A reward with one of its versions."""

    reward: RewardRecord
    version: RewardVersionRecord

    @property
    def checks(self) -> list[dict[str, Any]]:
        """What a method's parameter for checks takes."""
        return list(self.version.document.get("checks", []))


def save(
    actor: Actor,
    cp: ControlPlane,
    project: str,
    name: str,
    document: str | Mapping[str, Any] | Sequence[Any],
    title: str = "",
    base: int = 0,
) -> RewardVersionRecord:
    """Keep a document as the newest version of the reward of this name; the newest there is where it says the same.

    A title is taken where one is given. `base` is the number of the version that the author had before them, 0 where
    there was none to look at. Raises NotFound, Denied, NameInvalid, FieldInvalid, RewardInvalid, RewardChanged.
    """
    place = projects.get(actor, cp, project, "reward.change")
    read, called = documents.read(cp, document), checked_title(title.strip())
    with transaction():
        kept(ProjectRecord.get_by_id(place.id))
        reward = _named(place.id, checked(name))
        newest = _newest(reward.id) if reward else None
        if base and newest is not None and newest.number != base:
            raise RewardChanged(number=newest.number)
        if reward is None:
            reward = RewardRecord.create(project=place, name=name, created_by=actor.id, created_at=cp.clock())
        is_titled = bool(called) and called != reward.title
        if is_titled:
            RewardRecord.update(title=called).where(RewardRecord.id == reward.id).execute()
        is_same = newest is not None and newest.hash == digest(read)
        if newest is None or not is_same:
            newest = RewardVersionRecord.create(
                reward=reward,
                number=newest.number + 1 if newest else 1,
                hash=digest(read),
                document=read,
                created_by=actor.id,
                created_at=cp.clock(),
            )
        if is_titled or not is_same:
            facts = {"name": reward.name, "number": newest.number, "hash": newest.hash}
            audit.record(actor, cp, "reward.save", f"reward:{reward.id}", place.id, **facts)
    cp.signals.wake(f"project:{place.id}")
    return newest


def list_rewards(actor: Actor, cp: ControlPlane, project: str, tag: str = "") -> list[Kept]:
    """The rewards of a project, or those that bear a tag, by name, each with its newest version.

    Raises NotFound, Denied.
    """
    place = projects.get(actor, cp, project, "reward.see")
    newest = RewardVersionRecord.select(fn.MAX(RewardVersionRecord.id)).group_by(RewardVersionRecord.reward)
    query = (
        RewardVersionRecord.select(RewardVersionRecord, RewardRecord)
        .join(RewardRecord)
        .where(RewardRecord.project == place.id, is_kept(RewardRecord), RewardVersionRecord.id.in_(newest))
        .order_by(RewardRecord.name)
    )
    return [Kept(one.reward, one) for one in (query.where(has_tag(RewardRecord, tag)) if tag else query)]


def get(actor: Actor, cp: ControlPlane, project: str, named: str, permission: str = "reward.see") -> Kept:
    """The version called `name@3`, or the newest of `name`. Raises RewardUnknown, NotFound, Denied, InTrash."""
    place = projects.get(actor, cp, project, permission)
    name, _, number = named.partition("@")
    reward = _named(place.id, name) or _in_trash(place.id, name)
    if reward is None:
        raise RewardUnknown(reward=named[:80])
    kept(reward)
    found = _numbered(reward.id, number) if number else _newest(reward.id)
    if found is None:
        raise RewardUnknown(reward=named[:80])
    return Kept(reward, found)


def versions(reward: RewardRecord) -> list[RewardVersionRecord]:
    """The versions of a reward, the newest first. The caller has shown that it may see it."""
    query = RewardVersionRecord.select().where(RewardVersionRecord.reward == reward.id)
    return list(query.order_by(RewardVersionRecord.number.desc()))


def _named(project_id: int, name: str) -> RewardRecord | None:
    mine = (RewardRecord.project == project_id, RewardRecord.name == name, is_kept(RewardRecord))
    return RewardRecord.get_or_none(*mine)


def _in_trash(project_id: int, name: str) -> RewardRecord | None:
    deleted = (RewardRecord.deleted_at > 0.0) & (RewardRecord.purged_at == 0.0)
    query = RewardRecord.select().where(RewardRecord.project == project_id, RewardRecord.name == name, deleted)
    found: RewardRecord | None = query.order_by(RewardRecord.deleted_at.desc()).first()
    return found


def _newest(reward_id: int) -> RewardVersionRecord | None:
    query = RewardVersionRecord.select().where(RewardVersionRecord.reward == reward_id)
    found: RewardVersionRecord | None = query.order_by(RewardVersionRecord.number.desc()).first()
    return found


def _numbered(reward_id: int, number: str) -> RewardVersionRecord | None:
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        return None
    mine = (RewardVersionRecord.reward == reward_id, RewardVersionRecord.number == int(number))
    return RewardVersionRecord.get_or_none(*mine)
