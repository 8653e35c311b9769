"""Nobody who left stays in, nobody who forgot stays out, and one administrator always remains."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Denied,
    LastAdministrator,
    LinkExpired,
    NotFound,
    NotSignedIn,
    TokenRefused,
    UserInactive,
    WrongPassword,
)
from control_plane.domain.permissions import OWNER, SYSTEM, Actor
from control_plane.services.access import accounts, credentials, identity, passwords, people, projects
from control_plane.store.audit import AuditRecord
from control_plane.store.database import database, release, transaction
from control_plane.store.people import UserRecord

PASSWORD = "correct horse battery"


def invited(cp: ControlPlane, name: str, administrator: bool = False, password: str = PASSWORD) -> Actor:
    """Somebody with a password (none where it is empty)."""
    link = people.invite(SYSTEM, cp, name, "", administrator)
    if password:
        people.redeem_link(cp, secret_of(link), password, "")
    return identity.actor_of(UserRecord.get(UserRecord.name == name), "")


def secret_of(link: str) -> str:
    return link.rsplit("/", 1)[1]


def administrators() -> set[str]:
    return {user.name for user in UserRecord.select().where(UserRecord.administrator, UserRecord.active)}


@pytest.fixture
def root(cp: ControlPlane) -> Actor:
    return invited(cp, "root", administrator=True)


def test_whoever_is_switched_off_is_out_at_once_and_for_good(cp: ControlPlane, root: Actor) -> None:
    ada = invited(cp, "ada")
    session, (token, _) = people.sign_in(cp, "ada", PASSWORD, ""), people.create_token(ada, cp, "script")
    open_link = secret_of(accounts.create_link(root, cp, "ada"))
    assert not accounts.deactivate(root, cp, "ada").active
    with pytest.raises(NotSignedIn):
        people.actor_of_session(cp, session, "")
    with pytest.raises(TokenRefused):
        people.actor_of_token(cp, token, "")
    with pytest.raises(LinkExpired):
        people.redeem_link(cp, open_link, PASSWORD, "")
    with pytest.raises(WrongPassword):
        people.sign_in(cp, "ada", PASSWORD, "")
    with pytest.raises(UserInactive):
        accounts.create_link(root, cp, "ada")
    # back with the password, and with nothing that was open before
    assert accounts.activate(root, cp, "ada").active
    for way_in, refusal in ((people.actor_of_session, NotSignedIn), (people.actor_of_token, TokenRefused)):
        with pytest.raises(refusal):
            way_in(cp, session if refusal is NotSignedIn else token, "")
    assert people.sign_in(cp, "ada", PASSWORD, "")
    entry = AuditRecord.get(AuditRecord.action == "user.deactivate")
    assert (entry.actor_name, entry.details) == ("root", {"name": "ada", "sessions": 2, "tokens": 1})
    assert AuditRecord.get(AuditRecord.action == "user.activate").details == {"name": "ada"}


def test_switching_off_twice_is_one_change(cp: ControlPlane, root: Actor) -> None:
    invited(cp, "ada", password="")
    for verb in (accounts.deactivate, accounts.activate):
        for _ in range(2):
            verb(root, cp, "ada")
    changes = [one.action for one in AuditRecord.select() if one.action in ("user.deactivate", "user.activate")]
    assert changes == ["user.deactivate", "user.activate"]


def test_a_new_link_replaces_the_open_one_and_the_password(cp: ControlPlane, root: Actor) -> None:
    lost = people.invite(root, cp, "ada", "", False)
    again = accounts.create_link(root, cp, "ada")
    with pytest.raises(LinkExpired):
        people.redeem_link(cp, secret_of(lost), PASSWORD, "")
    people.redeem_link(cp, secret_of(again), PASSWORD, "")
    forgotten = accounts.create_link(root, cp, "ada")
    assert people.sign_in(cp, "ada", PASSWORD, "")  # good until another one is set
    session = people.sign_in(cp, "ada", PASSWORD, "")
    people.redeem_link(cp, secret_of(forgotten), "another long password", "")
    with pytest.raises(WrongPassword):
        people.sign_in(cp, "ada", PASSWORD, "")
    with pytest.raises(NotSignedIn):
        people.actor_of_session(cp, session, "")
    assert AuditRecord.select().where(AuditRecord.action == "user.link").count() == 2
    assert secret_of(forgotten) not in "".join(str(entry.__data__) for entry in AuditRecord.select())


def test_signing_out_ends_sessions_and_leaves_tokens(cp: ControlPlane, root: Actor) -> None:
    ada = invited(cp, "ada")
    sessions = [people.sign_in(cp, "ada", PASSWORD, "") for _ in range(2)]
    token, _ = people.create_token(ada, cp, "script")
    accounts.sign_out(root, cp, "ada")
    for session in sessions:
        with pytest.raises(NotSignedIn):
            people.actor_of_session(cp, session, "")
    assert people.actor_of_token(cp, token, "").name == "ada"
    assert AuditRecord.get(AuditRecord.action == "session.close_all").details == {"name": "ada", "sessions": 3}


def test_rights_are_given_and_taken(cp: ControlPlane, root: Actor) -> None:
    invited(cp, "ada")
    assert accounts.set_administrator(root, cp, "ada", True).administrator
    assert administrators() == {"root", "ada"}
    accounts.set_administrator(root, cp, "ada", False)
    accounts.set_administrator(root, cp, "ada", False)
    entries = AuditRecord.select().where(AuditRecord.action == "user.administrator").order_by(AuditRecord.id)
    assert [entry.details["administrator"] for entry in entries] == [True, False]


def test_the_last_administrator_stays(cp: ControlPlane, root: Actor) -> None:
    invited(cp, "mia", administrator=True, password="")  # was asked to come, and may never do so
    invited(cp, "ada")
    for verb in (accounts.deactivate, lambda *of: accounts.set_administrator(*of, administrator=False)):
        with pytest.raises(LastAdministrator):
            verb(root, cp, "root")
    accounts.deactivate(root, cp, "mia")
    accounts.activate(root, cp, "mia")
    accounts.set_administrator(root, cp, "ada", True)
    accounts.deactivate(root, cp, "root")
    with pytest.raises(LastAdministrator):
        accounts.set_administrator(SYSTEM, cp, "ada", False)


@pytest.mark.parametrize("taken", [accounts.deactivate, lambda *of: accounts.set_administrator(*of, False)])
def test_two_who_shut_each_other_out_at_once_do_not_both_succeed(
    cp: ControlPlane, root: Actor, taken: Callable[..., object]
) -> None:
    mia = invited(cp, "mia", administrator=True)
    together, refused = threading.Barrier(2), []

    def shut_out(actor: Actor, name: str) -> None:
        together.wait()
        try:
            taken(actor, cp, name)
        except LastAdministrator:
            refused.append(name)
        finally:
            if database.obj is not None:
                release()
                database.close()

    threads = [threading.Thread(target=shut_out, args=pair) for pair in ((root, "mia"), (mia, "root"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert administrators() == set(refused) and len(refused) == 1


class SwitchedOffMeanwhile:
    """The real hasher; somebody is switched off, and on again, while their password is being checked."""

    def __init__(self, change: Callable[[], object]) -> None:
        self._real, self._change = passwords._HASHER, change

    def verify(self, stored: str, password: str) -> bool:
        right = self._real.verify(stored, password)
        self._change()
        return right

    def check_needs_rehash(self, stored: str) -> bool:
        return self._real.check_needs_rehash(stored)


@pytest.mark.parametrize("change", [{"active": False}, {"password_hash": "another one's"}])
def test_a_sign_in_under_way_does_not_outlive_the_account(
    cp: ControlPlane, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    ada = invited(cp, "ada")
    theirs = UserRecord.id == int(ada.id)
    hasher = SwitchedOffMeanwhile(lambda: UserRecord.update(**change).where(theirs).execute())
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    accounts.sign_out(SYSTEM, cp, "ada")
    with pytest.raises(WrongPassword):
        people.sign_in(cp, "ada", PASSWORD, "")
    assert accounts.get(SYSTEM, cp, "ada").sessions == 0


def test_nobody_else_may(cp: ControlPlane, root: Actor) -> None:
    projects.create(SYSTEM, cp, "lab", "")
    invited(cp, "ada", password="")
    projects.set_member(SYSTEM, cp, "lab", "ada", OWNER.name)
    ada = identity.actor_of(UserRecord.get(UserRecord.name == "ada"), "")
    verbs = (accounts.get, accounts.deactivate, accounts.activate, accounts.create_link, accounts.sign_out)
    for verb in (*verbs, lambda *of: accounts.set_administrator(*of, True)):
        with pytest.raises(Denied):
            verb(ada, cp, "root")
        with pytest.raises(NotFound):
            verb(root, cp, "nobody")


def test_an_account_with_its_roles_and_ways_in(cp: ControlPlane, root: Actor) -> None:
    for project, role in (("lab", "Owner"), ("field", "Viewer")):
        projects.create(SYSTEM, cp, project, "")
        if project == "lab":
            invited(cp, "ada", password="")
        projects.set_member(SYSTEM, cp, project, "ada", role)
    with transaction():
        user = UserRecord.get(UserRecord.name == "ada")
        credentials.new_session(cp, user)
        credentials.new_token(cp, user, "spent", -1.0)
        credentials.new_token(cp, user, "script", 60.0)
    found = accounts.get(root, cp, "ada")
    assert (found.roles, found.sessions, found.tokens) == ([("field", "Viewer"), ("lab", "Owner")], 1, 1)
