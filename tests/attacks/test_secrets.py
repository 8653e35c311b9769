"""Secrets are shown once: no log, audit entry, error, argument list or table holds one."""

from __future__ import annotations

import json
import logging
import subprocess
from pathlib import Path
from typing import Any

import pytest

from control_plane import up
from control_plane.authority import open_authority
from control_plane.domain.errors import JoinTokenRefused, TokenRefused, TunesmithError, WrongPassword
from control_plane.domain.permissions import SYSTEM
from control_plane.services import audit_chain
from control_plane.services.access import accounts, people
from control_plane.services.fleet import enrollment
from control_plane.store.audit import AuditRecord
from control_plane.store.people import UserRecord
from link_support import Link, TestMachine, hello, new_key, signing_request
from web import create_app

PASSWORD = "correct horse battery staple"
WRONG = "wrong horse battery staple"


def _walk_through(link: Link, errors: list[TunesmithError]) -> dict[str, str]:
    """Everything that makes, takes or refuses a secret; the secrets by name."""
    cp, secrets = link.cp, {"password": PASSWORD, "wrong password": WRONG}
    first = people.first_start(cp)
    assert first
    secrets["link"] = first.rsplit("/", 1)[1]
    secrets["bootstrap token"] = json.loads((cp.settings.data / "bootstrap.json").read_text())["token"]
    secrets["session"] = people.redeem_link(cp, secrets["link"], PASSWORD, "10.0.0.1")
    secrets["second session"] = people.sign_in(cp, "admin", PASSWORD, "10.0.0.1")
    admin = people.actor_of_session(cp, secrets["session"], "10.0.0.1")
    secrets["token"] = people.create_token(admin, cp, "script")[0]
    secrets["invitation"] = people.invite(admin, cp, "ada", "Ada", False).rsplit("/", 1)[1]
    for name, password in (("admin", WRONG), (PASSWORD, "x"), (secrets["token"], WRONG)):  # also in the wrong field
        with pytest.raises(WrongPassword) as refused:
            people.sign_in(cp, name, password, "10.0.0.1")
        errors.append(refused.value)
    accounts.deactivate(admin, cp, "local")
    for token in (secrets["bootstrap token"], secrets["token"] + "x"):
        with pytest.raises(TokenRefused) as unknown:
            people.actor_of_token(cp, token, "")
        errors.append(unknown.value)
    join = enrollment.create_join_token(SYSTEM, cp, "server")[0]
    secrets["join token"] = join.split(".")[1]
    machine = TestMachine()
    link.enroll(join, machine)
    with link.as_machine(machine) as stub:
        hello(stub)
    for token in (join, secrets["join token"], f"tsj_{secrets['join token']}.x", secrets["token"]):
        with pytest.raises(Exception) as refusal:
            link.enroll(token, TestMachine())
        assert PASSWORD not in str(refusal.value)
        assert token not in str(refusal.value)
    client = create_app(cp).test_client()
    assert client.get("/v1/models", headers={"Authorization": f"Bearer {secrets['token']}x"}).status_code == 401
    client.post("/sign-in", data={"name": "admin", "password": WRONG})
    client.get(f"/welcome/{secrets['link']}")
    audit_chain.seal(cp)
    return secrets


def test_no_secret_is_written_down(link: Link, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)  # as the control plane runs; DEBUG would log each SQL statement
    errors: list[TunesmithError] = []
    secrets = _walk_through(link, errors)
    entries = json.dumps([entry.__data__ for entry in AuditRecord.select()])
    raised = " ".join(f"{error} {error.params}" for error in errors)
    places = {"audit": entries, "log": caplog.text, "errors": raised}
    for name, secret in secrets.items():
        for place, text in places.items():
            assert secret not in text, f"{name} in {place}"
            assert secret[4:20] not in text, f"a part of {name} in {place}"
    assert AuditRecord.select().where(AuditRecord.action == "session.refused").count() == 3


def test_no_secret_is_in_the_data_folder(link: Link) -> None:
    secrets = _walk_through(link, [])
    data = link.cp.settings.data
    held = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    assert any(path.name.startswith("tunesmith.db") and b"session.refused" in text for path, text in held.items())
    for name, secret in secrets.items():
        assert [path.name for path, text in held.items() if secret.encode() in text] == [], name
    assert UserRecord.get(UserRecord.name == "admin").password_hash.startswith("$argon2id$")


def test_files_with_keys_are_their_owners_alone(link: Link) -> None:
    _walk_through(link, [])
    open_authority(link.cp.settings.data)
    names = ("bootstrap.json", "web.key", "authority/authority.key")
    for name in names:
        assert (link.cp.settings.data / name).stat().st_mode & 0o077 == 0, name


def test_a_join_token_goes_through_the_standard_input(
    link: Link, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Arguments and environments of processes are seen by others in `ps`."""
    started: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        started.append((command, options))
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(up.subprocess, "run", run)
    place = up.Place(link.cp.settings.data.parent, {}, False)
    place._cp = link.cp
    place._join({"PATH": "/bin", "TUNESMITH_AGENT_API_ADDRESS": "127.0.0.1:8421"})
    (command, options), *others = started
    assert not others
    token = options["input"].decode()
    assert token.startswith("tsj_")
    for word in (*command, *options["env"].values()):
        assert token.split(".")[1] not in word
    with pytest.raises(JoinTokenRefused):
        enrollment.enroll(link.cp, token.replace(".", ".x", 1), _csr(), "h", "0.1.0")


def _csr() -> bytes:
    return signing_request(new_key())
