"""A reward tried out: what right, wrong and empty answers score, and what is said about it. The checks run for real, in
the process in which they always do; the model that gives samples is played."""

from __future__ import annotations

import json
import shutil
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from control_plane.domain import errors
from control_plane.domain.permissions import OWNER, VIEWER, Actor
from control_plane.domain.rewards import templates
from control_plane.domain.rewards.dry_run import GAMES, RIGHT, WRONG, Trial
from control_plane.services import method_folders
from control_plane.services.datasets import json_lines
from control_plane.services.labelling import answering
from control_plane.services.rewards import dry_running, kept
from control_plane.store.audit import AuditRecord
from control_plane.store.people import UserRecord
from control_plane.store.projects import MemberRecord
from control_plane.store.rewards import RewardDryRunRecord
from fleet_support import Fleet

METHODS = method_folders.SHIPPED[0]
PARTS = ("pump", "fan", "valve", "belt", "motor")


WORDS = [
    "river",
    "quiet",
    "morning",
    "bright",
    "stone",
    "carries",
    "letter",
    "winter",
    "garden",
    "slowly",
    "answer",
    "copper",
    "window",
    "travels",
    "kindly",
    "engine",
    "paper",
    "north",
    "gentle",
    "harbour",
    "repairs",
    "signal",
    "amber",
    "careful",
    "walks",
    "yellow",
    "summer",
    "promise",
    "returns",
    "open",
    "maple",
]


def record(number: int) -> str:
    return json.dumps({"part": PARTS[number % 5], "number": number, "site": f"hall {number % 7}"})


ANSWERS = {
    "record": record,
    "extraction": lambda number: json.dumps({"value": number * 1.5 + 1, "unit": ("nM", "µM", "mM")[number % 3]}),
    "classification": lambda number: ("complaint", "order", "question", "praise", "other")[number % 5],
    "calculation": lambda number: f"{number} + {number} = {2 * number}. The answer is {2 * number}",
    "style": lambda number: " ".join(WORDS[(number * 7 + place * 11) % len(WORDS)] for place in range(9)),
}


@pytest.fixture(autouse=True)
def author(fleet: Fleet) -> None:
    """Whoever asks is a user of the project: a run goes on in their name."""
    UserRecord.get_or_create(id=int(fleet.user.id), defaults={"name": "ada", "created_at": 0.0})
    MemberRecord.get_or_create(project=fleet.project.id, user=int(fleet.user.id), defaults={"role": OWNER.name})


def upload(fleet: Fleet, answer: Any, count: int = 40) -> int:
    rows = ({"prompt": f"What does note {number} say?", "completion": answer(number)} for number in range(count))
    text = "".join(json.dumps(row) + "\n" for row in rows)
    version, _ = json_lines.upload(fleet.user, fleet.cp, "default", "notes", BytesIO(text.encode()), None)
    return int(version.id)


def carry_out(fleet: Fleet) -> None:
    dry_running.advance(fleet.cp)
    fleet.cp.dry_runs.join()


def tried(fleet: Fleet, checks: Any, answer: Any = record, count: int = 40, **asked: str) -> Trial:
    kept.save(fleet.user, fleet.cp, "default", "tried", checks)
    begun = dry_running.start(fleet.user, fleet.cp, "default", "tried", upload(fleet, answer, count), **asked)
    carry_out(fleet)
    found = dry_running.get(fleet.user, fleet.cp, begun.id)
    assert (found.outcome, found.reason, found.reason_params) == ("done", "", {}) and found.done == found.of > 0
    trial = dry_running.trial_of(found)
    assert trial is not None
    return trial


def means(trial: Trial) -> dict[str, float]:
    return {one.kind: one.mean for one in trial.groups}


def codes(trial: Trial) -> list[str]:
    return [one.code for one in trial.findings if one.is_fault]


@pytest.mark.parametrize("name", list(templates.TEMPLATES))
def test_no_template_can_be_gamed(fleet: Fleet, name: str) -> None:
    """Each on rows of its kind: the right answer pays, another row's less, and what is no answer hardly."""
    trial = tried(fleet, templates.TEMPLATES[name], ANSWERS[name])
    found = means(trial)
    assert found[RIGHT] > 0.95 and found[WRONG] < found[RIGHT] - 0.3, found
    assert {kind: found[kind] for kind in GAMES if found.get(kind, 0.0) > 0.4} == {}
    assert codes(trial) == []


def test_a_reward_for_the_form_alone_is_told_to_be_gamed(fleet: Fleet) -> None:
    trial = tried(fleet, [{"check": "json_valid"}])
    assert codes(trial) == ["reward_nothing_tells", "reward_nothing_tells", "reward_nothing_tells"]
    assert {one.params["kind"] for one in trial.findings if one.is_fault} == {"wrong", "skeleton", "constant"}
    assert means(trial)["empty"] == 0.0


def test_the_check_that_would_help_is_named(fleet: Fleet) -> None:
    trial = tried(fleet, [{"check": "json_valid", "weight": 9}, {"check": "json_fields"}])
    told = {one.code: one.params for one in trial.findings}
    assert told["reward_gamed_skeleton"]["check"] == "json_fields"
    assert told["reward_gamed_skeleton"]["score"] >= 85
    assert {one.kind for one in trial.odd} == {WRONG} and trial.odd[0].reason.code == "is_json"


def test_right_answers_that_score_low_are_listed_with_the_reason(fleet: Fleet) -> None:
    trial = tried(fleet, [{"check": "json_valid"}, {"check": "length", "parameters": {"maximum": 1}, "weight": 3}])
    assert "reward_right_low" in codes(trial)
    odd = next(one for one in trial.odd if one.kind == RIGHT)
    assert (odd.check, odd.reason.code, odd.row) == ("length", "too_long", odd.row)


def test_a_histogram_counts_each_answer_once(fleet: Fleet) -> None:
    for group in tried(fleet, [{"check": "json_valid"}, {"check": "json_fields"}]).groups:
        assert [sum(one.histogram) for one in group.checks] == [group.count, group.count]


def test_a_check_whose_library_is_not_here_is_left_out_and_named(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(METHODS / "kit", tmp_path / "kit")
    text = "def make(words=3):\n    import a_library_that_nobody_has\n"
    (tmp_path / "kit" / "checks" / "repetition.py").write_text(text)
    monkeypatch.setattr(method_folders, "root_of", lambda _: tmp_path)
    trial = tried(fleet, [{"check": "repetition"}, {"check": "json_fields"}])
    assert [(one.place, one.check, one.library) for one in trial.left_out] == [
        (0, "repetition", "a_library_that_nobody_has")
    ]
    assert trial.checks == ["json_fields"] and means(trial)[RIGHT] == 1.0
    assert tried(fleet, [{"check": "repetition"}]).groups == []


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        ({"check": "regex", "parameters": {"pattern": "("}}, "reward_check_unusable"),
        ({"check": "sql_equivalent", "parameters": {"tables": "no table"}}, "reward_check_unusable"),
    ],
)
def test_a_check_that_cannot_be_made_is_named(fleet: Fleet, check: Any, problem: str) -> None:
    kept.save(fleet.user, fleet.cp, "default", "tried", [{"check": "json_valid"}, check])
    begun = dry_running.start(fleet.user, fleet.cp, "default", "tried", upload(fleet, record))
    carry_out(fleet)
    found = dry_running.get(fleet.user, fleet.cp, begun.id)
    assert (found.outcome, found.reason, found.reason_params["number"]) == ("failed", problem, 2)


def test_a_pattern_that_searches_for_ever_is_cut_off(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_running, "_SECONDS", 2)
    kept.save(
        fleet.user, fleet.cp, "default", "tried", [{"check": "regex", "parameters": {"pattern": "(a|a|b?)*(a+)+$x"}}]
    )
    long = upload(fleet, lambda number: "a" * 4_000 + f"b{number}")
    begun = dry_running.start(fleet.user, fleet.cp, "default", "tried", long)
    carry_out(fleet)
    found = dry_running.get(fleet.user, fleet.cp, begun.id)
    assert (found.outcome, found.reason) == ("failed", "reward_check_slow")
    assert found.reason_params == {"check": "regex", "allowed": 2}


class Parrot:
    """Stands in for a deployment: what it says depends on the seed alone, or not even on that."""

    at_once = 1

    def __init__(self, *said: str) -> None:
        self.said, self.asked = said, 0

    def ask(self, asked: dict[str, Any], stop: threading.Event) -> str:
        self.asked += 1
        said = self.said[asked["seed"] % len(self.said)]
        if not said:
            raise errors.AnswerEmpty
        return said


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("{}", record(1), "no", "yes"), set()),
        (("the same",), {"reward_no_gradient"}),
        (("{}", "", "no JSON"), {"reward_samples_lost"}),
    ],
)
def test_samples_say_whether_there_is_something_to_learn_from(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, said: tuple[str, ...], told: set[str]
) -> None:
    parrot = Parrot(*said)
    monkeypatch.setattr(answering, "chosen", lambda *_: {"kind": "deployment", "id": 1, "name": "parrot"})
    monkeypatch.setattr(answering, "asker", lambda *_: parrot)
    trial = tried(fleet, [{"check": "json_valid"}, {"check": "json_fields"}], deployment="parrot")
    assert parrot.asked == 32 and trial.asked == 8
    about = {"reward_no_gradient", "reward_flat", "reward_samples_lost", "reward_gradient_unknown"}
    assert {one.code for one in trial.findings} & about == told
    assert trial.flat == (8 if "reward_no_gradient" in told else 0)


def test_without_samples_it_is_said_what_is_not_known(fleet: Fleet) -> None:
    assert "reward_gradient_unknown" in [one.code for one in tried(fleet, [{"check": "equals"}]).findings]


def test_a_cancelled_one_ends_and_writes_nothing(fleet: Fleet) -> None:
    kept.save(fleet.user, fleet.cp, "default", "tried", [{"check": "equals"}])
    begun = dry_running.start(fleet.user, fleet.cp, "default", "tried", upload(fleet, record))
    assert dry_running.cancel(fleet.user, fleet.cp, begun.id).outcome == "cancelled"
    carry_out(fleet)
    found = dry_running.get(fleet.user, fleet.cp, begun.id)
    assert (found.outcome, found.trial) == ("cancelled", {})
    with pytest.raises(errors.RewardDryRunOver):
        dry_running.cancel(fleet.user, fleet.cp, begun.id)
    told = [one.action for one in AuditRecord.select() if one.action.endswith("try")]
    assert told == ["reward.try", "reward.cancel_try"]


def test_one_that_a_restart_cut_off_begins_anew(fleet: Fleet) -> None:
    kept.save(fleet.user, fleet.cp, "default", "tried", [{"check": "equals"}])
    begun = dry_running.start(fleet.user, fleet.cp, "default", "tried", upload(fleet, record))
    RewardDryRunRecord.update(done=7, of=9).where(RewardDryRunRecord.id == begun.id).execute()
    carry_out(fleet)
    assert dry_running.get(fleet.user, fleet.cp, begun.id).outcome == "done"


def test_who_may_not_change_rewards_tries_none_and_strangers_data_is_not_found(fleet: Fleet) -> None:
    kept.save(fleet.user, fleet.cp, "default", "tried", [{"check": "equals"}])
    version = upload(fleet, record)
    viewer = Actor(kind="user", id="7", name="vic", roles={fleet.project.id: VIEWER})
    with pytest.raises(errors.Denied):
        dry_running.start(viewer, fleet.cp, "default", "tried", version)
    with pytest.raises(errors.NotFound):
        dry_running.start(fleet.user, fleet.cp, "default", "tried", version + 99)
    with pytest.raises(errors.NotFound):
        dry_running.start(fleet.user, fleet.cp, "default", "tried", version, deployment="nobody")
    assert not RewardDryRunRecord.select().exists()
