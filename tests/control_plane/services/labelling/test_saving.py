"""The versions that come of a labelling: which rows are in them, in which part, and what is told of them."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import ANY

import pytest
from labelling_support import Desk, desk, pairs

from control_plane.context import ControlPlane
from control_plane.domain.datasets import digest
from control_plane.domain.errors import FieldInvalid, LabellingUnsettled
from control_plane.domain.labelling import Kind
from control_plane.services.datasets import editing, rows, versions
from control_plane.services.labelling import making, saving, summary
from control_plane.services.labelling.making import Rows
from control_plane.services.labelling.summary import Overtaken
from control_plane.store.audit import AuditRecord
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord


@pytest.fixture
def at(cp: ControlPlane) -> Desk:
    return desk(cp)


def both(at: Desk, version: DatasetVersionRecord) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    train, test = (rows.page(at.ada, at.cp, version.id, split, 0, 200) for split in ("train", "test"))
    return train, test


def pair(prompt: str, completion: str) -> dict[str, str]:
    return {"prompt": prompt, "completion": completion}


def test_own_answers_that_were_judged_become_a_version(at: Desk) -> None:
    version = at.keep(pairs(5), pairs(2, 10))
    labelling = at.begun(version, rows=Rows(split="all"))
    at.judge_all(
        at.ben, labelling, "accept", ("correct", "better"), "reject", "skip", "accept", ("correct", "held"), "skip"
    )
    made, reused = saving.save(at.ada, at.cp, labelling.id)
    train, test = both(at, made)
    assert train == [pairs(5)[0], pair("question 1", "better"), *pairs(2, 3)]
    assert test == [pair("question 10", "held"), pairs(1, 11)[0]]
    assert (made.number, made.created_by, reused) == (2, at.ada.id, False)
    told = {"labelling": labelling.id, "labelling_name": "faults", "labelled_from": version.id, "asked": ""}
    assert told.items() <= made.source.items()
    assert making.get(at.ada, at.cp, labelling.id).made_version_id == made.id
    assert "dataset.label" in {entry.action for entry in AuditRecord.select()}
    assert saving.save(at.ada, at.cp, labelling.id) == (made, True)
    only, _ = saving.save(at.ada, at.cp, labelling.id, keep_others=False)
    assert [row["prompt"] for row in both(at, only)[0]] == ["question 0", "question 1", "question 4"]


def test_a_models_answers_that_were_judged_become_a_version(at: Desk) -> None:
    version = at.keep(pairs(4), pairs(2, 10))
    labelling = at.begun(version, deployment="helper", rows=Rows(split="all"))
    at.judge_all(at.ben, labelling, "accept", ("correct", "right"), "reject", "skip", "accept", ("correct", "held"))
    train, test = both(at, saving.save(at.ada, at.cp, labelling.id, keep_others=False)[0])
    assert train == [pair("question 0", "QUESTION 0"), pair("question 1", "right")]
    assert test == [pairs(1, 10)[0], pair("question 11", "held")]


def test_a_models_answers_are_no_reference_to_measure_it_by(at: Desk) -> None:
    version = at.keep(pairs(2), pairs(3, 10))
    labelling = at.begun(version, deployment="helper", rows=Rows(split="test"))
    at.judge_all(at.ben, labelling, "accept", "reject", ("correct", "by a person"))
    train, test = both(at, saving.save(at.ada, at.cp, labelling.id)[0])
    assert train == pairs(2) and test == [*pairs(2, 10), pair("question 12", "by a person")]


def test_a_newer_version_of_the_labelled_data_is_told_of(at: Desk) -> None:
    version = at.keep(pairs(3), pairs(1, 10))
    labelling, other = (at.begun(version, rows=Rows(numbers=[number])) for number in (1, 2))
    for one in (labelling, other):
        at.judge_all(at.ben, one, ("correct", "better"))
    made, _ = saving.save(at.ada, at.cp, labelling.id)
    assert summary.of(at.ada, at.cp, labelling.id).overtaken is None  # its own version is none that it lacks
    assert summary.of(at.ada, at.cp, other.id).overtaken == Overtaken(1, 2, made.id)
    edited, _ = editing.edit(at.ada, at.cp, made.id, "train", {3: pair("newer", "by hand")})
    again, _ = saving.save(at.ada, at.cp, other.id)
    assert pair("newer", "by hand") not in both(at, again)[0]
    for one in (labelling, other):
        assert summary.of(at.ada, at.cp, one.id).overtaken == Overtaken(1, edited.number if one == other else 4, ANY)


def test_pairs_and_judged_answers_become_datasets_of_their_own(at: Desk) -> None:
    version = at.keep(pairs(3), pairs(1, 10))
    labelling = at.begun(version, deployment="helper", rows=Rows(split="all"))
    at.judge_all(at.ben, labelling, "accept", ("correct", "right"), "reject", ("correct", "held"))
    compared, _ = saving.save(at.ada, at.cp, labelling.id, "preference")
    assert both(at, compared) == (
        [{"prompt": "question 1", "chosen": "right", "rejected": "QUESTION 1"}],
        [{"prompt": "question 10", "chosen": "held", "rejected": "QUESTION 10"}],
    )
    judged, _ = saving.save(at.ada, at.cp, labelling.id, "unpaired_preference")
    train, test = both(at, judged)
    assert [(row["prompt"], row["completion"], row["label"]) for row in train] == [
        ("question 0", "QUESTION 0", True), ("question 1", "QUESTION 1", False), ("question 1", "right", True),
        ("question 2", "QUESTION 2", False),
    ]  # fmt: skip
    assert [row["label"] for row in test] == [False, True]
    names = {one.id: DatasetRecord.get_by_id(one.dataset_id).name for one in (compared, judged)}
    assert names == {compared.id: "faults-pairs", judged.id: "faults-judged"}


def test_of_conversations_the_last_turn_is_answered_anew(at: Desk) -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a"},
    ]
    labelling = at.begun(at.keep([{"messages": turns, "id": 7}]), deployment="helper")
    at.judge_all(at.ben, labelling, ("correct", "better"))
    (row,) = both(at, saving.save(at.ada, at.cp, labelling.id)[0])[0]
    assert row == {"messages": [*turns[:2], {"role": "assistant", "content": "better"}], "id": 7}
    (row,) = both(at, saving.save(at.ada, at.cp, labelling.id, "preference")[0])[0]
    assert row == {"prompt": turns[:2], "chosen": "better", "rejected": "U"}


def test_an_answer_that_makes_a_row_a_held_out_one_is_left_out(at: Desk) -> None:
    held_out = pair("question 0", "QUESTION 0")
    labelling = at.begun(at.keep(pairs(2), [held_out]), deployment="helper")
    at.judge_all(at.ben, labelling, "accept")
    train, test = both(at, saving.save(at.ada, at.cp, labelling.id)[0])
    assert train == [pair("question 1", "QUESTION 1")] and test == [held_out]


def test_any_character_goes_through(at: Desk) -> None:
    odd = "\0 \u202e \U0001f600 \x1b[31m"
    at.engine.answers = lambda _: odd
    version = at.keep([pair("q" + odd, odd), pair("r", "s")])
    own = at.begun(version, rows=Rows(numbers=[1]))
    asked = at.begun(version, deployment="helper")
    assert [item.answer for item in at.items(own) + at.items(asked)] == [odd] * 3
    at.judge_all(at.ben, asked, ("correct", odd + "!"), "accept")
    train, _ = both(at, saving.save(at.ada, at.cp, asked.id)[0])
    assert train == [pair("q" + odd, odd + "!"), pair("r", odd)]


def test_what_is_disputed_or_not_judged_is_not_saved(at: Desk) -> None:
    labelling = at.begun(at.keep(pairs(2)), overlap=1.0)
    with pytest.raises(LabellingUnsettled):
        saving.save(at.ada, at.cp, labelling.id)
    at.judge_all(at.ada, labelling, "accept", ("correct", "better"))
    at.judge_all(at.ben, labelling, "reject", ("correct", "better"))
    train, _ = both(at, saving.save(at.ada, at.cp, labelling.id)[0])
    assert train == [pairs(1)[0], pair("question 1", "better")]
    with pytest.raises(FieldInvalid):
        saving.save(at.ada, at.cp, labelling.id, "anything")


def test_accepted_variations_are_marked_for_ever_and_never_held_out(at: Desk) -> None:
    at.engine.answers = lambda asked: json.dumps(pair(f"new {asked['seed']}", "made up"))
    version = at.keep(pairs(4), pairs(2, 10))
    labelling = at.begun(version, kind=Kind.VARIATIONS, deployment="helper", rows=Rows(numbers=[2]), per_row=3)
    at.judge_all(at.ben, labelling, "accept", ("correct", json.dumps(pair("mended", "by hand"))), "reject")
    made, _ = saving.save(at.ada, at.cp, labelling.id)
    train, test = both(at, made)
    assert train[:4] == pairs(4) and test == pairs(2, 10)
    mark = {
        "key": digest(pairs(4)[1]).hex(),
        "version": version.id,
        "row": 2,
        "by": "deployment helper",
        "model": "helperpumps",
    }
    mark["model"] = train[4]["generated"]["model"]
    assert [row["generated"] for row in train[4:]] == [mark, mark]
    assert train[5]["completion"] == "by hand"
    assert made.facts["generated"] == 2
    edited, _ = editing.edit(at.ada, at.cp, made.id, "train", {5: pair("changed", "too")})
    assert both(at, edited)[0][4] == pair("changed", "too") | {"generated": mark}
    answers = at.begun(edited, rows=Rows(numbers=[5]))  # judged again, and as pairs, it stays a made row
    at.judge_all(at.ben, answers, ("correct", "once more"))
    assert both(at, saving.save(at.ada, at.cp, answers.id)[0])[0][4]["generated"] == mark
    assert both(at, saving.save(at.ada, at.cp, answers.id, "preference")[0])[0][0]["generated"] == mark
    with pytest.raises(FieldInvalid):
        saving.save(at.ada, at.cp, labelling.id, "preference")


def test_rejected_variations_alone_make_no_version(at: Desk) -> None:
    at.engine.answers = lambda asked: json.dumps(pair(f"new {asked['seed']}", "made up"))
    labelling = at.begun(at.keep(pairs(2)), kind=Kind.VARIATIONS, deployment="helper")
    at.judge_all(at.ben, labelling, "reject")
    with pytest.raises(LabellingUnsettled):
        saving.save(at.ada, at.cp, labelling.id)
    assert len(versions.list_versions(at.ada, at.cp, "pumps")) == 1
