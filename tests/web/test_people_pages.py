"""Accounts: switching off and on, rights, links and sessions, each asked about before it happens; and one's own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.access import people
from control_plane.store.audit import AuditRecord
from control_plane.store.people import UserRecord
from web.pages import audit

from .conftest import PASSWORD

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


def test_ones_own_name_and_language(root: FlaskClient) -> None:
    assert root.post("/account/profile", data={"title": "Rúna", "language": "de"}).headers["Location"] == "/account"
    page = root.get("/account").text
    assert 'value="Rúna"' in page and '<html lang="de">' in page
    root.post("/account/profile", data={"title": "Rúna", "language": ""})
    assert '<html lang="zh">' in root.get("/account", headers={"Accept-Language": "zh"}).text
    refused = root.post("/account/profile", data={"title": "x" * 201, "language": "en"})
    assert refused.status_code == 400 and 'aria-invalid="true"' in refused.text and "x" * 201 in refused.text


def test_ones_own_password(app: Flask, cp: ControlPlane, invite: Invite, browser: Browser) -> None:
    here, elsewhere = browser(invite("ada", "Viewer", password=PASSWORD)), browser("ada")
    wrong = here.post("/account/password", data={"old": "a guess at it", "password": "another long sentence"})
    assert wrong.status_code == 400
    assert "The current password is not right." in wrong.text and 'id="password-old-error"' in wrong.text
    assert "a guess at it" not in wrong.text and "another long sentence" not in wrong.text
    short = here.post("/account/password", data={"old": PASSWORD, "password": "short"})
    assert short.status_code == 400 and 'id="password-password-error"' in short.text
    assert elsewhere.get("/p/lab/").status_code == 200
    got = here.post("/account/password", data={"old": PASSWORD, "password": "another long sentence"})
    assert got.headers["Location"] == "/account"
    assert here.get("/p/lab/").status_code == 200
    assert elsewhere.get("/p/lab/").status_code == 302
    assert people.sign_in(cp, "ada", "another long sentence", "")


def test_signing_out_everywhere_else_leaves_this_browser(root: FlaskClient, browser: Browser) -> None:
    elsewhere = browser("root")
    assert 'data-open="others"' in root.get("/account").text
    root.post("/account/sign-out-others")
    assert root.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("address", "action", "field"),
    [
        ("/p/lab/members", "/p/lab/members/remove", '<input type="hidden" name="name" value="root">'),
        ("/account/tokens", "/account/tokens/1/revoke", ""),
    ],
)
def test_what_cannot_be_undone_is_asked_about_first(root: FlaskClient, address: str, action: str, field: str) -> None:
    root.post("/account/tokens", data={"name": "nightly", "days": "7"})
    page = root.get(address).text
    (form,) = re.findall(rf'<form[^>]*action="{action}".*?</form>', page, re.DOTALL)
    (dialog,) = (one for one in re.findall(r'<dialog id="([\w-]+)"(.*?)</dialog>', page, re.DOTALL) if form in one[1])
    assert f'data-open="{dialog[0]}"' in page
    assert field in form and 'name="csrf_token"' in form
