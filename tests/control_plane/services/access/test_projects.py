"""Projects are isolated from each other, and the roles decide."""

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, FieldInvalid, NameInvalid, NameTaken, NotFound
from control_plane.domain.permissions import DEVELOPER, OWNER, SYSTEM, VIEWER, Actor
from control_plane.services.access import projects
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord


def person(cp: ControlPlane, name: str, **roles: str) -> Actor:
    user = UserRecord.create(name=name, created_at=cp.clock())
    ids = {projects.get(SYSTEM, cp, project).id: role for project, role in roles.items()}
    for project_id, role in ids.items():
        MemberRecord.create(project=project_id, user=user, role=role)
    return Actor(kind="user", id=str(user.id), name=name, roles=ids)


@pytest.fixture(autouse=True)
def two_projects(cp: ControlPlane) -> None:
    projects.create(SYSTEM, cp, "pumps", "Pumps")
    projects.create(SYSTEM, cp, "turbines", "")


def test_a_foreign_project_does_not_exist(cp: ControlPlane) -> None:
    ann = person(cp, "ann", pumps=OWNER)
    assert [project.name for project in projects.list_projects(ann, cp)] == ["pumps"]
    foreign = projects.get(SYSTEM, cp, "turbines")
    for look in (lambda: projects.get(ann, cp, "turbines"), lambda: projects.of_id(ann, cp, foreign.id)):
        with pytest.raises(NotFound):
            look()
    with pytest.raises(NotFound):
        projects.get(ann, cp, "no-such")


def test_owner_changes_members_and_viewer_does_not(cp: ControlPlane) -> None:
    ann, vic = person(cp, "ann", pumps=OWNER), person(cp, "vic", pumps=VIEWER)
    person(cp, "dan")
    projects.set_member(ann, cp, "pumps", "dan", VIEWER)
    projects.set_member(ann, cp, "pumps", "dan", DEVELOPER)
    listed = [(user.name, role) for user, role in projects.members(ann, cp, "pumps")]
    assert listed == [("ann", OWNER), ("dan", DEVELOPER), ("vic", VIEWER)]
    with pytest.raises(Denied):
        projects.set_member(vic, cp, "pumps", "vic", OWNER)
    projects.remove_member(ann, cp, "pumps", "dan")
    with pytest.raises(NotFound):
        projects.remove_member(ann, cp, "pumps", "dan")
    with pytest.raises(FieldInvalid):
        projects.set_member(ann, cp, "pumps", "dan", "Emperor")


def test_only_administrators_create_and_names_are_unique(cp: ControlPlane) -> None:
    with pytest.raises(Denied):
        projects.create(person(cp, "ann", pumps=OWNER), cp, "mine", "")
    with pytest.raises(NameTaken):
        projects.create(SYSTEM, cp, "pumps", "")
    with pytest.raises(NameInvalid):
        projects.create(SYSTEM, cp, "../pumps", "")
