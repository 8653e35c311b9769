"""Secrets of other systems: sealed, bound to their place, opened by the right key alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from control_plane import settings as settings_module
from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, SecretUnreadable
from control_plane.domain.masking import MASK, masked, masked_in
from control_plane.domain.permissions import SYSTEM
from control_plane.services import secrets
from control_plane.services.access import projects
from control_plane.settings import Key, SettingInvalid
from control_plane.store.database import transaction
from control_plane.store.secrets import SecretRecord

GIVEN = {"password": "hunter2-canary", "token": "übel & “quoted”"}


@pytest.fixture
def project(cp: ControlPlane) -> int:
    return int(projects.create(SYSTEM, cp, "pumps", "").id)


def kept(cp: ControlPlane, project: int) -> str:
    with transaction():
        number = secrets.keep(SYSTEM, cp, project, GIVEN | {"empty": ""})
    assert number is not None
    return number


def test_what_is_kept_is_sealed_and_opens_again(cp: ControlPlane, project: int) -> None:
    number = kept(cp, project)
    assert secrets.opened(cp, number) == GIVEN
    sealed = SecretRecord.get_by_id(number).sealed
    assert not any(value in sealed for value in GIVEN.values())
    assert SecretRecord.get_by_id(kept(cp, project)).sealed != sealed
    assert (cp.settings.data / "secrets.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in cp.settings.data.glob(".secrets.key*")] == []


def test_nothing_is_kept_of_nothing(cp: ControlPlane, project: int) -> None:
    with transaction():
        assert secrets.keep(SYSTEM, cp, project, {"password": ""}) is None
    assert secrets.opened(cp, None) == {}


def test_what_is_moved_or_changed_opens_no_more(cp: ControlPlane, project: int) -> None:
    first, second = kept(cp, project), kept(cp, project)
    other = int(projects.create(SYSTEM, cp, "other", "").id)
    sealed = str(SecretRecord.get_by_id(first).sealed)
    for columns in ({"sealed": sealed}, {"sealed": "A" + sealed[1:]}, {"sealed": ""}, {"sealed": "ä"}):
        SecretRecord.update(**columns).where(SecretRecord.id == second).execute()
        with pytest.raises(SecretUnreadable):
            secrets.opened(cp, second)
    SecretRecord.update(project=other).where(SecretRecord.id == first).execute()
    with pytest.raises(SecretUnreadable):
        secrets.opened(cp, first)
    with transaction():
        secrets.remove(first)
    with pytest.raises(SecretUnreadable):
        secrets.opened(cp, first)


def test_the_key_may_come_from_the_environment(cp: ControlPlane, project: int) -> None:
    given = settings_module.read({"TUNESMITH_SECRETS_KEY": "ab" * 32}).secrets_key
    keyed = replace(cp, settings=replace(cp.settings, secrets_key=given))
    number = kept(keyed, project)
    assert not (cp.settings.data / "secrets.key").exists()
    assert secrets.opened(keyed, number) == GIVEN
    with pytest.raises(SecretUnreadable):
        secrets.opened(cp, number)
    assert "abab" not in repr(keyed.settings)


@pytest.mark.parametrize("text", ["hunter2-canary", "ab" * 31, "zz" * 32])
def test_a_key_that_is_none_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        settings_module.read({"TUNESMITH_SECRETS_KEY": text})
    assert text not in str(refused.value) and refused.value.__cause__ is None
    with pytest.raises(ValueError):
        Key(text)


def test_a_key_file_that_is_none_opens_nothing(cp: ControlPlane, project: int) -> None:
    (cp.settings.data / "secrets.key").write_text("nonsense")
    with pytest.raises(SecretUnreadable), transaction():
        secrets.keep(SYSTEM, cp, project, GIVEN)


def test_one_that_is_too_long_is_refused_without_being_repeated(cp: ControlPlane, project: int) -> None:
    with pytest.raises(FieldInvalid) as refused, transaction():
        secrets.keep(SYSTEM, cp, project, {"password": "canary" * 10_000})
    assert "canary" not in str(refused.value)


def test_secrets_are_masked_in_what_others_say() -> None:
    secret = "p&ss wörd/'1"
    said = f"refused {secret} in http://x/?k=p%26ss%20w%C3%B6rd%2F%271 and {secret!r}, cCZzcyB3w7ZyZC8nMQ=="
    assert masked(said, [secret, "", "abc"]).count(MASK) == 4
    assert masked_in({"a": [secret, 1], "b": {"c": secret}}, [secret]) == {"a": [MASK, 1], "b": {"c": MASK}}
