"""Who asks, behind a proxy: believed from those that are trusted, from nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from control_plane.settings import Networks, SettingInvalid, read
from control_plane.store.audit import AuditRecord
from support import FakeClock, close_database, make_control_plane
from web import create_app

PROXY, CLIENT = "10.1.2.3", "198.51.100.7"


@pytest.fixture
def client(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[FlaskClient]:
    app = create_app(make_control_plane(tmp_path / "data", clock, **getattr(request, "param", {})))
    app.config["WTF_CSRF_ENABLED"] = False
    yield app.test_client()
    close_database()


def guess(client: FlaskClient, peer: str = PROXY, **headers: str) -> Any:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    data = {"name": "nobody", "password": "a guess of a password"}
    return client.post("/sign-in", data=data, headers=told, environ_base={"REMOTE_ADDR": peer})


def test_without_the_setting_no_header_is_believed(client: FlaskClient) -> None:
    for number in range(3):
        other = f"203.0.113.{number}"
        guess(client, X_Forwarded_For=other, X_Real_IP=other, Forwarded=f"for={other}")
    assert {entry.address for entry in AuditRecord.select()} == {PROXY}


@pytest.mark.parametrize("client", [{"trusted_proxies": Networks("127.0.0.1, 10.0.0.0/8")}], indirect=True)
@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"203.0.113.1, {CLIENT}", CLIENT),  # the first was written by the client itself
        (PROXY, f"203.0.113.1, {CLIENT}, 10.9.9.9", CLIENT),  # two of ours, one behind the other
        ("::ffff:10.1.2.3", CLIENT, CLIENT),
        (PROXY, "", PROXY),
        (PROXY, "no address", PROXY),
        (PROXY, f"{CLIENT}, ' OR 1=1", PROXY),
        (CLIENT, "203.0.113.1", CLIENT),  # no proxy of ours
    ],
)
def test_a_trusted_proxy_says_who_asks(client: FlaskClient, peer: str, forwarded: str, address: str) -> None:
    guess(client, peer, X_Forwarded_For=forwarded)
    assert AuditRecord.get().address == address


@pytest.mark.parametrize("client", [{"trusted_proxies": Networks("10.0.0.0/8")}], indirect=True)
def test_behind_a_trusted_proxy_guesses_lock_their_own_address_alone(client: FlaskClient) -> None:
    data = {"name": "nobody", "password": "a guess of a password"}
    codes = []
    for number in range(11):
        told = {"X-Forwarded-For": f"203.0.113.{number}, {CLIENT}"}
        sent = data | {"name": f"user-{number}"}
        codes.append(client.post("/sign-in", data=sent, headers=told, environ_base={"REMOTE_ADDR": PROXY}).status_code)
    assert codes == [401] * 10 + [429]
    assert guess(client, X_Forwarded_For="203.0.113.99").status_code == 401


@pytest.mark.parametrize("client", [{"web_address": "https://tunesmith.example/"}], indirect=True)
def test_behind_https_the_cookie_is_for_https_alone(client: FlaskClient) -> None:
    answer = client.get("/sign-in?lang=de")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


def test_what_is_no_network_is_named() -> None:
    with pytest.raises(SettingInvalid, match="TUNESMITH_TRUSTED_PROXIES"):
        read({"TUNESMITH_TRUSTED_PROXIES": "10.0.0.1, the proxy"})
