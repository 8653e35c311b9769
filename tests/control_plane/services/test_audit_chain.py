"""The chain shows whatever is done to the record behind our back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import Denied
from control_plane.domain.permissions import OWNER, SYSTEM, Actor
from control_plane.services import audit, audit_chain
from control_plane.store.audit import AuditRecord, AuditSealRecord
from control_plane.store.database import database, transaction


@pytest.fixture
def entries(cp: ControlPlane) -> list[int]:
    write(cp, 5)
    assert audit_chain.seal(cp) == 5
    return [entry.id for entry in AuditRecord.select().order_by(AuditRecord.id)]


def write(cp: ControlPlane, count: int) -> None:
    with transaction():
        for number in range(count):
            audit.record(SYSTEM, cp, "job.submit", f"job:{number}", note=f"größer {number}")


def problem(cp: ControlPlane, evidence: str = "") -> tuple[str, dict[str, object]]:
    """What a check finds."""
    found = audit_chain.check(SYSTEM, cp, evidence)
    return found.code, found.params


def test_untouched_chain_holds_and_grows(cp: ControlPlane, entries: list[int]) -> None:
    assert audit_chain.seal(cp) == 0
    assert problem(cp) == ("", {})
    with transaction():
        audit.record(SYSTEM, cp, "job.cancel", "job:1")
    assert audit_chain.seal(cp) == 2  # the check is an entry too
    assert problem(cp) == ("", {})


def test_changed_entry_is_found(cp: ControlPlane, entries: list[int]) -> None:
    AuditRecord.update(details={"note": "forged"}).where(AuditRecord.id == entries[2]).execute()
    assert problem(cp) == ("audit_entry_changed", {"entry": entries[2]})


def test_removed_entry_is_found(cp: ControlPlane, entries: list[int]) -> None:
    AuditRecord.delete().where(AuditRecord.id == entries[3]).execute()
    assert problem(cp) == ("audit_entry_changed", {"entry": entries[3]})


def test_a_column_that_is_added_later_breaks_no_seal(
    cp: ControlPlane, entries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_column(entry: AuditRecord, *arguments: object, **named: object) -> None:
        load(entry, *arguments, **named)
        entry.__data__["reason"] = None

    load = AuditRecord.__init__
    monkeypatch.setattr(AuditRecord, "__init__", with_column)
    assert "reason" in AuditRecord.get_by_id(entries[0]).__data__
    head = audit_chain._read(cp, audit_chain.head_text(cp))
    assert audit_chain._walk(cp, [head]) == (5, None)


@pytest.mark.parametrize("field", sorted(set(AuditRecord._meta.fields) - {"id"}))
def test_no_column_of_an_entry_is_left_out_of_its_seal(cp: ControlPlane, entries: list[int], field: str) -> None:
    forged = {"at": 1.0, "project_id": 77, "details": {}}.get(field, "forged")
    AuditRecord.update({field: forged}).where(AuditRecord.id == entries[2]).execute()
    assert problem(cp) == ("audit_entry_changed", {"entry": entries[2]})


def test_an_entry_that_was_committed_late_is_still_sealed(cp: ControlPlane, entries: list[int]) -> None:
    late = AuditRecord.get_by_id(entries[-1])
    AuditRecord.create(**{**late.__data__, "id": entries[-1] + 9})
    assert audit_chain.seal(cp) == 1
    AuditRecord.create(**{**late.__data__, "id": entries[-1] + 8})
    assert audit_chain.seal(cp) == 1
    assert problem(cp) == ("", {})


# ---- what was not seen before


def remove_end(cp: ControlPlane, entries: list[int]) -> None:
    AuditRecord.delete().where(AuditRecord.id.in_(entries[3:])).execute()
    AuditSealRecord.delete().where(AuditSealRecord.entry.in_(entries[3:])).execute()


def remove_end_and_use_its_numbers_again(cp: ControlPlane, entries: list[int]) -> None:
    remove_end(cp, entries)
    template = AuditRecord.get_by_id(entries[0]).__data__
    for number in entries[3:]:
        AuditRecord.create(**{**template, "id": number, "subject": "forged"})


def remove_all(cp: ControlPlane, entries: list[int]) -> None:
    AuditRecord.delete().execute()
    AuditSealRecord.delete().execute()


def remove_seals(cp: ControlPlane, entries: list[int]) -> None:
    AuditSealRecord.delete().execute()


@pytest.mark.parametrize("attack", [remove_end, remove_end_and_use_its_numbers_again, remove_all, remove_seals])
@pytest.mark.parametrize("goes_on", [False, True])
def test_a_shorter_chain_is_found(
    cp: ControlPlane, entries: list[int], attack: Callable[[ControlPlane, list[int]], None], goes_on: bool
) -> None:
    """… also when more was sealed since: the head that was written before stays as the evidence."""
    attack(cp, entries)
    if goes_on:
        write(cp, 7)
        audit_chain.seal(cp)
        audit_chain.seal(cp)
    assert problem(cp)[0] == "audit_end_missing"


def test_a_chain_that_is_computed_again_is_found(cp: ControlPlane, entries: list[int]) -> None:
    """All can be known of it but the key."""
    AuditRecord.update(subject="forged").where(AuditRecord.id == entries[1]).execute()
    link = ""
    for seal in AuditSealRecord.select().order_by(AuditSealRecord.id):
        data = AuditRecord.get_by_id(seal.entry).__data__
        sealed = {name: data[name] for name in audit_chain._SEALED_FIELDS}
        text = json.dumps(sealed, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        link = hashlib.sha256((link + text).encode()).hexdigest()
        AuditSealRecord.update(hash=link).where(AuditSealRecord.id == seal.id).execute()
    assert problem(cp)[0] == "audit_entry_changed"


def test_another_column_is_found(cp: ControlPlane, entries: list[int]) -> None:
    database.obj.execute_sql("ALTER TABLE audit ADD COLUMN excuse TEXT")
    assert problem(cp) == ("audit_columns_other", {"columns": ["excuse"]})


def test_a_head_that_is_gone_or_forged_is_found(cp: ControlPlane, entries: list[int]) -> None:
    head = cp.settings.data / "audit.head"
    good = head.read_text()
    head.write_text(good.replace('"count": 5', '"count": 3'))
    audit_chain.seal(cp)
    assert problem(cp)[0] == "audit_head_missing"
    head.unlink()
    assert problem(cp)[0] == "audit_head_missing"
    audit_chain.seal(cp)
    audit_chain.seal(cp)
    assert problem(cp) == ("", {})
    assert AuditRecord.select().where(AuditRecord.action == "audit.head").count() == 1  # that stays


def test_the_head_of_an_earlier_export_is_evidence(cp: ControlPlane, entries: list[int]) -> None:
    """Kept elsewhere, it shows what somebody with the data folder did."""
    kept = audit_chain.head_text(cp)
    write(cp, 2)
    audit_chain.seal(cp)
    assert problem(cp, kept) == ("", {})
    remove_all(cp, entries)
    (cp.settings.data / "audit.head").unlink()
    write(cp, 9)
    audit_chain.seal(cp)
    assert problem(cp) == ("", {})
    assert problem(cp, kept) == ("audit_end_missing", {"count": 5, "entry": entries[-1]})
    assert problem(cp, "{}")[0] == "audit_head_missing"


def test_an_entry_put_in_long_afterwards_is_found(
    cp: ControlPlane, entries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chain, "_LATE_ENTRIES", 2)
    AuditRecord.create(**{**AuditRecord.get_by_id(entries[0]).__data__, "id": -1})
    audit_chain.seal(cp)
    assert problem(cp) == ("audit_entry_unsealed", {"entry": -1})


def test_no_number_is_given_twice(cp: ControlPlane, entries: list[int]) -> None:
    AuditRecord.delete().where(AuditRecord.id == entries[-1]).execute()
    AuditSealRecord.delete().where(AuditSealRecord.entry == entries[-1]).execute()
    seals = [seal.id for seal in AuditSealRecord.select()]
    write(cp, 1)
    audit_chain.seal(cp)
    assert AuditRecord.select().order_by(AuditRecord.id.desc()).get().id > entries[-1]
    assert AuditSealRecord.select().order_by(AuditSealRecord.id.desc()).get().id > max(seals) + 1


def test_a_check_is_written_down_and_made_daily(cp: ControlPlane, entries: list[int]) -> None:
    assert audit_chain.last_check() is None
    audit_chain.check_daily(cp)
    first = audit_chain.last_check()
    assert first is not None
    assert (first.at, first.count, first.code) == (cp.clock(), 5, "")
    cp.clock.advance(86_000)  # type: ignore[attr-defined]
    audit_chain.check_daily(cp)
    assert audit_chain.last_check() == first
    cp.clock.advance(401)  # type: ignore[attr-defined]
    remove_end(cp, entries)
    audit_chain.check_daily(cp)
    newest = audit_chain.last_check()
    assert newest is not None
    assert (newest.at, newest.code) == (cp.clock(), "audit_end_missing")


def test_only_administrators_check(cp: ControlPlane, entries: list[int]) -> None:
    with pytest.raises(Denied):
        audit_chain.check(Actor(kind="user", id="1", name="ann", roles={1: OWNER}), cp)
