"""Rewards as they are kept: versions that never change, and who may see and write them."""

from __future__ import annotations

from typing import Any

import pytest

from control_plane.domain import errors
from control_plane.domain.permissions import VIEWER, Actor
from control_plane.services import method_folders
from control_plane.services.rewards import documents, kept
from control_plane.services.things import trash
from control_plane.store.audit import AuditRecord
from control_plane.store.rewards import RewardRecord, RewardVersionRecord
from fleet_support import Fleet

CHECKS: list[dict[str, Any]] = [{"check": "json_valid", "weight": 1}, {"check": "json_fields", "weight": 3}]


def save(fleet: Fleet, document: Any = CHECKS, **given: Any) -> RewardVersionRecord:
    return kept.save(fleet.user, fleet.cp, "default", "record", document, **given)


def test_a_version_is_made_where_the_document_says_something_else(fleet: Fleet) -> None:
    first = save(fleet, title="A record")
    assert save(fleet, {"checks": CHECKS}).id == first.id
    second = save(fleet, CHECKS[:1], base=1)
    assert (first.number, second.number) == (1, 2) and first.hash != second.hash
    found = kept.get(fleet.user, fleet.cp, "default", "record")
    assert (found.version.id, found.reward.title) == (second.id, "A record")
    assert kept.get(fleet.user, fleet.cp, "default", "record@1").checks[1]["parameters"] == {
        "fields": [],
        "strict": False,
    }
    assert [one.number for one in kept.versions(found.reward)] == [2, 1]
    assert [one.version.number for one in kept.list_rewards(fleet.user, fleet.cp, "default")] == [2]
    told = AuditRecord.select().where(AuditRecord.action == "reward.save").order_by(AuditRecord.id)
    assert [one.details["number"] for one in told] == [1, 2]


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(fleet: Fleet) -> None:
    save(fleet)
    save(fleet, CHECKS[:1])
    with pytest.raises(errors.RewardChanged):
        save(fleet, CHECKS[1:], base=1)
    assert RewardVersionRecord.select().count() == 2


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"fields": "name"}, errors.RewardParameterUnfit),
        ({"fields": [""]}, errors.RewardParameterUnfit),
        ({"colour": 1}, errors.RewardParameterUnknown),
    ],
)
def test_parameters_are_held_against_their_schema(fleet: Fleet, parameters: Any, problem: type[errors.Invalid]) -> None:
    with pytest.raises(problem) as refused:
        save(fleet, [*CHECKS, {"check": "json_fields", "parameters": parameters}])
    assert (refused.value.params["number"], refused.value.params["check"]) == (3, "json_fields")
    assert not RewardRecord.select().exists()


def test_what_must_be_given_and_what_is_no_schema_is_refused(fleet: Fleet) -> None:
    with pytest.raises(errors.RewardParameterMissing):
        save(fleet, [{"check": "regex"}])
    with pytest.raises(errors.RewardParameterUnfit):
        save(fleet, [{"check": "json_schema", "parameters": {"schema": {"type": "objekt"}}}])


def test_each_check_of_the_catalogue_can_be_taken(fleet: Fleet) -> None:
    given = {"field": "name", "values": ["a"], "texts": ["a"], "pattern": "a", "tables": "CREATE TABLE a (b);",
             "schema": {"type": "object"}}  # fmt: skip
    for name, check in method_folders.checks(fleet.cp).items():
        needed = {key: given[key] for key, one in check["parameters"].items() if key in given and "default" not in one}
        assert documents.read(fleet.cp, [{"check": name, "parameters": needed}])["checks"][0]["check"] == name


def test_a_viewer_sees_and_a_stranger_knows_nothing(fleet: Fleet) -> None:
    save(fleet)
    viewer = Actor(kind="user", id="7", name="vic", roles={fleet.project.id: VIEWER})
    assert kept.get(viewer, fleet.cp, "default", "record@1").version.number == 1
    with pytest.raises(errors.Denied):
        kept.save(viewer, fleet.cp, "default", "record", CHECKS)
    with pytest.raises(errors.NotFound):
        kept.get(Actor(kind="user", id="8", name="eve"), fleet.cp, "default", "record")
    for named in ("other", "record@9", "record@x", "record@²"):
        with pytest.raises(errors.RewardUnknown):
            kept.get(viewer, fleet.cp, "default", named)


def test_what_is_in_the_trash_says_so_and_gives_its_name_free(fleet: Fleet) -> None:
    number = save(fleet).reward_id
    trash.delete(fleet.user, fleet.cp, "reward", number)
    with pytest.raises(errors.InTrash):
        kept.get(fleet.user, fleet.cp, "default", "record")
    assert kept.list_rewards(fleet.user, fleet.cp, "default") == []
    assert save(fleet, CHECKS[:1]).reward_id != number
    with pytest.raises(errors.NameTaken):
        trash.restore(fleet.user, fleet.cp, "reward", number)
    trash.purge(Actor(kind="user", id="3", name="root", administrator=True), fleet.cp, "reward", number)
    assert RewardVersionRecord.get(RewardVersionRecord.reward == number).document == {}
