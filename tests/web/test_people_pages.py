"""Accounts: switching off and on, rights, links and sessions, each asked about before it happens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.store.audit import AuditRecord
from control_plane.store.people import UserRecord
from web.pages import audit

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def root(invite: Invite, browser: Browser) -> FlaskClient:
    """An administrator's browser."""
    return browser(invite("root", "Owner", administrator=True))


def test_whoever_is_switched_off_is_asked_to_sign_in_at_the_next_press(
    root: FlaskClient, invite: Invite, browser: Browser
) -> None:
    ada = browser(invite("ada", "Viewer"))
    assert ada.get("/p/lab/").status_code == 200
    assert root.post("/people/ada/deactivate").headers["Location"] == "/people/ada"
    assert ada.get("/p/lab/").headers["Location"].startswith("/sign-in")
    assert "ada is switched off" in root.get("/people/ada").text
    assert "Switched off" in root.get("/people").text
    root.post("/people/ada/activate")
    assert UserRecord.get(UserRecord.name == "ada").active
    assert ada.get("/p/lab/").status_code == 302  # that session is over for good


def test_signing_somebody_out_leaves_the_account(root: FlaskClient, invite: Invite, browser: Browser) -> None:
    ada = browser(invite("ada", "Viewer"))
    assert "in 1 browser" in root.get("/people/ada").text
    root.post("/people/ada/sign-out")
    assert ada.get("/p/lab/").status_code == 302
    assert "in 0 browsers" in root.get("/people/ada").text


def test_a_new_link_is_shown_once(app: Flask, root: FlaskClient, invite: Invite) -> None:
    page = root.post(f"/people/{invite('ada')}/link").text
    link = re.search(r"/welcome/[\w-]+", page)[0]  # type: ignore[index]
    assert link not in root.get("/people/ada").text
    assert "ada" in app.test_client().get(link).text


def test_rights_are_given_and_taken(root: FlaskClient, invite: Invite) -> None:
    invite("ada", "Viewer")
    root.post("/people/ada/administrator", data={"administrator": "true"})
    page = root.get("/people/ada").text
    assert "Take the administrator’s rights" in page and "ada is now an administrator" in page
    root.post("/people/ada/administrator")
    assert not UserRecord.get(UserRecord.name == "ada").administrator


def test_each_change_is_asked_about_first(root: FlaskClient, invite: Invite) -> None:
    page = root.get(f"/people/{invite('ada')}").text
    dialogs = re.findall(r'<dialog id="([\w-]+)".*?action="([^"]+)".*?</dialog>', page, re.DOTALL)
    actions = {action for _, action in dialogs if action.startswith("/people/")}
    assert actions == {f"/people/ada/{verb}" for verb in ("deactivate", "administrator", "link", "sign-out")}
    for name, _ in dialogs:
        assert f'data-open="{name}"' in page


def test_each_change_is_in_the_audit_in_words(root: FlaskClient, invite: Invite) -> None:
    invite("ada")
    for verb in ("link", "sign-out", "administrator", "deactivate", "activate"):
        root.post(f"/people/ada/{verb}", data={"administrator": "true"})
    assert {one.action for one in AuditRecord.select().where(AuditRecord.actor_name == "root")} <= set(audit.ACTIONS)
    shown = root.get("/audit").text
    for words in ("Account switched off", "Account switched on", "Link for a password made", "Signed out everywhere"):
        assert words in shown
