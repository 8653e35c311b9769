"""Each route states what it needs, and is held to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.domain.permissions import PERMISSIONS
from web.access import BY_TOKEN, PUBLIC, SIGNED_IN, stated

# Everything else asks for somebody. Add to this list only with a reason.
FOR_EVERYBODY = {
    "sign_in.form",
    "sign_in.enter",
    "sign_in.welcome",
    "sign_in.set_password",
    "security.csp_reports",
    "monitoring.live",  # a probe has no name, and learns nothing
    "monitoring.ready",
    "hooks.call",  # whoever calls it has the key of one trigger
}
Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


def test_each_route_states_what_it_needs(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        access = stated(app.view_functions[rule.endpoint])
        assert access in {*PERMISSIONS, PUBLIC, SIGNED_IN, BY_TOKEN}, f"{rule.endpoint} states {access}"


def test_only_these_routes_are_for_everybody(app: Flask) -> None:
    found = {name for name, view in app.view_functions.items() if stated(view) == PUBLIC}
    assert found == FOR_EVERYBODY


def test_api_tokens_are_taken_by_scripts_routes_alone(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        by_token = stated(app.view_functions[rule.endpoint]) == BY_TOKEN
        assert by_token == (rule.rule.startswith("/v1/") or rule.rule == "/metrics"), rule.rule


def test_whoever_is_not_signed_in_sees_nothing(app: Flask, invite: Invite) -> None:
    invite("ada", "Owner")
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        by_token = rule.rule.startswith("/v1/") or rule.rule == "/metrics"
        if rule.endpoint in FOR_EVERYBODY | {"static"} or "GET" not in rule.methods or by_token:
            continue
        address = _address(rule.rule)
        got = client.get(address)
        assert got.status_code == 302, address
        assert got.headers["Location"].startswith("/sign-in"), address


def test_a_route_that_states_nothing_is_for_nobody(app: Flask, invite: Invite, browser: Browser) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    client = browser(invite("root", administrator=True))
    assert client.get("/forgotten").status_code == 404


def test_another_project_does_not_exist(invite: Invite, browser: Browser, app: Flask) -> None:
    invite("eve", "Owner", "other")
    client = browser(invite("ada", "Owner", "lab"))
    for rule in app.url_map.iter_rules():
        if "project" in rule.arguments and "GET" in rule.methods:
            address = _address(rule.rule, project="other")
            assert client.get(address).status_code == 404, address


@pytest.mark.parametrize(
    ("role", "address", "status"),
    [
        ("Viewer", "/p/lab/", 200),
        ("Viewer", "/p/lab/members", 403),
        ("Viewer", "/p/lab/audit", 403),
        ("Viewer", "/p/lab/audit.csv", 403),
        ("Viewer", "/machines", 200),
        ("Viewer", "/people", 403),
        ("Viewer", "/audit", 403),
        ("Owner", "/p/lab/members", 200),
        ("Owner", "/p/lab/audit", 200),
        ("Owner", "/people", 403),
        ("Owner", "/audit.csv", 403),
    ],
)
def test_a_role_opens_its_pages_alone(invite: Invite, browser: Browser, role: str, address: str, status: int) -> None:
    assert browser(invite("ada", role)).get(address).status_code == status


def test_a_viewer_changes_nothing(app: Flask, invite: Invite, browser: Browser) -> None:
    client = browser(invite("ada", "Viewer"))
    for rule in app.url_map.iter_rules():
        if "POST" not in rule.methods or rule.rule.startswith(("/v1/", "/account/", "/sign-out", "/notifications/")):
            continue
        # chatting with what is served and saying what one thinks of a case are a viewer's rights
        if rule.endpoint in {*FOR_EVERYBODY, "saved_cases.rate"}:
            continue
        if stated(app.view_functions[rule.endpoint]) == "deployment.use":
            continue
        address = _address(rule.rule)
        # what a thing's page needs depends on its kind, and there is none here; tests/attacks asks with one
        wanted = 404 if rule.endpoint.startswith("things.") else 403
        assert client.post(address).status_code == wanted, address


def test_the_navigation_offers_only_what_one_may_open(invite: Invite, browser: Browser) -> None:
    page = browser(invite("ada", "Viewer")).get("/p/lab/").text
    assert 'href="/machines"' in page
    for hidden in ("/people", "/audit", "/p/lab/members"):
        assert f'href="{hidden}"' not in page
    page = browser(invite("root", administrator=True)).get("/p/lab/").text
    for shown in ("/machines", "/people", "/audit", "/p/lab/members", "/p/lab/audit"):
        assert f'href="{shown}"' in page


def test_whoever_is_removed_is_out_at_the_next_press(invite: Invite, browser: Browser) -> None:
    owner, client = browser(invite("olga", "Owner")), browser(invite("ada", "Viewer"))
    assert client.get("/p/lab/").status_code == 200
    assert owner.post("/p/lab/members/remove", data={"name": "ada"}).status_code == 302
    assert client.get("/p/lab/").status_code == 404


def _address(rule: str, project: str = "lab") -> str:
    """A rule with something in each of its places."""
    parts = [project if part == "<project>" else "1" if part.startswith("<") else part for part in rule.split("/")]
    return "/".join(parts)
