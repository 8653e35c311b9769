"""One way to become an actor, and roles that are rows."""

from dataclasses import replace

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied
from control_plane.domain.permissions import BUILT_IN_ROLES, EXPERT, PERMISSIONS, SYSTEM, Actor
from control_plane.services.access import credentials, identity, people, projects
from control_plane.store.database import transaction
from control_plane.store.people import UserRecord
from control_plane.store.roles import RoleRecord


@pytest.fixture
def ada(cp: ControlPlane) -> UserRecord:
    """An expert of the project "lab"."""
    projects.create(SYSTEM, cp, "lab", "")
    people.invite(SYSTEM, cp, "ada", "Ada", administrator=False)
    projects.set_member(SYSTEM, cp, "lab", "ada", "Expert")
    return UserRecord.get(UserRecord.name == "ada")


def test_a_session_a_token_and_a_workflow_run_speak_for_the_same_actor(cp: ControlPlane, ada: UserRecord) -> None:
    with transaction():
        secret = credentials.new_session(cp, ada)
        token, _ = credentials.new_token(cp, ada, "script", 60.0)
    here = people.actor_of_session(cp, secret, "10.0.0.1")
    assert here == identity.actor_of(ada, "10.0.0.1")
    assert list(here.roles.values()) == [EXPERT]
    assert people.actor_of_token(cp, token, "10.0.0.1") == here
    (lab,) = here.roles
    assert identity.acting_for(int(ada.id), "job.submit", lab) == replace(here, address="")


def test_the_built_in_roles_are_rows_made_from_the_table(cp: ControlPlane) -> None:
    assert identity.role_names() == [role.name for role in BUILT_IN_ROLES]
    for role in BUILT_IN_ROLES:
        row = RoleRecord.get(RoleRecord.name == role.name)
        assert (frozenset(row.permissions), row.built_in) == (role.permissions, True)
        assert role.permissions <= set(PERMISSIONS)


def test_a_role_of_ones_own_allows_what_its_row_says(cp: ControlPlane, ada: UserRecord) -> None:
    RoleRecord.create(name="Auditor", permissions=["project.see", "audit.see"])
    projects.set_member(SYSTEM, cp, "lab", "ada", "Auditor")
    auditor = identity.actor_of(ada, "")
    assert projects.get(auditor, cp, "lab", "audit.see").name == "lab"
    with pytest.raises(Denied):
        projects.get(auditor, cp, "lab", "job.see")
    assert identity.role_names()[-1] == "Auditor"


def test_what_nobody_granted_is_denied_and_what_does_not_exist_is_a_mistake() -> None:
    nobody = Actor(kind="user", id="1", name="eve")
    assert not any(nobody.may(permission) or nobody.may(permission, 1) for permission in PERMISSIONS)
    with pytest.raises(KeyError):
        SYSTEM.may("job.sea")
