"""Answers that are asked for in the background: of a stub that answers, rambles, breaks off, or says nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from labelling_support import Desk, Streamed, desk, event, pairs, upper, whole

from control_plane.context import ControlPlane
from control_plane.domain.errors import DeadlineExceeded, EngineFailed, FieldInvalid, MachineWentAway
from control_plane.domain.labelling import Kind
from control_plane.domain.permissions import SYSTEM
from control_plane.preparations import Preparations
from control_plane.services.labelling import fetching, making, summary
from control_plane.services.labelling.making import Rows
from control_plane.services.things import trash
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord
from control_plane.store.labelling import LabelItemRecord, LabellingRecord
from control_plane.store.models import ModelRecord
from control_plane.store.projects import MemberRecord
from patience import wait_until


@pytest.fixture
def at(cp: ControlPlane) -> Iterator[Desk]:
    desk_ = desk(cp)
    yield desk_
    desk_.cp.labellings.close()


def raising(problem: Exception) -> Callable[[dict[str, Any]], Streamed]:
    def answer(_: dict[str, Any]) -> Streamed:
        raise problem

    return answer


def endless() -> Iterator[bytes]:
    while True:
        yield event("and " * 20_000)


def test_each_question_is_answered_by_the_deployment(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(5)), deployment="helper", rows=Rows(count=3))
    assert labelling.state == "open" and labelling.reason == ""
    items = at.items(labelling)
    assert [item.answer for item in items] == [f"QUESTION {item.row - 1}" for item in items]
    assert {item.state for item in items} == {"ready"} and len(items) == 3
    assert all(asked["temperature"] == 0 and asked["max_tokens"] > 0 for asked in at.engine.asked)
    assert all(answer.closed for answer in at.engine.given)


def test_of_a_conversation_all_but_the_last_turn_is_asked(at: Desk) -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
    ]
    at.begun(at.keep([{"messages": turns}]), deployment="helper")
    assert at.engine.asked[0]["messages"] == turns[:-1]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda _: whole(" \n"), "answer_empty"),
        (lambda _: whole("on and on", finish="length"), "answer_cut"),
        (lambda _: Streamed(endless()), "answer_endless"),
        (lambda _: Streamed([b'{"error": {"message": "no such field"}}'], status=400), "request_refused"),
        (raising(EngineFailed(problem="HTTP 500")), "engine_failed"),
        (raising(DeadlineExceeded(seconds=1)), "deadline_exceeded"),
        (lambda _: Streamed([event("half")]), "engine_failed"),
        (lambda _: Streamed([b"data: {nonsense\n\n"]), "engine_failed"),
        (lambda _: Streamed([b"data: [1, 2]\n\n"]), "engine_failed"),
        (lambda _: Streamed([b'data: {"choices": 7}\n\n']), "engine_failed"),
        (lambda _: Streamed([]), "engine_failed"),
    ],
)
def test_what_is_no_answer_is_marked_and_counts_for_nothing(
    at: Desk, answer: Callable[[dict[str, Any]], Streamed], problem: str
) -> None:
    def some(asked: dict[str, Any]) -> Streamed:
        return whole("fine") if asked["messages"][-1]["content"] == "question 1" else answer(asked)

    at.engine.answers = some
    labelling = at.begun(at.keep(pairs(3)), deployment="helper")
    assert [(item.state, item.problem) for item in at.items(labelling)] == [
        ("unusable", problem), ("ready", ""), ("unusable", problem),
    ]  # fmt: skip
    counts = summary.of(at.ada, at.cp, labelling.id).counts
    assert (counts.items, counts.unusable, counts.left, counts.waiting) == (3, 2, 1, 0)
    assert at.judge_all(at.ada, labelling, "accept") == 1
    at.engine.answers = upper
    making.resume(at.ada, at.cp, labelling.id)
    at.asked(labelling)
    assert [item.answer for item in at.items(labelling)] == ["QUESTION 0", "fine", "QUESTION 2"]
    assert at.items(labelling)[1].outcome == "accept"


def test_an_engine_that_fails_again_and_again_is_asked_no_more_and_nothing_is_lost(at: Desk) -> None:
    at.engine.answers = raising(EngineFailed(problem="HTTP 500"))
    labelling = at.begun(at.keep(pairs(100)), deployment="helper")
    assert (labelling.state, labelling.reason) == ("open", "engine_failed")
    assert len(at.engine.asked) < 60
    at.engine.answers = upper
    making.resume(at.ada, at.cp, labelling.id)
    at.asked(labelling)
    assert {item.state for item in at.items(labelling)} == {"ready"}


def test_a_fault_of_ours_ends_the_asking_in_words_and_loses_nothing(at: Desk) -> None:
    at.engine.answers = raising(ZeroDivisionError())
    labelling = at.begun(at.keep(pairs(3)), deployment="helper")
    assert (labelling.state, labelling.reason) == ("open", "labelling_broke")
    assert {item.state for item in at.items(labelling)} == {"waiting"}


def test_where_nothing_serves_it_waits_and_goes_on_by_itself(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_PAUSE_SECONDS", 0.0)
    labelling = at.start(at.keep(pairs(2)), deployment="helper")
    ReplicaRecord.update(**{"state": "STARTING"}).execute()
    for _ in range(3):
        fetching.advance(at.cp)
        at.cp.labellings.join()
    found = LabellingRecord.get_by_id(labelling.id)
    assert (found.state, found.reason) == ("asking", "nothing_serves")
    assert {item.attempts for item in at.items(labelling)} == {0}
    ReplicaRecord.update(**{"state": "SERVING"}).execute()
    assert at.asked(labelling).reason == ""


def test_a_machine_that_goes_away_costs_an_item_nothing(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_PAUSE_SECONDS", 0.0)
    left = iter([MachineWentAway()] * 3)

    def answer(asked: dict[str, Any]) -> str:
        if (problem := next(left, None)) is not None:
            raise problem
        return upper(asked)

    at.engine.answers = answer
    labelling = at.begun(at.keep(pairs(4)), deployment="helper")
    assert {(item.state, item.attempts) for item in at.items(labelling)} == {("ready", 0)}


def test_another_model_in_the_deployment_ends_it(at: Desk) -> None:
    labelling = at.start(at.keep(pairs(2)), deployment="helper")
    ModelRecord.update(hash="another").where(ModelRecord.id == DeploymentRecord.get().model_id).execute()
    assert at.asked(labelling).reason == "labelling_model_changed"
    assert {item.state for item in at.items(labelling)} == {"waiting"}


def test_whoever_left_the_project_has_nothing_asked_in_their_name(at: Desk) -> None:
    labelling = at.start(at.keep(pairs(2)), deployment="helper")
    MemberRecord.delete().where(MemberRecord.user == int(at.ada.id)).execute()
    assert at.asked(labelling).reason == "denied"
    assert not at.engine.asked


def test_of_a_dataset_in_the_trash_nothing_is_asked_and_a_purged_one_takes_its_labellings_along(at: Desk) -> None:
    version = at.keep(pairs(2))
    labelling = at.start(version, deployment="helper")
    trash.delete(at.ada, at.cp, "dataset", version.dataset_id)
    assert at.asked(labelling).reason == "in_trash"
    assert not at.engine.asked and len(at.items(labelling)) == 2
    trash.purge(SYSTEM, at.cp, "dataset", version.dataset_id)
    assert LabellingRecord.select().count() == LabelItemRecord.select().count() == 0


def test_stopping_keeps_what_has_come_and_drops_what_comes_late(at: Desk) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slowly(request: dict[str, Any]) -> str:
        if request["messages"][-1]["content"] == "question 0":
            return "first"
        asked.set()
        go_on.wait()
        return "late"

    at.engine.answers = slowly
    labelling = at.start(at.keep(pairs(6)), deployment="helper")
    fetching.advance(at.cp)
    assert asked.wait(60)
    wait_until(lambda: at.items(labelling)[0].state == "ready")
    stopped = making.stop(at.ada, at.cp, labelling.id)
    at.cp.labellings.join()  # it does not wait for the model
    go_on.set()
    assert stopped.state == "open"
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == f"labelling-{labelling.id}"])
    assert [item.state for item in at.items(labelling)] == ["ready", *["waiting"] * 5]
    assert at.judge_all(at.ada, labelling, "accept") == 1


def test_another_process_goes_on_where_one_was_killed(at: Desk) -> None:
    labelling = at.start(at.keep(pairs(6)), deployment="helper")
    LabelItemRecord.update(state="ready", answer="before").where(LabelItemRecord.place <= 4).execute()
    after = replace(at.cp, labellings=Preparations())  # what a new process knows
    fetching.advance(after)
    after.labellings.join()
    assert len(at.engine.asked) == 2
    assert [item.answer for item in at.items(labelling)] == [*["before"] * 4, "QUESTION 4", "QUESTION 5"]


def test_so_many_are_asked_at_once(at: Desk) -> None:
    at = replace(at, cp=replace(at.cp, settings=replace(at.cp.settings, labellings=1)))
    version = at.keep(pairs(2))
    first, second = (at.start(version, deployment="helper") for _ in range(2))
    assert fetching.advance(at.cp) == 1
    at.cp.labellings.join()
    assert LabellingRecord.get_by_id(first.id).state == "open"
    assert LabellingRecord.get_by_id(second.id).state == "asking"
    at.asked(second)


# ---- variations


def new_row(asked: dict[str, Any]) -> str:
    seed = asked["seed"]
    text = f"alpha{seed} beta{seed} gamma{seed} delta{seed} epsilon{seed} zeta{seed} eta{seed}"
    return json.dumps({"prompt": text, "completion": f"new {seed}"})


def test_variations_are_made_of_chosen_rows(at: Desk) -> None:
    at.engine.answers = new_row
    labelling = at.begun(
        at.keep(pairs(5)), kind=Kind.VARIATIONS, deployment="helper", rows=Rows(numbers=[2, 4]), per_row=3,
        instruction="Make it harder.",
    )  # fmt: skip
    items = at.items(labelling)
    assert [(item.row, item.variation, item.state) for item in items] == [
        (row, number, "ready") for row in (2, 4) for number in (1, 2, 3)
    ]
    assert len({item.answer for item in items}) == 6
    asked = at.engine.asked[0]
    assert asked["messages"][0]["content"].startswith("Make it harder.\n")
    assert asked["response_format"]["json_schema"]["schema"]["required"] == ["prompt", "completion"]
    assert {json.loads(one["messages"][1]["content"])["prompt"] for one in at.engine.asked} == {
        "question 1",
        "question 3",
    }


def test_what_is_there_already_or_is_no_row_falls_out(at: Desk) -> None:
    long = "the third pump of hall seven leaks oil at its upper seal since monday morning"
    train = [{"prompt": long, "completion": "c"}, *pairs(3)]
    held_out = {"prompt": "held out", "completion": "yes"}
    said = iter([
        json.dumps(train[0]), json.dumps(held_out), json.dumps({"prompt": f"{long} early", "completion": "c"}),
        "I am sorry, I cannot do that.", json.dumps({"prompt": "", "completion": "c"}),
        json.dumps({"prompt": "new", "completion": "one"}), json.dumps({"prompt": "new", "completion": "one"}),
    ])  # fmt: skip
    at.engine.answers = lambda _: next(said)
    DeploymentRecord.update(slots=1).execute()  # one after the other
    labelling = at.begun(
        at.keep(train, [held_out]), kind=Kind.VARIATIONS, deployment="helper", rows=Rows(numbers=[1]), per_row=7
    )
    assert [item.problem for item in at.items(labelling)] == [
        "variation_duplicate", "variation_duplicate", "variation_near_duplicate", "variation_unreadable",
        "variation_unreadable", "", "variation_duplicate",
    ]  # fmt: skip


def test_after_a_restart_the_variations_that_came_before_are_known(at: Desk) -> None:
    at.engine.answers = lambda _: json.dumps({"prompt": "new", "completion": "one"})
    version = at.keep(pairs(2))
    labelling = at.begun(version, kind=Kind.VARIATIONS, deployment="helper", rows=Rows(numbers=[1]), per_row=2)
    making.resume(at.ada, at.cp, labelling.id)  # what fell out is asked for again
    at.asked(labelling)
    assert sorted(item.problem for item in at.items(labelling)) == ["", "variation_duplicate"]


@pytest.mark.parametrize(
    "wanted",
    [{"rows": Rows(split="test")}, {"rows": Rows(split="all")}, {"per_row": 11}, {"per_row": 0}, {"deployment": ""}],
)
def test_of_held_out_rows_and_without_bounds_none_are_made(at: Desk, wanted: dict[str, Any]) -> None:
    version = at.keep(pairs(3), pairs(2, 10))
    with pytest.raises(FieldInvalid):
        at.start(version, **({"kind": Kind.VARIATIONS, "deployment": "helper"} | wanted))
