"""The chain shows each later change of an entry."""

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied, NotFound
from control_plane.domain.permissions import OWNER, SYSTEM, VIEWER, Actor
from control_plane.services import audit
from control_plane.services.access import projects
from control_plane.store.audit import AuditRecord
from control_plane.store.database import transaction


@pytest.fixture
def entries(cp: ControlPlane) -> list[int]:
    with transaction():
        for number in range(5):
            audit.record(SYSTEM, cp, "job.submit", f"job:{number}", note=f"größer {number}")
    assert audit.seal(cp) == 5
    return [entry.id for entry in AuditRecord.select().order_by(AuditRecord.id)]


def test_untouched_chain_holds_and_grows(cp: ControlPlane, entries: list[int]) -> None:
    assert audit.verify(cp) is None
    assert audit.seal(cp) == 0
    with transaction():
        audit.record(SYSTEM, cp, "job.cancel", "job:1")
    assert audit.seal(cp) == 1
    assert audit.verify(cp) is None


def test_changed_entry_is_found(cp: ControlPlane, entries: list[int]) -> None:
    AuditRecord.update(details={"note": "forged"}).where(AuditRecord.id == entries[2]).execute()
    assert audit.verify(cp) == entries[2]


def test_removed_entry_is_found(cp: ControlPlane, entries: list[int]) -> None:
    AuditRecord.delete().where(AuditRecord.id == entries[3]).execute()
    assert audit.verify(cp) == entries[3]


def test_a_column_that_is_added_later_breaks_no_seal(
    cp: ControlPlane, entries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_column(entry: AuditRecord, *arguments: object, **named: object) -> None:
        load(entry, *arguments, **named)
        entry.__data__["reason"] = None

    load = AuditRecord.__init__
    monkeypatch.setattr(AuditRecord, "__init__", with_column)
    assert "reason" in AuditRecord.get_by_id(entries[0]).__data__
    assert audit.verify(cp) is None


@pytest.mark.parametrize("field", sorted(set(AuditRecord._meta.fields) - {"id"}))
def test_no_column_of_an_entry_is_left_out_of_its_seal(cp: ControlPlane, entries: list[int], field: str) -> None:
    forged = {"at": 1.0, "project_id": 77, "details": {}}.get(field, "forged")
    AuditRecord.update({field: forged}).where(AuditRecord.id == entries[2]).execute()
    assert audit.verify(cp) == entries[2]


def test_an_entry_that_was_committed_late_is_still_sealed(cp: ControlPlane, entries: list[int]) -> None:
    late = AuditRecord.get_by_id(entries[-1])
    AuditRecord.create(**{**late.__data__, "id": entries[-1] + 2})
    assert audit.seal(cp) == 1
    AuditRecord.create(**{**late.__data__, "id": entries[-1] + 1})
    assert audit.seal(cp) == 1
    assert audit.verify(cp) is None


def test_a_rolled_back_change_leaves_no_entry(cp: ControlPlane) -> None:
    with pytest.raises(RuntimeError), transaction():
        audit.record(SYSTEM, cp, "job.submit", "job:1")
        raise RuntimeError
    assert AuditRecord.select().count() == 0


def test_who_reads_what(cp: ControlPlane, entries: list[int]) -> None:
    project = projects.create(SYSTEM, cp, "pumps", "")
    projects.create(SYSTEM, cp, "turbines", "")
    owner = Actor(kind="user", id="1", name="ann", roles={project.id: OWNER})
    assert [entry.action for entry in audit.list_entries(owner, cp, "pumps")] == ["project.create"]
    with pytest.raises(NotFound):
        audit.list_entries(owner, cp, "turbines")
    with pytest.raises(Denied):
        audit.list_entries(owner, cp)
    with pytest.raises(Denied):
        audit.list_entries(Actor(kind="user", id="2", name="vic", roles={project.id: VIEWER}), cp, "pumps")
    newest = audit.list_entries(SYSTEM, cp, limit=3)
    older = audit.list_entries(SYSTEM, cp, before=newest[-1].id)
    assert [entry.id for entry in newest + older] == sorted((entry.id for entry in newest + older), reverse=True)
