"""A form that is refused comes back as it was filled in, with the problem beside its field; nothing is half done."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from control_plane.context import ControlPlane
from control_plane.store.people import UserRecord

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def cp(cp: ControlPlane) -> ControlPlane:
    """A control plane that other machines reach: else none can be added."""
    return replace(cp, settings=replace(cp.settings, public_host="control.example.org"))


@pytest.fixture
def root(invite: Invite, browser: Browser) -> FlaskClient:
    """An administrator's browser, in a project "lab"."""
    return browser(invite("root", "Owner", administrator=True))


def control(page: str, name: str) -> str:
    """The tag of a control with what is tied to it: its value, its problem."""
    return re.search(rf'<(?:input|select)[^>]*\sid="{name}".*?</div>', page, re.DOTALL)[0]  # type: ignore[index]


def assert_marked(got: TestResponse, status: int, name: str, sentence: str) -> str:
    """The page came back whole with this control marked and none beside it; the page."""
    assert got.status_code == status
    assert got.text.count('aria-invalid="true"') == 1
    assert 'aria-invalid="true"' in control(got.text, name) and sentence in control(got.text, name)
    assert "HTTP 4" not in got.text
    return got.text


def test_an_invitation_with_a_name_that_is_taken_keeps_what_was_typed(root: FlaskClient, invite: Invite) -> None:
    invite("ada")
    typed = {"name": "ada", "title": "Ada L.", "project": "lab", "role": "Viewer", "administrator": "true"}
    page = assert_marked(root.post("/people", data=typed), 409, "invite-name", "exists already")
    assert re.search(r'<dialog id="invite"[^>]* open data-refused>', page)
    assert 'value="ada"' in control(page, "invite-name") and 'value="Ada L."' in control(page, "invite-title")
    assert '<option value="lab" selected>' in control(page, "invite-project")
    assert '<option value="Viewer" selected>' in control(page, "invite-role")
    assert " checked" in control(page, "invite-administrator")
    assert 'value="ada"' not in control(page, "project-name")  # the page's other form is as it was
    assert "data-refused" not in root.get("/people").text


@pytest.mark.parametrize(("project", "role", "field"), [("lab", "King", "invite-role"), ("nowhere", "Viewer", "")])
def test_an_invitation_is_made_whole_or_not_at_all(root: FlaskClient, project: str, role: str, field: str) -> None:
    got = root.post("/people", data={"name": "bob", "title": "Bob", "project": project, "role": role})
    assert got.status_code in (400, 404)
    assert UserRecord.get_or_none(UserRecord.name == "bob") is None
    assert "/welcome/" not in got.text and "data-refused" in got.text
    assert not field or 'aria-invalid="true"' in control(got.text, field)


def test_a_project_with_a_bad_name(root: FlaskClient) -> None:
    got = root.post("/projects", data={"name": "My Lab", "title": "The lab"})
    page = assert_marked(got, 400, "project-name", "is not a valid name")
    assert 'value="My Lab"' in control(page, "project-name") and 'value="The lab"' in control(page, "project-title")
    assert "data-refused" not in page  # it stands on the page and not in a dialog


def test_a_member_whom_nobody_knows(root: FlaskClient) -> None:
    got = root.post("/p/lab/members", data={"name": "nobody", "role": "Viewer"})
    page = assert_marked(got, 404, "member-name", "nobody called “nobody”")
    assert '<option value="Viewer" selected>' in control(page, "member-role")


def test_a_token_with_a_bad_name(root: FlaskClient) -> None:
    got = root.post("/account/tokens", data={"name": "My Script", "days": "7"})
    page = assert_marked(got, 400, "token-name", "is not a valid name")
    assert '<option value="7" selected>' in control(page, "token-days")


def test_what_belongs_to_no_field_is_said_above_the_form(root: FlaskClient) -> None:
    got = root.post("/people/root/deactivate")
    assert got.status_code == 409
    assert re.search(r'role="alert".*last administrator', got.text, re.DOTALL)
    assert "Ways in" in got.text
    got = root.post("/machines/join", data={"machine_class": "toaster"})
    assert got.status_code == 400
    assert re.search(r'<dialog id="join"[^>]* open data-refused>.*role="alert".*machine_class', got.text, re.DOTALL)
    assert 'hx-get="/machines"' in got.text


def test_programs_get_the_code_and_no_page(root: FlaskClient) -> None:
    got = root.post("/people", data={"name": "root"}, headers={"Accept": "application/json"})
    assert (got.status_code, got.json["code"]) == (409, "name_taken")  # type: ignore[index]


def test_what_does_not_exist_stays_so(root: FlaskClient) -> None:
    assert root.post("/people/nobody/deactivate").status_code == 404
    assert root.post("/p/nowhere/members", data={"name": "root", "role": "Viewer"}).status_code == 404


def test_a_project_is_refused_where_its_form_was_sent_from(root: FlaskClient) -> None:
    for address, heading in (("/projects", "<h1>Projects"), ("/people", "<h1>People")):
        fields = dict(re.findall(r'name="(page)" value="([a-z]+)"', root.get(address).text))
        got = root.post("/projects", data={"name": "My Lab", "title": "The lab"} | fields)
        page = assert_marked(got, 400, "project-name", "is not a valid name")
        assert heading in page and 'value="My Lab"' in control(page, "project-name")
