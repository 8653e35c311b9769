"""Answers that say what their rows say: seen together, accepted at one press, and taken back at another."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from labelling_support import PROJECT, Desk, desk, pairs

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, LabellingClosed, NotFound
from control_plane.domain.permissions import SYSTEM
from control_plane.services import audit
from control_plane.services.labelling import agreeing, judging, making, summary
from control_plane.store.labelling import JudgementRecord


@pytest.fixture
def at(cp: ControlPlane) -> Iterator[Desk]:
    desk_ = desk(cp, lambda asked: str(asked["messages"][-1]["content"]).replace("question", "answer") + " \n")
    yield desk_
    desk_.cp.labellings.close()


ODD = [{"prompt": "odd", "completion": "even"}, {"prompt": '{"a": 1, "b": [2]}', "completion": '{"b":[2],"a":1}'}]


def shown(at: Desk, number: int) -> list[str]:
    return [one.row["prompt"] for one in agreeing.shown(at.ada, at.cp, number)]


def test_what_agrees_is_accepted_as_it_was_shown_and_taken_back(at: Desk) -> None:
    labelling = at.begun(at.keep([*pairs(25), *ODD]), deployment="helper")
    found = agreeing.shown(at.ada, at.cp, labelling.id)
    assert [one.row["prompt"] for one in found] == [f"question {n}" for n in range(20)]
    ids = [int(one.record.id) for one in found]
    judging.judge(at.ben, at.cp, ids[3], "reject")
    assert agreeing.accept(at.ada, at.cp, labelling.id, ids) == [one for one in ids if one != ids[3]]
    counts = summary.of(at.ada, at.cp, labelling.id).counts
    assert (counts.accepted, counts.rejected, counts.left) == (19, 1, 7)
    # the same JSON, written otherwise, agrees; another answer does not
    assert shown(at, labelling.id) == [*(f"question {n}" for n in range(20, 25)), ODD[1]["prompt"]]
    assert agreeing.take_back(at.ada, at.cp, labelling.id, ids) == 19
    counts = summary.of(at.ada, at.cp, labelling.id).counts
    assert (counts.accepted, counts.rejected, counts.left) == (0, 1, 26)
    assert agreeing.take_back(at.ada, at.cp, labelling.id, ids) == 0
    told = [(one.action, one.details["count"]) for one in audit.list_entries(SYSTEM, at.cp, PROJECT)[:3]]
    assert told == [("labelling.take_back", 0), ("labelling.take_back", 19), ("labelling.accept", 19)]


def test_only_what_agrees_and_is_the_labellings_is_accepted(at: Desk) -> None:
    labelling = at.begun(at.keep([*pairs(2), *ODD]), deployment="helper")
    items = [int(item.id) for item in at.items(labelling)]
    other = at.start(at.keep(pairs(3)))  # of the rows' own answers, where each agrees with itself
    own = [int(item.id) for item in at.items(other)]
    assert agreeing.shown(at.ada, at.cp, other.id) == []
    assert agreeing.accept(at.ada, at.cp, other.id, own) == []
    assert agreeing.accept(at.ada, at.cp, labelling.id, [*items, *own, 999_999]) == [items[0], items[1], items[3]]
    assert not JudgementRecord.select().where(JudgementRecord.item.in_([items[2], *own])).exists()
    assert agreeing.accept(at.ada, at.cp, labelling.id, items) == []
    for wrong in ([], list(range(1, 22))):
        with pytest.raises(FieldInvalid):
            agreeing.accept(at.ada, at.cp, labelling.id, wrong)
        with pytest.raises(FieldInvalid):
            agreeing.take_back(at.ada, at.cp, labelling.id, wrong)


def test_a_judgement_between_two_and_a_decision_stay(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(1)), deployment="helper", overlap=1.0)
    (item,) = (int(one.id) for one in at.items(labelling))
    assert agreeing.accept(at.ada, at.cp, labelling.id, [item]) == [item]
    judging.judge(at.ben, at.cp, item, "reject")
    judging.judge(at.cleo, at.cp, item, "accept")  # who decides
    assert agreeing.take_back(at.ada, at.cp, labelling.id, [item]) == 0
    assert agreeing.take_back(at.cleo, at.cp, labelling.id, [item]) == 0
    assert summary.of(at.ada, at.cp, labelling.id).counts.accepted == 1
    making.close(at.ada, at.cp, labelling.id)
    with pytest.raises(LabellingClosed):
        agreeing.accept(at.ada, at.cp, labelling.id, [item])
    with pytest.raises(NotFound):
        agreeing.shown(at.ada, at.cp, 999_999)


def test_json_of_another_value_does_not_agree(at: Desk) -> None:
    rows = [{"prompt": '{"a": 1}', "completion": '{"a": 2}'}, {"prompt": "[1", "completion": "[1"}]
    labelling = at.begun(at.keep(rows), deployment="helper")
    assert shown(at, labelling.id) == ["[1"] and json.loads(at.items(labelling)[0].answer) == {"a": 1}
