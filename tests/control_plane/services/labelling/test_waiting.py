"""What waits to be judged is told to whoever may judge it, and to nobody once it is judged."""

from __future__ import annotations

from collections.abc import Iterator

import data_support
import pytest
from labelling_support import PROJECT, Desk, desk, pairs

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import notifications, overview
from control_plane.services.access import identity, projects
from control_plane.services.labelling import making
from control_plane.services.things import trash
from control_plane.store.people import UserRecord


@pytest.fixture
def at(cp: ControlPlane) -> Iterator[Desk]:
    desk_ = desk(cp)
    yield desk_
    desk_.cp.labellings.close()


def waits(at: Desk, actor: Actor) -> list[int]:
    return [count for _, count in overview.of_project(actor, at.cp, PROJECT).to_judge]


def told(at: Desk, actor: Actor) -> list[str]:
    found = [one.name for one in notifications.listed(actor, at.cp) if one.kind == notifications.JUDGING]
    assert notifications.unread(actor, at.cp) == sum(one.unread for one in notifications.listed(actor, at.cp))
    return found


def test_items_wait_until_they_are_judged_and_disputed_ones_for_a_third_person(at: Desk) -> None:
    labelling = at.start(at.keep(pairs(4)), overlap=0.5)
    assert [waits(at, one) for one in (at.ada, at.ben, at.cleo)] == [[4], [4], [4]]
    assert (told(at, at.ada), told(at, at.ben)) == ([], ["faults"])  # who began it knows
    at.judge_all(at.ada, labelling, "accept", "accept", "accept", "accept")
    assert (waits(at, at.ada), waits(at, at.ben), told(at, at.ben)) == ([], [2], ["faults"])
    at.judge_all(at.ben, labelling, "reject", "accept")
    assert (waits(at, at.ada), waits(at, at.ben), waits(at, at.cleo)) == ([], [], [1])
    assert (told(at, at.ben), told(at, at.cleo)) == ([], ["faults"])
    notifications.mark_read(at.cleo, at.cp)
    assert told(at, at.cleo) == ["faults"] and notifications.unread(at.cleo, at.cp) == 0
    making.close(at.ada, at.cp, labelling.id)
    assert (waits(at, at.cleo), told(at, at.cleo)) == ([], [])


def test_only_who_may_judge_is_told(at: Desk) -> None:
    begun = at.start(at.keep(pairs(2)))
    data_support.expert(at.cp, "vic", PROJECT)
    projects.set_member(SYSTEM, at.cp, PROJECT, "vic", "Viewer")
    viewer = identity.actor_of(UserRecord.get(UserRecord.name == "vic"), "")
    stranger = data_support.expert(at.cp, "eve", "elsewhere")
    assert (waits(at, viewer), told(at, viewer), told(at, stranger)) == ([], [], [])
    woken = at.cp.signals.version(f"notifications:{at.ben.id}")
    at.start(at.keep(pairs(3)))
    assert at.cp.signals.version(f"notifications:{at.ben.id}") > woken
    trash.delete(SYSTEM, at.cp, "dataset", begun.dataset_version.dataset_id)
    assert (waits(at, at.ben), told(at, at.ben)) == ([], [])
