"""Entries of the audit record: written with their change, read by those who may."""

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
    return [entry.id for entry in AuditRecord.select().order_by(AuditRecord.id)]


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


def test_what_is_looked_for_is_found_by_the_database(cp: ControlPlane, entries: list[int]) -> None:
    with transaction():
        audit.record(Actor(kind="user", id="1", name="Ada_L"), cp, "job.cancel", "job:50%")

    def found(**wanted: object) -> list[str]:
        return [entry.subject for entry in audit.list_entries(SYSTEM, cp, wanted=audit.Wanted(**wanted))]  # type: ignore[arg-type]

    assert found(who="ada_") == ["job:50%"]  # neither _ nor % is a wildcard
    assert found(subject="0%") == ["job:50%"]
    assert found(action="cancel") == ["job:50%"]
    assert found(action="abbruch", actions=["job.cancel"]) == ["job:50%"]
    assert len(found(action="JOB.")) == 6
    assert found(who="ada", subject="job:1") == []
