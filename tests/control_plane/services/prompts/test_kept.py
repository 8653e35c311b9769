"""Prompts of a project: their versions, who may see and change them, and what the audit says."""

from __future__ import annotations

import pytest

from control_plane.domain.errors import Denied, NameInvalid, NotFound, PromptChanged, PromptUnknown
from control_plane.domain.permissions import OWNER, VIEWER, Actor
from control_plane.domain.prompts.prompt import Prompt
from control_plane.services.prompts import kept
from control_plane.store.audit import AuditRecord
from control_plane.store.prompts import PromptVersionRecord
from fleet_support import Fleet

SHORT, SHORTER = Prompt("Be short."), Prompt("Be shorter.")


def test_each_change_is_a_version_and_none_changes(fleet: Fleet) -> None:
    first, made = kept.save(fleet.user, fleet.cp, "default", "short", SHORT)
    assert made and first.version.number == 1
    again, made = kept.save(fleet.user, fleet.cp, "default", "short", SHORT, base=1)
    assert not made and again.version.id == first.version.id
    second, made = kept.save(fleet.user, fleet.cp, "default", "short", SHORTER, base=1)
    assert made and second.version.number == 2
    back, made = kept.save(fleet.user, fleet.cp, "default", "short", SHORT)  # to an earlier one
    assert made and back.version.number == 3 and back.version.hash == first.version.hash
    assert kept.said(PromptVersionRecord.get_by_id(first.version.id)) == SHORT
    assert [one.number for one in kept.versions(first.prompt)] == [3, 2, 1]
    assert [one.version.number for one in kept.list_prompts(fleet.user, fleet.cp, "default")] == [3]
    entries = AuditRecord.select().where(AuditRecord.action == "prompt.save")
    assert [one.details["number"] for one in entries.order_by(AuditRecord.id)] == [1, 2, 3]


def test_a_version_is_found_by_name_and_number(fleet: Fleet) -> None:
    kept.save(fleet.user, fleet.cp, "default", "short", SHORT)
    kept.save(fleet.user, fleet.cp, "default", "short", SHORTER)
    said = {named: kept.said(kept.version(fleet.user, fleet.cp, "default", named).version) for named in
            ("short", "short@1", "short@2")}  # fmt: skip
    assert said == {"short": SHORTER, "short@1": SHORT, "short@2": SHORTER}
    for named in ("long", "short@3", "short@x", "short@-1", "@1", ""):
        with pytest.raises(PromptUnknown):
            kept.version(fleet.user, fleet.cp, "default", named)


def test_who_looked_at_an_older_one_is_told(fleet: Fleet) -> None:
    kept.save(fleet.user, fleet.cp, "default", "short", SHORT)
    kept.save(fleet.user, fleet.cp, "default", "short", SHORTER)
    with pytest.raises(PromptChanged) as refused:
        kept.save(fleet.user, fleet.cp, "default", "short", Prompt("Be long."), base=1)
    assert refused.value.params == {"number": 2}
    with pytest.raises(NameInvalid):
        kept.save(fleet.user, fleet.cp, "default", "No name", SHORT)


def test_a_viewer_reads_and_a_stranger_does_not(fleet: Fleet) -> None:
    saved, _ = kept.save(fleet.user, fleet.cp, "default", "short", SHORT)
    viewer = Actor(kind="user", id="7", name="vic", roles={fleet.project.id: VIEWER})
    assert kept.get(viewer, fleet.cp, saved.prompt.id).version.id == saved.version.id
    with pytest.raises(Denied):
        kept.save(viewer, fleet.cp, "default", "short", SHORTER)
    stranger = Actor(kind="user", id="8", name="bob", roles={999: OWNER})
    with pytest.raises(NotFound):
        kept.get(stranger, fleet.cp, saved.prompt.id)
    with pytest.raises(NotFound):
        kept.save(stranger, fleet.cp, "default", "short", SHORTER)
