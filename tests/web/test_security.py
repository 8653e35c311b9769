"""Headers, cookies, forged forms, sizes, and what happens when something breaks."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from web import create_app
from web.access import public

from .conftest import PASSWORD

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


def test_every_answer_carries_the_policy_and_none_of_it_is_unsafe(app: Flask) -> None:
    client = app.test_client()
    for address in ("/sign-in", "/nowhere", "/p/lab/", "/v1/models"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "report-uri /csp-reports" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_no_page_needs_what_the_policy_refuses(app: Flask, invite: Invite, browser: Browser) -> None:
    client = browser(invite("root", administrator=True))
    for address in ("/sign-in", "/machines", "/help", "/account/tokens"):
        page = client.get(address).text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), address
        assert not re.search(r"\s(style|on[a-z]+)=", page), address
        assert "<style" not in page
        assert "hx-on" not in page


def test_pages_are_not_kept_and_static_files_are_kept_for_ever(app: Flask) -> None:
    client = app.test_client()
    page = client.get("/sign-in")
    assert page.headers["Cache-Control"] == "no-store"
    address = re.search(r'href="(/static/[0-9a-f]+/style\.css)"', page.text)[1]  # type: ignore[index]
    first = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in first.headers["Cache-Control"]
    assert first.headers["Content-Encoding"] == "gzip"
    again = client.get(address, headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    old = client.get(re.sub("/static/[0-9a-f]+/", "/static/0/", address))
    assert old.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["../app.py", "..%2f__init__.py", "%2e%2e/access.py", "nothing.css", "/etc/passwd"])
def test_static_serves_its_own_folder_alone(app: Flask, path: str) -> None:
    assert app.test_client().get(f"/static/0/{path}", follow_redirects=True).status_code == 404


def test_a_form_without_its_token_is_refused(cp: ControlPlane, invite: Invite) -> None:
    invite("ada", "Viewer", password=PASSWORD)
    client = create_app(cp).test_client()
    got = client.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert got.status_code == 400
    assert "form has expired" in got.text
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/sign-in").text)[1]  # type: ignore[index]
    right = {"name": "ada", "password": PASSWORD, "csrf_token": token}
    assert client.post("/sign-in", data=right).status_code == 302
    fresh = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/machines").text)[1]  # type: ignore[index]
    assert client.post("/sign-out", headers={"X-CSRFToken": "wrong"}).status_code == 400
    assert client.post("/sign-out", headers={"X-CSRFToken": fresh}).status_code == 302


def test_the_session_cookie_is_out_of_reach(cp: ControlPlane, app: Flask, invite: Invite) -> None:
    invite("ada", "Viewer", password=PASSWORD)
    cookie = app.test_client().post("/sign-in", data={"name": "ada", "password": PASSWORD}).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    secured = create_app(replace(cp, settings=replace(cp.settings, web_certificate="server.pem")))
    secured.config["WTF_CSRF_ENABLED"] = False
    answer = secured.test_client().post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_the_cookie_key_is_private_and_stays(cp: ControlPlane, app: Flask) -> None:
    path = cp.settings.data / "web.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert create_app(cp).config["SECRET_KEY"] == app.config["SECRET_KEY"]


def test_reports_of_the_policy_are_counted_and_logged(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        got = app.test_client().post("/csp-reports", data=b'{"csp-report": {"blocked-uri": "evil"}}')
    assert (got.status_code, app.extensions["tunesmith_csp_reports"]) == (204, 1)
    assert "evil" in caplog.text


def test_pasting_too_much_is_a_page_that_says_what_to_do(app: Flask) -> None:
    got = app.test_client().post("/sign-in", data={"name": "x" * 2_200_000, "password": "x"})
    assert got.status_code == 413
    assert "Upload it as a file" in got.text


def test_a_failure_shows_an_incident_and_no_stack_trace(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    @public
    def broken() -> str:
        raise RuntimeError("the inside of it")

    app.add_url_rule("/broken", "broken", broken)
    got = app.test_client().get("/broken")
    assert got.status_code == 500
    assert "the inside of it" not in got.text
    incident = re.search(r"incident ([0-9a-f]{8})", got.text)[1]  # type: ignore[index]
    assert incident in caplog.text
    assert "the inside of it" in caplog.text
    as_json = app.test_client().get("/broken", headers={"Accept": "application/json"})
    assert set(as_json.json) == {"code", "message", "reference"}


def test_an_error_is_json_for_whoever_asks_for_json(app: Flask) -> None:
    got = app.test_client().get("/nowhere", headers={"Accept": "application/json"})
    assert (got.status_code, got.json["code"]) == (404, "not_found")
    assert app.test_client().get("/nowhere").mimetype == "text/html"
    assert app.test_client().get("/machines", headers={"Accept": "application/json"}).status_code == 401


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(app: Flask) -> None:
    got = app.test_client().get("/machines", headers={"HX-Request": "true"})
    assert (got.status_code, got.headers["HX-Redirect"]) == (401, "/sign-in")


def test_pages_are_compressed(app: Flask) -> None:
    got = app.test_client().get("/sign-in", headers={"Accept-Encoding": "gzip"})
    assert got.headers["Content-Encoding"] == "gzip"
