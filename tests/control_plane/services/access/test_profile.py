"""One's own account: the name, the language, and a password that only who knows it changes."""

from __future__ import annotations

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    FieldInvalid,
    LinkExpired,
    NotSignedIn,
    OldPasswordWrong,
    PasswordTooShort,
    TooMany,
    WrongPassword,
)
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services.access import accounts, passwords, people, profile
from control_plane.store.audit import AuditRecord
from control_plane.store.people import UserRecord
from support import FakeClock

OLD, NEW = "correct horse battery", "a quite different sentence"
HERE = "10.0.0.1"


@pytest.fixture
def here(cp: ControlPlane) -> str:
    """The secret of a session of ada's."""
    link = people.invite(SYSTEM, cp, "ada", "Ada", administrator=False)
    return people.redeem_link(cp, link.rsplit("/", 1)[1], OLD, HERE)


@pytest.fixture
def ada(cp: ControlPlane, here: str) -> Actor:
    return people.actor_of_session(cp, here, HERE)


def test_another_password_ends_the_other_sessions_and_open_links(cp: ControlPlane, ada: Actor, here: str) -> None:
    elsewhere = people.sign_in(cp, "ada", OLD, "10.0.0.2")
    token, _ = people.create_token(ada, cp, "script")
    link = accounts.create_link(SYSTEM, cp, "ada").rsplit("/", 1)[1]
    profile.change_password(ada, cp, OLD, NEW, keep=here)
    assert people.actor_of_session(cp, here, HERE).name == "ada"
    with pytest.raises(NotSignedIn):
        people.actor_of_session(cp, elsewhere, "")
    with pytest.raises(LinkExpired):
        people.link_user(cp, link)
    with pytest.raises(WrongPassword):
        people.sign_in(cp, "ada", OLD, HERE)
    assert people.sign_in(cp, "ada", NEW, HERE)
    assert people.actor_of_token(cp, token, "").name == "ada"
    told = [one.__data__ for one in AuditRecord.select().where(AuditRecord.action == "user.password_change")]
    assert len(told) == 1 and OLD not in str(told) and NEW not in str(told)


def test_a_wrong_one_changes_nothing_and_is_slowed_down_like_signing_in(
    cp: ControlPlane, ada: Actor, clock: FakeClock
) -> None:
    kept = UserRecord.get_by_id(int(ada.id)).password_hash
    for _ in range(10):
        with pytest.raises(OldPasswordWrong):
            profile.change_password(ada, cp, "a guess", NEW)
    with pytest.raises(TooMany):
        profile.change_password(ada, cp, OLD, NEW)
    with pytest.raises(TooMany):  # the same count as at the door
        people.sign_in(cp, "ada", OLD, HERE)
    assert UserRecord.get_by_id(int(ada.id)).password_hash == kept
    assert AuditRecord.select().where(AuditRecord.action == "user.password_refused").count() == 10
    clock.advance(301)
    profile.change_password(ada, cp, OLD, NEW)


def test_one_that_is_no_password_costs_no_hash(cp: ControlPlane, ada: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", None)
    with pytest.raises(PasswordTooShort):
        profile.change_password(ada, cp, OLD, "short")
    with pytest.raises(FieldInvalid):
        profile.change_password(ada, cp, OLD, "x" * 1_001)


def test_whoever_has_no_password_cannot_make_one_up(cp: ControlPlane) -> None:
    people.first_start(cp)
    local = UserRecord.get(UserRecord.name == "local")
    actor = Actor(kind="user", id=str(local.id), name="local", administrator=True)
    with pytest.raises(OldPasswordWrong):
        profile.change_password(actor, cp, "", NEW)


def test_signing_out_everywhere_else(cp: ControlPlane, ada: Actor, here: str) -> None:
    elsewhere = people.sign_in(cp, "ada", OLD, "10.0.0.2")
    profile.sign_out_others(ada, cp, here)
    assert people.actor_of_session(cp, here, HERE).name == "ada"
    with pytest.raises(NotSignedIn):
        people.actor_of_session(cp, elsewhere, "")
    assert AuditRecord.get(AuditRecord.action == "session.close_all").details == {"name": "ada", "sessions": 1}


def test_name_and_language(cp: ControlPlane, ada: Actor) -> None:
    profile.change(ada, cp, "Ada Lovelace", "de")
    me = people.user(ada, cp)
    assert (me.title, me.language) == ("Ada Lovelace", "de")
    entry = AuditRecord.get(AuditRecord.action == "user.profile")
    assert entry.details == {"title": "Ada Lovelace", "language": "de"}
    for title, language in (("x" * 201, "de"), ("a\x00b", "de"), ("Ada", "xx")):
        with pytest.raises(FieldInvalid):
            profile.change(ada, cp, title, language)
    with pytest.raises(FieldInvalid):
        people.invite(SYSTEM, cp, "eve", "x" * 201, administrator=False)
    profile.set_language(ada, cp, "zh")
    assert people.user(ada, cp).language == "zh"
    with pytest.raises(FieldInvalid):
        profile.set_language(ada, cp, "xx")


def test_oneself_one_may_sign_out_everywhere(cp: ControlPlane, ada: Actor, here: str) -> None:
    accounts.sign_out(ada, cp, "ada")
    with pytest.raises(NotSignedIn):
        people.actor_of_session(cp, here, HERE)
