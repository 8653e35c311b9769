"""The application over a real control plane: its own SQLite file, a clock to turn by hand, no fleet."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.permissions import SYSTEM
from control_plane.services.access import credentials, people, projects
from control_plane.store.people import UserRecord
from web import create_app

PASSWORD = "a long enough sentence"


@pytest.fixture
def app(cp: ControlPlane) -> Flask:
    """The application; its forms are posted without a CSRF token, which tests/web/test_security.py looks at."""
    app = create_app(cp)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def invite(cp: ControlPlane) -> Callable[..., str]:
    """invite(name, role="", project="lab", administrator=False, password=""): a user; returns the name.

    Without a password none is set, which saves the time of its hash.
    """

    def make(name: str, role: str = "", project: str = "lab", administrator: bool = False, password: str = "") -> str:
        link = people.invite(SYSTEM, cp, name, name.title(), administrator)
        if password:
            people.redeem_link(cp, link.rsplit("/", 1)[1], password, "127.0.0.1")
        if role:
            if project not in [found.name for found in projects.list_projects(SYSTEM, cp)]:
                projects.create(SYSTEM, cp, project, project)
            projects.set_member(SYSTEM, cp, project, name, role)
        return name

    return make


@pytest.fixture
def browser(app: Flask, cp: ControlPlane) -> Callable[[str], FlaskClient]:
    """browser(name): a client with a session of this user. (The way to it is tests/web/test_sign_in.py's.)"""

    def signed_in(name: str) -> FlaskClient:
        client, user = app.test_client(), UserRecord.get(UserRecord.name == name)
        with client.session_transaction() as session:
            session["_user_id"] = credentials.new_session(cp, user)
            session["lang"] = user.language
        return client

    return signed_in
