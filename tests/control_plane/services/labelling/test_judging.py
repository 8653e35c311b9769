"""The queue: who gets which item, what they say, and what two people make of it."""

from __future__ import annotations

import threading

import pytest
from labelling_support import Desk, desk, pairs

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    DecisionNotYours,
    Denied,
    FieldInvalid,
    ItemTaken,
    LabellingClosed,
    LabellingEmpty,
    LabellingTooLarge,
    LabellingUnfit,
    NotFound,
)
from control_plane.domain.labelling import LEASE_SECONDS
from control_plane.domain.permissions import VIEWER, Actor
from control_plane.services.labelling import judging, making, summary
from control_plane.services.labelling.making import Rows
from control_plane.store.audit import AuditRecord
from control_plane.store.database import release
from support import FakeClock


@pytest.fixture
def at(cp: ControlPlane) -> Desk:
    return desk(cp)


def test_a_person_accepts_corrects_and_rejects_the_rows_own_answers(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(4)))
    assert labelling.state == "open" and not at.engine.asked
    said = ("accept", ("correct", "better"), "reject", ("correct", " answer 3 "))
    assert at.judge_all(at.ada, labelling, *said) == 4
    told = [(item.answer, item.outcome, item.result) for item in at.items(labelling)]
    assert told == [
        ("answer 0", "accept", ""),
        ("answer 1", "correct", "better"),
        ("answer 2", "reject", ""),
        ("answer 3", "accept", ""),  # nothing was corrected
    ]
    counts = summary.of(at.ada, at.cp, labelling.id).counts
    assert (counts.accepted, counts.corrected, counts.rejected, counts.left) == (2, 1, 1, 0)
    actions = [entry.action for entry in AuditRecord.select().where(AuditRecord.subject == f"labelling:{labelling.id}")]
    assert actions == ["labelling.start", *["labelling.judge"] * 4]


def test_two_people_never_have_the_same_item_unless_both_judge_it(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(8)), overlap=0.25)
    shared = {item.id for item in at.items(labelling) if item.seats == 2}
    assert len(shared) == 2
    seen: dict[str, set[int]] = {"ada": set(), "ben": set()}
    while True:
        got = {name: judging.next_item(getattr(at, name), at.cp, labelling.id) for name in seen}
        if not any(got.values()):
            break
        open_ones = [item.record.id for item in got.values() if item]
        assert len(set(open_ones)) == len(open_ones) or set(open_ones) <= shared
        for name, item in got.items():
            if item:
                judging.judge(getattr(at, name), at.cp, item.record.id, "accept")
                seen[name].add(item.record.id)
    assert seen["ada"] & seen["ben"] == shared
    assert len(seen["ada"] | seen["ben"]) == 8


def test_many_at_one_queue_at_once_take_each_item_once(at: Desk) -> None:
    labelling, people = at.begun(at.keep(pairs(30))), (at.ada, at.ben, at.cleo)
    problems: list[BaseException] = []

    def work(actor: Actor) -> None:
        try:
            at.judge_all(actor, labelling, "accept")
        except BaseException as problem:  # noqa: BLE001  # of a thread: the test says so
            problems.append(problem)
        finally:
            release()

    threads = [threading.Thread(target=work, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert [(item.judged, item.outcome) for item in at.items(labelling)] == [(1, "accept")] * 30


def test_whoever_comes_back_has_their_item_still_and_after_the_lease_somebody_else_has_it(
    at: Desk, clock: FakeClock
) -> None:
    labelling = at.begun(at.keep(pairs(2)))
    first = judging.next_item(at.ada, at.cp, labelling.id)
    again = judging.next_item(at.ada, at.cp, labelling.id)  # the browser was closed
    assert first and again and first.record.id == again.record.id
    other = judging.next_item(at.ben, at.cp, labelling.id)
    assert other and other.record.id != first.record.id
    judging.judge(at.ben, at.cp, other.record.id, "accept")
    assert judging.next_item(at.ben, at.cp, labelling.id) is None
    clock.advance(LEASE_SECONDS + 1)
    taken = judging.next_item(at.ben, at.cp, labelling.id)
    assert taken and taken.record.id == first.record.id
    with pytest.raises(ItemTaken):  # it is being judged by somebody else now
        judging.judge(at.ada, at.cp, first.record.id, "reject")
    judging.judge(at.ben, at.cp, taken.record.id, "accept")
    with pytest.raises(ItemTaken):
        judging.judge(at.ada, at.cp, first.record.id, "reject")
    assert at.items(labelling)[0].outcome == "accept"


def test_a_judgement_that_comes_late_counts_where_nobody_else_has_the_item(at: Desk, clock: FakeClock) -> None:
    labelling = at.begun(at.keep(pairs(1)))
    item = judging.next_item(at.ada, at.cp, labelling.id)
    clock.advance(10 * LEASE_SECONDS)
    assert item and judging.judge(at.ada, at.cp, item.record.id, "reject").outcome == "reject"


def test_a_skipped_item_is_for_others_and_can_be_asked_for_again(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(2)))
    assert at.judge_all(at.ada, labelling, "skip", "accept") == 2
    assert judging.skipped_by(at.ada, labelling) == 1
    assert judging.unskip(at.ada, at.cp, labelling.id) == 1
    assert at.judge_all(at.ada, labelling, "accept") == 1
    assert [item.outcome for item in at.items(labelling)] == ["accept", "accept"]


def test_a_third_person_decides_where_two_disagree(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(3)), overlap=1.0)
    at.judge_all(at.ada, labelling, "accept", ("correct", "one"), "reject")
    at.judge_all(at.ben, labelling, "accept", ("correct", "two"), "reject")
    item = at.items(labelling)[1]
    assert [one.outcome for one in at.items(labelling)] == ["accept", "disagreed", "reject"]
    assert judging.next_item(at.cleo, at.cp, labelling.id) is None
    (listed,) = judging.list_items(at.cleo, at.cp, labelling.id, outcome="disagreed")
    assert [(one.judge_name, one.answer) for one in listed.said] == [("ada", "one"), ("ben", "two")]
    assert judging.judge(at.cleo, at.cp, item.id, "correct", "three").outcome == "correct"
    assert judging.judge(at.cleo, at.cp, item.id, "correct", "four").result == "four"  # they may think again
    with pytest.raises(DecisionNotYours):
        judging.judge(at.ada, at.cp, item.id, "reject")
    counts = summary.of(at.ada, at.cp, labelling.id)
    assert counts.counts.disagreed == 0
    (agreed,) = counts.agreed  # the decision is no judgement of the two
    assert (agreed.first, agreed.second, agreed.agreement.n) == ("ada", "ben", 3)


def test_one_of_two_may_come_round_before_anybody_decides(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(1)), overlap=1.0)
    at.judge_all(at.ada, labelling, "accept")
    at.judge_all(at.ben, labelling, "reject")
    item = at.items(labelling)[0]
    assert item.outcome == "disagreed"
    assert judging.judge(at.ada, at.cp, item.id, "reject").outcome == "reject"


def test_who_judges_second_is_not_told_what_the_first_said(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(1)), overlap=1.0)
    at.judge_all(at.ada, labelling, ("correct", "my own words"))
    item = judging.next_item(at.ben, at.cp, labelling.id)
    assert item and item.said == [] and "my own words" not in str(vars(item))
    assert judging.show(at.ben, at.cp, item.record.id).said == []


def test_nothing_more_is_judged_in_a_closed_labelling(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(2)))
    item = judging.next_item(at.ada, at.cp, labelling.id)
    making.close(at.ada, at.cp, labelling.id)
    assert item
    for act in (
        lambda: judging.next_item(at.ada, at.cp, labelling.id),
        lambda: judging.judge(at.ada, at.cp, item.record.id, "accept"),
        lambda: making.stop(at.ada, at.cp, labelling.id),
    ):
        with pytest.raises(LabellingClosed):
            act()
    assert making.close(at.ada, at.cp, labelling.id).state == "closed"


def test_strangers_see_nothing_and_viewers_judge_nothing(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(1)))
    item = at.items(labelling)[0]
    stranger = Actor(kind="user", id="99", name="eve", roles={})
    viewer = Actor(kind="user", id="98", name="vic", roles=dict.fromkeys(at.ada.roles, VIEWER))
    for actor, problem in ((stranger, NotFound), (viewer, Denied)):
        with pytest.raises(problem):
            judging.next_item(actor, at.cp, labelling.id)
        with pytest.raises(problem):
            judging.judge(actor, at.cp, item.id, "accept")
    assert summary.of(viewer, at.cp, labelling.id).counts.items == 1
    with pytest.raises(NotFound):
        judging.judge(at.ada, at.cp, 10**30, "accept")


@pytest.mark.parametrize(("action", "answer"), [("", ""), ("like", ""), ("correct", " "), ("correct", "x" * 100_001)])
def test_what_is_no_judgement_is_refused(at: Desk, action: str, answer: str) -> None:
    labelling = at.begun(at.keep(pairs(1)))
    with pytest.raises(FieldInvalid):
        judging.judge(at.ada, at.cp, at.items(labelling)[0].id, action, answer)


def test_rows_are_chosen_by_number_text_and_sample(at: Desk) -> None:
    version = at.keep(pairs(30), pairs(5, 100))

    def chosen(**rows: object) -> list[tuple[str, int]]:
        return [(item.split, item.row) for item in at.items(at.start(version, rows=Rows(**rows)))]

    assert chosen(numbers=[7, 3, 7]) == [("train", 3), ("train", 7)]
    assert chosen(text="question 2") == [("train", number) for number in (3, *range(21, 31))]
    assert chosen(split="test") == [("test", number) for number in range(1, 6)]
    some = chosen(split="all", count=6)
    assert (
        len(some) == 6
        and some == chosen(split="all", count=6)
        and some == sorted(some, key=lambda one: one[0] == "test")
    )
    assert len(chosen(split="all")) == 35


def test_what_cannot_be_judged_is_said(at: Desk) -> None:
    version = at.keep(pairs(3))
    with pytest.raises(LabellingEmpty):
        at.start(version, rows=Rows(text="nowhere"))
    with pytest.raises(FieldInvalid):
        at.start(version, rows=Rows(numbers=[4]))
    with pytest.raises(FieldInvalid):
        at.start(version, rows=Rows(split="left_out"))
    with pytest.raises(NotFound):
        at.start(version, deployment="nobody")
    with pytest.raises(LabellingTooLarge):
        at.start(at.keep(pairs(2_001)))
    text = at.keep([{"text": f"words {number}"} for number in range(3)])
    with pytest.raises(LabellingUnfit):
        at.start(text, deployment="helper")
    assert [item.answer for item in at.items(at.start(text))] == ["words 0", "words 1", "words 2"]
