"""Signing in and out, and the one-time link."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.services.access import credentials, passwords, people
from control_plane.store.people import SessionRecord

from .conftest import PASSWORD

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def link(cp: ControlPlane) -> str:
    """The path of the first administrator's link."""
    address = people.first_start(cp)
    assert address is not None
    return "/welcome/" + address.rsplit("/", 1)[1]


def test_the_first_link_sets_a_password_once_and_signs_in(app: Flask, link: str) -> None:
    client = app.test_client()
    assert "admin" in client.get(link).text
    assert client.post(link, data={"password": PASSWORD}).status_code == 302
    assert client.get("/p/default/").status_code == 200
    again = app.test_client()
    assert again.get(link).status_code == 410
    assert again.post(link, data={"password": "another long password"}).status_code == 410
    assert again.post("/sign-in", data={"name": "admin", "password": PASSWORD}).status_code == 302


def test_a_short_password_is_refused_beside_its_field_and_burns_nothing(app: Flask, link: str) -> None:
    client = app.test_client()
    got = client.post(link, data={"password": "short"})
    assert got.status_code == 400
    assert 'aria-invalid="true"' in got.text
    assert str(passwords.MINIMUM) in got.text
    assert client.post(link, data={"password": PASSWORD}).status_code == 302


def test_an_unknown_link_says_so(app: Flask) -> None:
    assert app.test_client().get("/welcome/nonsense").status_code == 410


def test_a_wrong_password_shows_one_sentence_whoever_it_is(app: Flask, invite: Invite) -> None:
    invite("ada", "Viewer", password=PASSWORD)
    client = app.test_client()
    answers = [client.post("/sign-in", data={"name": name, "password": "wrong"}) for name in ("ada", "nobody")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("The name or the password is wrong." in answer.text for answer in answers)


def test_signing_out_ends_the_session_on_the_server_too(app: Flask, invite: Invite, browser: Browser) -> None:
    client = browser(invite("ada", "Viewer"))
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert client.post("/sign-out").headers["Location"] == "/sign-in"
    thief = app.test_client()
    thief.set_cookie(cookie.key, cookie.value)
    assert thief.get("/p/lab/").status_code == 302


def test_signing_in_keeps_nothing_that_was_planted_before(app: Flask, invite: Invite) -> None:
    invite("ada", "Viewer", password=PASSWORD)
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(_user_id="planted", planted="yes")
    assert client.post("/sign-in", data={"name": "ada", "password": PASSWORD}).status_code == 302
    with client.session_transaction() as session:
        assert session["_user_id"] != "planted"
        assert "planted" not in session
        # the cookie holds a secret that the database knows by its hash alone
        assert credentials.hashed(session["_user_id"]) in [one.secret_hash for one in SessionRecord.select()]


def test_no_cookie_remembers_anybody_beyond_the_session(app: Flask, invite: Invite, browser: Browser) -> None:
    client = browser(invite("ada", "Viewer"))
    with client.session_transaction() as session:
        secret = session["_user_id"]
    stranger = app.test_client()
    for name in ("remember_token", app.config["REMEMBER_COOKIE_NAME"]):
        stranger.set_cookie(name, f"{secret}|{'0' * 128}")
    assert stranger.get("/p/lab/").status_code == 302
    static = client.get(re.search(r'href="(/static/[^"]+)"', client.get("/p/lab/").text)[1])  # type: ignore[index]
    assert "Cookie" not in static.headers.get("Vary", "")


def test_a_session_ends_by_itself(cp: ControlPlane, clock: object, invite: Invite, browser: Browser) -> None:
    client = browser(invite("ada", "Viewer"))
    clock.advance(cp.settings.session_seconds + 1)  # type: ignore[attr-defined]
    assert client.get("/p/lab/").headers["Location"] == "/sign-in?next=%2Fp%2Flab%2F"


def test_after_signing_in_one_is_where_one_wanted_to_be(app: Flask, invite: Invite) -> None:
    invite("ada", "Viewer", password=PASSWORD)
    client = app.test_client()
    data = {"name": "ada", "password": PASSWORD, "next": "/machines?sort=name"}
    assert client.post("/sign-in", data=data).headers["Location"] == "/machines?sort=name"


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "evil", "/\t/evil.example"],
)
def test_signing_in_never_leads_to_another_site(app: Flask, invite: Invite, wanted: str) -> None:
    invite("ada", "Viewer", password=PASSWORD)
    data = {"name": "ada", "password": PASSWORD, "next": wanted}
    assert app.test_client().post("/sign-in", data=data).headers["Location"] == "/"


def test_guessing_is_slowed_down_by_name_and_address(app: Flask, invite: Invite) -> None:
    invite("ada", "Viewer", password=PASSWORD)
    client = app.test_client()
    codes = [client.post("/sign-in", data={"name": "ada", "password": "guess"}).status_code for _ in range(11)]
    assert codes == [401] * 10 + [429]


def test_the_language_is_asked_for_kept_and_remembered_for_the_user(
    app: Flask, cp: ControlPlane, invite: Invite, browser: Browser
) -> None:
    client = app.test_client()
    german = client.get("/sign-in", headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
    assert '<html lang="de">' in german.text
    assert '<html lang="en">' in client.get("/sign-in", headers={"Accept-Language": "fr"}).text
    assert '<html lang="zh">' in client.get("/sign-in?lang=zh").text
    assert '<html lang="zh">' in client.get("/sign-in").text
    assert '<html lang="zh">' in client.get("/sign-in?lang=xx").text
    browser(invite("ada", "Viewer", password=PASSWORD)).get("/machines?lang=de")
    elsewhere = app.test_client()
    elsewhere.post("/sign-in", data={"name": "ada", "password": PASSWORD})
    assert '<html lang="de">' in elsewhere.get("/machines", headers={"Accept-Language": "en"}).text
