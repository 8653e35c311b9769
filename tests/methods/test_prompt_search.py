"""The search for a prompt: what is tried, which goes on, what is confirmed, and that it goes on where it was."""

import importlib.util
import json
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from kit import prompts
from kit.datasets import Row
from training_support import wait_for_step

from control_plane.domain.prompts import prompt as domain
from method_environments import method_python
from method_support import METHODS, Outcome
from patience import PATIENCE


def loaded(name: str) -> ModuleType:
    """A module of the method, under its own name: the others import it by that."""
    spec = importlib.util.spec_from_file_location(name, METHODS / "prompt_search" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


candidates = loaded("candidates")
course = loaded("course")
BASE = {"decoding": {"temperature": 0.0, "max_tokens": 8}}


def row(question: str, answer: str, schema: str = "") -> Row:
    return Row([{"role": "user", "content": question}], answer, schema=schema)


# ---- what is tried


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (['{"part": "a", "fault": 1}', '{"part": "b"}'], 'Its keys are "part", "fault".'),
        (["low", "high"] * 4, "Answer with one of these and nothing else: high, low."),
        (["one two three", "four"], "in at most 3 words"),
    ],
)
def test_the_form_of_the_answers_suggests_instructions(answers: list[str], said: str) -> None:
    found = candidates.instructions([row("?", one) for one in answers])
    assert any(said in one for one in found), found


def test_rows_with_a_schema_alone_suggest_it() -> None:
    found = candidates.instructions([row("?", "", '{"type": "object"}')] * 3)
    assert any('{"type": "object"}' in one for one in found)


def test_only_a_row_of_one_question_is_an_example() -> None:
    assert candidates.example(row("Hot?", "yes")) == {"prompt": "Hot?", "completion": "yes"}
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    assert candidates.example(Row(turns, "d")) is None
    assert candidates.example(row("Hot?", "")) is None


def drawn(seed: int, best: Any = None, known: Any = (), size: int = 8, fits: Any = lambda prompt: True) -> list[Any]:
    examples = [{"prompt": f"q{n}", "completion": f"a{n}"} for n in range(6)]
    material = candidates.Material(["Be short.", "Be exact."], examples, examples[:2], 3, 8)
    found: list[Any] = candidates.bracket(random.Random(seed), size, material, best, set(known), fits)
    return found


def test_a_bracket_is_drawn_the_same_again_and_says_nothing_twice() -> None:
    first = drawn(1)
    assert first == drawn(1) != drawn(2)
    assert len({one.key for one in first}) == 8
    assert [one.prompt.get("system") for one in first[:2]] == ["Be short.", "Be exact."]  # each alone
    for one in first:
        assert domain.as_data(domain.read(one.prompt)) == one.prompt  # the control plane takes each as it is
        assert len(one.prompt.get("examples", ())) <= 3


def test_later_half_is_near_the_best_and_what_does_not_fit_is_not_tried() -> None:
    best = drawn(1)[-1]
    found = drawn(3, best, [best.key])
    assert [one.origin for one in found[:4]] == ["neighbour"] * 4
    assert best.key not in {one.key for one in found}
    none = drawn(1, fits=lambda prompt: False)
    assert none == []
    short = drawn(1, fits=lambda prompt: len(prompt.get("examples", ())) < 2)
    assert short and all(len(one.prompt.get("examples", ())) < 2 for one in short)


# ---- which goes on


class Oracle:
    """Knows how good each candidate is on each row; counts what is asked."""

    def __init__(self, quality: list[float], rows: int) -> None:
        self.quality, self.rows = quality, rows
        self.course = course.Course.begun(BASE)
        for number in range(1, len(quality)):
            self.course.candidates.append(candidates.Candidate({"system": str(number)}, "examples"))
            self.course.scores.append([])
        self.asked: list[tuple[int, int, int]] = []

    def ask(self, number: int, first: int, last: int) -> None:
        assert len(self.course.scores[number]) == first
        self.course.scores[number] += [self.quality[number]] * (last - first)
        self.asked.append((number, first, last))

    def climb(self, has_time: Callable[[int], bool] = lambda rows: True) -> bool:
        members = range(1, len(self.quality))
        return bool(course.climb(self.course, members, self.rows, self.ask, has_time))


def test_half_goes_on_at_each_rung_and_the_base_at_all() -> None:
    oracle = Oracle([0.5, 0.1, 0.9, 0.2, 0.6, 0.3, 0.4, 0.0, 0.7], 32)
    assert oracle.climb()
    assert [len(one) for one in oracle.course.scores] == [32, 8, 32, 8, 16, 8, 16, 8, 32]
    assert oracle.course.best() == 2
    assert len(oracle.asked) == len(set(oracle.asked))
    assert sum(last - first for number, first, last in oracle.asked if number) == course.work(8, 32)


@pytest.mark.parametrize("rows", [3, 8, 9, 48, 100])
def test_rungs_end_with_all_rows(rows: int) -> None:
    found = course.rungs(rows)
    assert found[-1] == rows and found == sorted(set(found))


def test_nothing_that_only_equals_the_base_beats_it() -> None:
    oracle = Oracle([0.5, 0.5, 0.4, 0.5], 16)
    assert oracle.climb()
    assert oracle.course.best() == 0


def test_time_that_runs_out_keeps_what_was_found() -> None:
    oracle = Oracle([0.5, 0.1, 0.9, 0.2, 0.6], 32)
    left = iter([True] * 5)
    assert not oracle.climb(lambda rows: next(left, False))
    assert [len(one) for one in oracle.course.scores] == [16, 8, 8, 8, 8]
    assert oracle.course.best() == 2
    none = Oracle([0.5, 0.9], 32)
    assert not none.climb(lambda rows: False)
    assert [len(one) for one in none.course.scores] == [8, 0] and none.course.best() == 0


def test_a_course_that_was_written_down_asks_nothing_twice() -> None:
    quality = [0.5, 0.1, 0.9, 0.2, 0.6, 0.3, 0.4, 0.0, 0.7]
    whole = Oracle(quality, 32)
    whole.climb()
    for cut in range(1, len(whole.asked)):
        first = Oracle(quality, 32)
        left = iter([True] * (cut - 1))
        first.climb(lambda rows, left=left: next(left, False))  # type: ignore[misc]
        second = Oracle(quality, 32)
        second.course = course.Course.of_data(json.loads(json.dumps(first.course.data())))
        assert second.climb()
        assert first.asked + second.asked == whole.asked
        assert second.course.scores == whole.course.scores


# ---- what a model is asked


def test_a_model_is_asked_by_the_search_what_a_deployment_asks() -> None:
    question = {"role": "user", "content": "Hot?"}
    for said in ({"system": "Be short."}, {"examples": [{"prompt": "a", "completion": "b"}]},
                 {"system": "Be short.", "examples": [{"prompt": "a", "completion": "b"}] * 2}):  # fmt: skip
        for asked in ([question], [{"role": "system", "content": "In German."}, question]):
            assert prompts.messages(said, asked) == domain.messages(domain.read(said), asked)
    assert prompts.messages(BASE, [question]) == [question]


# ---- for real


def job(tiny: Path, **changes: Any) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((METHODS / "prompt_search" / "example.json").read_text(encoding="utf-8"))
    content["inputs"]["model"]["path"] = str(tiny / "llama")
    content["inputs"]["dataset"] |= {"train": str(tiny / "train.jsonl"), "test": None}
    content |= {"threads": 1, "resume": changes.pop("resume", None)}
    content["parameters"] |= changes
    return content


def found(outcome: Outcome) -> dict[str, Any]:
    assert outcome.status == 0, outcome.stderr
    content: dict[str, Any] = json.loads((outcome.out / "prompt.json").read_text(encoding="utf-8"))
    content.pop("seconds")
    return content


@pytest.mark.torch
def test_a_search_that_is_killed_goes_on_to_the_same_end(
    tiny: Path, run: Callable[..., Outcome], start: Callable[..., Any]
) -> None:
    python = str(method_python("prompt_search"))
    asked = {"minutes": 30, "checkpoint_every": 2}
    whole = found(run("prompt_search", job(tiny, **asked), python))
    assert whole["ended"] == "candidates" and whole["candidates"][0]["origin"] == "base"
    assert len(whole["candidates"]) == 9
    assert whole["prompt"] == next(one["prompt"] for one in whole["candidates"] if one["number"] == whole["winner"])
    assert {len(scores) for scores in whole["confirmed"].values()} == {whole["rows"]["confirming"]}
    assert "base" in whole["confirmed"] and ("winner" in whole["confirmed"]) == bool(whole["winner"])

    process, out = start("prompt_search", job(tiny, **asked), python, out="killed")
    try:
        wait_for_step(process, out, 6)
    finally:
        process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE)
    assert not (out / "prompt.json").exists()
    kept = max(int(path.name) for path in (out / "checkpoints").iterdir() if path.name.isdigit())
    again = run("prompt_search", job(tiny, **asked, resume=str(out / "checkpoints" / str(kept))), python)
    assert found(again) == whole
    assert min(one["step"] for one in again.of("metric")) > kept  # nothing was asked twice


@pytest.mark.torch
def test_a_budget_that_ends_in_the_middle_keeps_the_work(tiny: Path, run: Callable[..., Outcome]) -> None:
    content = found(run("prompt_search", job(tiny, minutes=0.0001), str(method_python("prompt_search"))))
    assert content["ended"] == "minutes" and content["winner"] == 0
    assert [one["number"] for one in content["candidates"]] == [0]
    assert len(content["confirmed"]["base"]) >= 8


def test_three_rows_are_refused_before_anything_is_loaded(tmp_path: Path, run: Callable[..., Outcome]) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text('{"prompt": "a", "completion": "b"}\n' * 3, encoding="utf-8")
    content = job(tmp_path)
    content["inputs"]["model"]["path"] = str(tmp_path)
    content["inputs"]["dataset"]["train"] = str(few)
    refused = run("prompt_search", content, str(method_python("prompt_search"))).refusal
    assert (refused["code"], refused["params"]) == ("rows_too_few", {"rows": 3, "least": 24})
