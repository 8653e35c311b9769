"""How a machine is added, named and removed in the browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from control_plane.authority import open_authority
from control_plane.context import ControlPlane
from control_plane.services.fleet import enrollment
from control_plane.store.audit import AuditRecord
from control_plane.store.machines import JoinTokenRecord, MachineRecord
from fleet_support import make_fleet
from link_support import new_key, signing_request
from web import create_app

Browser = Callable[[str], FlaskClient]
Invite = Callable[..., str]


@pytest.fixture
def host() -> str:
    """Where the control plane says that it is."""
    return "forge.example"


@pytest.fixture
def app(cp: ControlPlane, host: str) -> Flask:
    app = create_app(replace(cp, settings=replace(cp.settings, public_host=host)))
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def root(invite: Invite, browser: Browser) -> FlaskClient:
    return browser(invite("root", "Owner", administrator=True))


@pytest.fixture
def machine(cp: ControlPlane) -> str:
    """The id of a machine that is online."""
    return make_fleet(cp).machine().id


def made(root: FlaskClient) -> str:
    return root.post("/machines/join", data={"machine_class": "laptop"}).text


def enroll(cp: ControlPlane, token: str) -> str:
    secret = ".".join(token.split(".")[:2])
    return enrollment.enroll(cp, secret, signing_request(new_key()), "bench", "0.1.0").machine_id


def test_the_steps_say_an_address_that_others_reach(root: FlaskClient) -> None:
    page = made(root)
    assert "tunesmith agent join forge.example:8421<" in page
    for step in ("pip install", "agent service | sudo tee", "launchctl bootstrap", "authority.pem"):
        assert step in page, step
    assert page.index("pip install") < page.index("agent join") < page.index("tsj_") < page.index("agent service")


def test_a_join_token_is_shown_once_and_never_in_the_command(root: FlaskClient) -> None:
    page = made(root)
    token = re.search(r"tsj_[^<\s]+", page)[0]  # type: ignore[index]
    command = re.search(r"tunesmith agent join [^<]+", page)[0]  # type: ignore[index]
    assert "tsj_" not in command
    assert token not in root.get("/machines").text
    assert root.post("/machines/join", data={"machine_class": "toaster"}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]", "0.0.0.0", "LOCALHOST."])
def test_where_nobody_else_can_join_the_page_says_what_to_set(root: FlaskClient, host: str) -> None:
    for page in (root.get("/machines"), root.post("/machines/join", data={"machine_class": "server"})):
        assert "TUNESMITH_PUBLIC_HOST" in page.text
        assert host in page.text
    assert page.status_code == 409
    assert 'action="/machines/join"' not in root.get("/machines").text
    assert JoinTokenRecord.select().count() == 0


@pytest.mark.parametrize("host", ["10.0.0.7", "forge", "forge.example", "fd00::7", "localhost.example"])
def test_elsewhere_a_machine_can_be_added(root: FlaskClient, host: str) -> None:
    assert 'action="/machines/join"' in root.get("/machines").text
    assert f"agent join {f'[{host}]' if ':' in host else host}:8421" in made(root)


def test_the_page_turns_green_when_the_machine_has_joined_and_runs(root: FlaskClient, cp: ControlPlane) -> None:
    page = made(root)
    address = re.search(r'hx-get="(/machines/join/\w+)"', page)[1]  # type: ignore[index]
    assert 'data-live="fleet"' in page
    assert "note-queued" in root.get(address).text
    machine = enroll(cp, re.search(r"tsj_[^<\s]+", page)[0])  # type: ignore[index]
    assert "note-running" in root.get(address).text
    MachineRecord.update(connectivity="ONLINE").where(MachineRecord.id == machine).execute()
    green = root.get(address).text
    assert "note-succeeded" in green and f'href="/machines/{machine}"' in green
    assert "data-live" not in green  # there is nothing to wait for any more
    assert root.get("/machines/join/unknown").status_code == 404


def test_a_token_that_expired_unused_says_so(root: FlaskClient, cp: ControlPlane, clock: Callable[[], float]) -> None:
    address = re.search(r'hx-get="(/machines/join/\w+)"', made(root))[1]  # type: ignore[index]
    clock.advance(cp.settings.join_token_seconds + 1)  # type: ignore[attr-defined]
    assert "note-failed" in root.get(address).text


def test_the_authoritys_certificate_is_for_whoever_is_signed_in(
    app: Flask, cp: ControlPlane, root: FlaskClient
) -> None:
    got = root.get("/authority.pem")
    assert got.data == open_authority(cp.settings.data).pem
    assert b"PRIVATE" not in got.data
    assert app.test_client().get("/authority.pem").status_code == 302


def test_a_machine_is_named_and_labelled(root: FlaskClient, machine: str) -> None:
    sent = {"name": " Lab 7 ", "labels": "h100, gpu  h100"}
    assert root.post(f"/machines/{machine}/describe", data=sent).headers["Location"] == f"/machines/{machine}"
    found = MachineRecord.get_by_id(machine)
    assert (found.name, found.labels) == ("Lab 7", ["gpu", "h100"])
    assert '<span class="tag">h100</span>' in root.get("/machines").text
    assert root.post(f"/machines/{machine}/describe", data={"name": "", "labels": ""}).status_code == 400
    assert root.post("/machines/nowhere/describe", data=sent).status_code == 404


def test_a_machine_is_revoked_behind_a_question(root: FlaskClient, machine: str) -> None:
    page = root.get(f"/machines/{machine}").text
    for dialog in ("revoke", "remove"):
        assert f'data-open="{dialog}"' in page
        assert f'<dialog id="{dialog}"' in page
    root.post(f"/machines/{machine}/revoke")
    assert MachineRecord.get_by_id(machine).locked_reason == "revoked"
    assert "Locked" in root.get("/machines").text
    assert 'data-open="revoke"' not in root.get(f"/machines/{machine}").text


def test_a_machine_that_is_removed_is_listed_no_more_and_keeps_its_name(root: FlaskClient, machine: str) -> None:
    assert root.post(f"/machines/{machine}/remove").headers["Location"] == "/machines"
    assert machine not in root.get("/machines").text
    page = root.get(f"/machines/{machine}").text
    assert "was removed" in page and 'data-open="remove"' not in page
    actions = [one.action for one in AuditRecord.select().order_by(AuditRecord.id)]
    assert actions[-2:] == ["machine.lock", "machine.remove"]
