"""Answers and variations of an endpoint: marked, bounded by its budget, and without any use of a key's text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from endpoint_support import HERE, Model, Said, completion, refusal, serving
from labelling_support import PROJECT, Desk, desk, pairs

from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, NotFound
from control_plane.domain.labelling import Kind
from control_plane.domain.permissions import SYSTEM
from control_plane.services.datasets import rows
from control_plane.services.endpoints import asking, keeping
from control_plane.services.endpoints.keeping import Wanted
from control_plane.services.labelling import making, saving
from control_plane.services.labelling.making import Rows
from control_plane.store.labelling import LabelItemRecord


@pytest.fixture
def at(cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(asking, "_WAITS", (0.01, 0.01, 0.01))
    desk_ = desk(cp)
    settings = replace(desk_.cp.settings, endpoint_networks=type(cp.settings.endpoint_networks)(HERE))
    desk_.cp = replace(desk_.cp, settings=settings)
    yield desk_
    desk_.cp.labellings.close()


@pytest.fixture
def model() -> Iterator[Model]:
    with serving(upper) as model:
        yield model


def upper(asked: dict[str, Any]) -> Said:
    return completion(str(asked["messages"][-1]["content"]).upper())


def endpoint(at: Desk, model: Model, **more: Any) -> int:
    return int(keeping.save(SYSTEM, at.cp, PROJECT, "other", Wanted(model.address, "large-1", "a key", **more)).id)


def test_an_endpoint_answers_the_questions_of_rows(at: Desk, model: Model) -> None:
    endpoint(at, model)
    labelling = at.begun(at.keep(pairs(5)), endpoint="other", rows=Rows(count=3))
    assert (labelling.state, labelling.reason) == ("open", "")
    assert labelling.asked["kind"] == "endpoint" and "a key" not in json.dumps(labelling.asked)
    items = at.items(labelling)
    assert [item.answer for item in items] == [f"QUESTION {item.row - 1}" for item in items]
    with pytest.raises(NotFound):
        at.start(at.keep(pairs(6)), endpoint="nobody")
    with pytest.raises(FieldInvalid):
        at.start(at.keep(pairs(6)), endpoint="other", deployment="helper")


def test_rows_that_it_makes_up_are_marked_and_a_bad_one_is_its_items_alone(at: Desk, model: Model) -> None:
    def makes(asked: dict[str, Any]) -> Said:
        row = json.loads(asked["messages"][-1]["content"])
        if row["prompt"] == "question 1":
            return completion("no JSON")
        if row["prompt"] == "question 2":
            return refusal(400, "against our rules")
        return completion(json.dumps({"prompt": f"a wholly new {row['prompt']}?", "completion": "perhaps"}))

    model.answers = makes
    endpoint(at, model)
    labelling = at.begun(at.keep(pairs(3)), endpoint="other", kind=Kind.VARIATIONS)
    assert labelling.reason == ""
    assert [item.problem for item in at.items(labelling)] == ["", "variation_unreadable", "endpoint_refused"]
    assert at.judge_all(at.ada, labelling, "accept") == 1
    made, _ = saving.save(at.ada, at.cp, labelling.id)
    assert made.facts["generated"] == 1
    new = rows.page(at.ada, at.cp, made.id, "train", 3, 1)[0]
    assert (new["generated"]["by"], new["generated"]["model"]) == ("endpoint other", "large-1")


def test_asking_ends_with_the_budget_and_goes_on_when_somebody_wants_it(at: Desk, model: Model) -> None:
    number = endpoint(at, model, daily_calls=3)
    labelling = at.begun(at.keep(pairs(5)), endpoint="other")
    assert (labelling.state, labelling.reason) == ("open", "endpoint_spent")
    waiting = LabelItemRecord.state == "waiting"
    assert LabelItemRecord.select().where(waiting).count() == 2 and len(model.asked) == 3
    keeping.save(SYSTEM, at.cp, PROJECT, "other", Wanted(model.address, "large-1", daily_calls=100))
    making.resume(at.ada, at.cp, labelling.id)
    assert at.asked(labelling).reason == "" and len(model.asked) == 5
    # another model is not asked for the rest of the answers, nor one that is gone
    other = at.start(at.keep(pairs(7)), endpoint="other")
    keeping.save(SYSTEM, at.cp, PROJECT, "other", Wanted(model.address, "large-2"))
    assert at.asked(other).reason == "labelling_model_changed"
    other = at.start(at.keep(pairs(8)), endpoint="other")
    keeping.remove(SYSTEM, at.cp, number)
    assert at.asked(other).reason == "endpoint_gone" and len(model.asked) == 5


def test_a_key_that_is_refused_ends_the_asking_at_once(at: Desk, model: Model) -> None:
    model.answers = lambda _: refusal(401, "Incorrect API key provided: a key")
    endpoint(at, model)
    labelling = at.begun(at.keep(pairs(40)), endpoint="other")
    assert labelling.reason == "endpoint_key_refused" and len(model.asked) <= 4
    assert "a key" not in json.dumps(labelling.reason_params)
    assert not LabelItemRecord.select().where(LabelItemRecord.state == "unusable").exists()
