"""Signing in, one-time links, API tokens and the bootstrap file."""

import json
import stat

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Denied,
    FieldInvalid,
    LinkExpired,
    NameInvalid,
    NameTaken,
    NotFound,
    NotSignedIn,
    PasswordTooShort,
    TokenRefused,
    TooMany,
    WrongPassword,
)
from control_plane.domain.permissions import OWNER, Actor
from control_plane.services.access import people, projects
from control_plane.store.audit import AuditRecord
from control_plane.store.people import UserRecord
from support import FakeClock

PASSWORD = "correct horse battery"


def bootstrap(cp: ControlPlane) -> dict[str, str]:
    return json.loads((cp.settings.data / "bootstrap.json").read_text())


def first_link(cp: ControlPlane) -> str:
    link = people.first_start(cp)
    assert link is not None
    return link.rsplit("/", 1)[1]


@pytest.fixture
def admin(cp: ControlPlane) -> Actor:
    secret = people.redeem_link(cp, first_link(cp), PASSWORD, "")
    return people.actor_of_session(cp, secret, "10.0.0.1")


def test_first_start_leaves_a_private_file_with_a_working_token(cp: ControlPlane) -> None:
    link = people.first_start(cp)
    assert link is not None and link.startswith("http://127.0.0.1:8420/welcome/")
    path = cp.settings.data / "bootstrap.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = bootstrap(cp)
    assert content["api_address"] == "127.0.0.1:8421"
    actor = people.actor_of_token(cp, content["token"], "")
    assert (actor.name, actor.administrator) == ("local", True)
    assert [project.name for project in projects.list_projects(actor, cp)] == ["default"]


def test_restart_before_the_first_password_renews_the_link_and_keeps_the_token(cp: ControlPlane) -> None:
    old, token = first_link(cp), bootstrap(cp)["token"]
    new = first_link(cp)
    assert bootstrap(cp)["token"] == token
    with pytest.raises(LinkExpired):
        people.link_user(cp, old)
    assert people.link_user(cp, new).name == "admin"
    assert [user.name for user in UserRecord.select().order_by(UserRecord.id)] == ["admin", "local"]


def test_first_password_ends_the_set_up_and_leaves_the_data_folders_owner_in(cp: ControlPlane) -> None:
    secret, token = first_link(cp), bootstrap(cp)["token"]
    session = people.redeem_link(cp, secret, PASSWORD, "10.0.0.1")
    admin = people.actor_of_session(cp, session, "")
    assert (admin.name, [role.name for role in admin.roles.values()]) == ("admin", [OWNER.name])
    assert people.first_start(cp) is None
    assert bootstrap(cp)["token"] == token
    assert people.actor_of_token(cp, token, "").name == "local"
    with pytest.raises(LinkExpired):
        people.redeem_link(cp, secret, PASSWORD, "")


def test_short_password_leaves_the_link_usable(cp: ControlPlane) -> None:
    secret = first_link(cp)
    with pytest.raises(PasswordTooShort):
        people.redeem_link(cp, secret, "short", "")
    assert people.redeem_link(cp, secret, PASSWORD, "")


def test_link_expires(cp: ControlPlane, clock: FakeClock) -> None:
    secret = first_link(cp)
    clock.advance(cp.settings.setup_link_seconds)
    with pytest.raises(LinkExpired):
        people.redeem_link(cp, secret, PASSWORD, "")


def test_sign_in_and_out(cp: ControlPlane, admin: Actor) -> None:
    secret = people.sign_in(cp, "admin", PASSWORD, "10.0.0.1")
    actor = people.actor_of_session(cp, secret, "10.0.0.1")
    assert people.user(actor, cp).name == "admin"
    people.sign_out(actor, cp, secret)
    with pytest.raises(NotSignedIn):
        people.actor_of_session(cp, secret, "")


@pytest.mark.parametrize(("name", "password"), [("admin", "wrong password"), ("nobody", PASSWORD), ("admin", "")])
def test_wrong_password_and_unknown_name_answer_alike(cp: ControlPlane, admin: Actor, name: str, password: str) -> None:
    with pytest.raises(WrongPassword):
        people.sign_in(cp, name, password, "10.0.0.1")
    entry = AuditRecord.get(AuditRecord.action == "session.refused")
    # a name that nobody has may be a password in the wrong field
    assert (entry.actor_name, entry.address) == (name if name == "admin" else "", "10.0.0.1")
    assert password not in str(entry.__data__) or not password


def test_many_wrong_passwords_make_the_address_wait(cp: ControlPlane, admin: Actor, clock: FakeClock) -> None:
    for number in range(10):
        with pytest.raises(WrongPassword):
            people.sign_in(cp, f"user-{number}", "wrong", "10.0.0.9")
    with pytest.raises(TooMany):
        people.sign_in(cp, "admin", PASSWORD, "10.0.0.9")
    assert people.sign_in(cp, "admin", PASSWORD, "10.0.0.1")
    clock.advance(301)
    assert people.sign_in(cp, "admin", PASSWORD, "10.0.0.9")


def test_session_expires_and_is_cleaned(cp: ControlPlane, admin: Actor, clock: FakeClock) -> None:
    secret = people.sign_in(cp, "admin", PASSWORD, "")
    clock.advance(cp.settings.session_seconds)
    with pytest.raises(NotSignedIn):
        people.actor_of_session(cp, secret, "")
    assert people.clean_sessions(cp) >= 2


def test_invited_user_has_no_rights_until_a_project_gives_them(cp: ControlPlane, admin: Actor) -> None:
    secret = people.invite(admin, cp, "erin", "Erin", administrator=False).rsplit("/", 1)[1]
    erin = people.actor_of_session(cp, people.redeem_link(cp, secret, PASSWORD, ""), "")
    assert projects.list_projects(erin, cp) == []
    with pytest.raises(Denied):
        people.invite(erin, cp, "mallory", "", administrator=True)
    with pytest.raises(Denied):
        people.list_users(erin, cp)
    with pytest.raises(NameTaken):
        people.invite(admin, cp, "erin", "", administrator=False)
    with pytest.raises(NameInvalid):
        people.invite(admin, cp, "Erin Smith", "", administrator=False)


def test_tokens_are_shown_once_expire_and_can_be_revoked(cp: ControlPlane, admin: Actor, clock: FakeClock) -> None:
    token, record = people.create_token(admin, cp, "nightly", 3600.0)
    assert token.startswith("tsk_") and token not in str(record.__data__)
    assert people.actor_of_token(cp, token, "").name == "admin"
    people.revoke_token(admin, cp, record.id)
    with pytest.raises(TokenRefused):
        people.actor_of_token(cp, token, "")
    with pytest.raises(NotFound):
        people.revoke_token(admin, cp, record.id)
    other, _ = people.create_token(admin, cp, "weekly", 3600.0)
    clock.advance(3600)
    with pytest.raises(TokenRefused):
        people.actor_of_token(cp, other, "")
    with pytest.raises(FieldInvalid):
        people.create_token(admin, cp, "forever", 1e12)


def test_token_of_a_user_who_left_is_refused(cp: ControlPlane, admin: Actor) -> None:
    token, _ = people.create_token(admin, cp, "nightly")
    UserRecord.update(active=False).execute()
    with pytest.raises(NotSignedIn):
        people.actor_of_token(cp, token, "")
