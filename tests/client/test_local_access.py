"""Whoever owns the data folder runs commands on it, before and after the first password, until it is switched off."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from client_support import Installation

from control_plane.domain.errors import AccountIsLocal, LastAdministrator
from control_plane.domain.permissions import Actor
from control_plane.services.access import accounts, people
from control_plane.store.audit import AuditRecord
from control_plane.store.people import ApiTokenRecord
from tunesmith import cli


def run(installation: Installation, *arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["--data", str(installation.cp.settings.data), *arguments])


def file_of(installation: Installation) -> Path:
    return installation.cp.settings.data / "bootstrap.json"


@pytest.fixture
def admin(installation: Installation) -> Actor:
    """The first administrator, who has set the first password."""
    link = people.first_start(installation.cp)
    assert link is not None
    session = people.redeem_link(installation.cp, link.rsplit("/", 1)[1], "a long enough sentence", "")
    return people.actor_of_session(installation.cp, session, "10.0.0.1")


def test_after_the_first_password_the_owner_of_the_folder_still_runs_commands(
    installation: Installation, admin: Actor
) -> None:
    assert run(installation, "projects", "create", "lab").exit_code == 0
    assert stat.S_IMODE(file_of(installation).stat().st_mode) == 0o600
    entry = AuditRecord.select().where(AuditRecord.action == "project.create").order_by(AuditRecord.id.desc()).get()
    assert (entry.actor_kind, entry.actor_name, entry.address) == ("user", "local", "127.0.0.1")


def test_switched_off_it_is_refused_in_words_and_no_token_is_left(installation: Installation, admin: Actor) -> None:
    token = json.loads(file_of(installation).read_text())["token"]
    with installation.connect() as before:
        accounts.deactivate(admin, installation.cp, "local")
        refused = run(installation, "projects", "list")
        assert refused.exit_code == 1
        assert "Access from the data folder is switched off" in refused.output and "Traceback" not in refused.output
        with pytest.raises(Exception, match="revoked"):
            before.who_am_i()
    assert token not in file_of(installation).read_text()
    assert ApiTokenRecord.select().where(ApiTokenRecord.revoked_at == 0.0).count() == 0
    # a restart does not bring it back
    people.first_start(installation.cp)
    assert run(installation, "projects", "list").exit_code == 1
    accounts.activate(admin, installation.cp, "local")
    assert run(installation, "projects", "list").exit_code == 0
    assert token not in file_of(installation).read_text()
    told = [(one.actor_name, one.action) for one in AuditRecord.select() if one.subject == "user:2"]
    assert told == [("Tunesmith", "user.create"), ("admin", "user.deactivate"), ("admin", "user.activate")]


def test_the_demo_says_so_too(installation: Installation, admin: Actor) -> None:
    accounts.deactivate(admin, installation.cp, "local")
    said = CliRunner().invoke(cli.main, ["demo", "--data", str(installation.cp.settings.data)])
    assert said.exit_code == 1 and "switched off" in said.output


def test_local_is_switched_off_and_on_and_nothing_else(installation: Installation, admin: Actor) -> None:
    for verb in (accounts.create_link, lambda *of: accounts.set_administrator(*of, False)):
        with pytest.raises(AccountIsLocal):
            verb(admin, installation.cp, "local")
    # it is nobody who could sign in: the last person stays
    with pytest.raises(LastAdministrator):
        accounts.deactivate(admin, installation.cp, "admin")
