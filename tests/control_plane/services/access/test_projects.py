"""Projects are isolated from each other, and the roles decide."""

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, FieldInvalid, NameInvalid, NameTaken, NotFound
from control_plane.domain.permissions import DEVELOPER, OWNER, SYSTEM, VIEWER, Actor, Role
from control_plane.services.access import identity, projects
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord


def person(cp: ControlPlane, name: str, **roles: Role) -> Actor:
    user = UserRecord.create(name=name, created_at=cp.clock())
    for project, role in roles.items():
        MemberRecord.create(project=projects.get(SYSTEM, cp, project), user=user, role=role.name)
    return identity.actor_of(user, "")


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
    projects.set_member(ann, cp, "pumps", "dan", VIEWER.name)
    projects.set_member(ann, cp, "pumps", "dan", DEVELOPER.name)
    listed = [(user.name, role) for user, role in projects.members(ann, cp, "pumps")]
    assert listed == [("ann", "Owner"), ("dan", "Developer"), ("vic", "Viewer")]
    with pytest.raises(Denied):
        projects.set_member(vic, cp, "pumps", "vic", OWNER.name)
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
