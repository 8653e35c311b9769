"""Rows that say which answer is better: pairs of answers, and answers judged one by one (binary feedback)."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit import datasets
from kit.datasets import Message, Row, encoded, kept, text
from kit.events import fail
from kit.job import Dataset, Job

Pairs = list[dict[str, Any]]  # each with `prompt_ids`, `chosen_ids` and `rejected_ids`


@dataclass(frozen=True)
class Pair:
    """What comes before the answer, the answer that is preferred, and the one that is not."""

    prompt: list[Message]
    chosen: str
    rejected: str


@dataclass(frozen=True)
class Judged:
    """What comes before the answer, the answer, and whether it was called good."""

    prompt: list[Message]
    completion: str
    is_good: bool


def read_pairs(path: Path | None, format_: str, part: str) -> list[Pair]:
    """Read a ``preference`` file; refuses as ``datasets.read`` does."""
    return datasets.parse(path, format_, part, {"preference": _pair})


def read_judged(path: Path | None, format_: str, part: str) -> list[Judged]:
    """Read an ``unpaired_preference`` file; refuses as ``datasets.read`` does."""
    return datasets.parse(path, format_, part, {"unpaired_preference": _judged})


def tokenize_pairs(pairs: list[Pair], tokenizer: Any, max_length: int) -> list[dict[str, list[int]]]:
    """``prompt_ids``, ``chosen_ids`` and ``rejected_ids`` of each pair, as DPOTrainer takes them.

    The prompt with its longer answer has at most ``max_length`` tokens: it loses its beginning, an answer nothing.
    Refuses with ``dataset_answer_too_long``.
    """
    both = zip(
        encoded([Row(pair.prompt, pair.chosen) for pair in pairs], tokenizer),
        encoded([Row(pair.prompt, pair.rejected) for pair in pairs], tokenizer),
        strict=True,
    )
    return [
        {"prompt_ids": kept(number, prompt, max(len(chosen), len(rejected)), max_length), "chosen_ids": chosen,
         "rejected_ids": rejected}
        for number, ((prompt, chosen), (_, rejected)) in enumerate(both, 1)
    ]  # fmt: skip


def pairs_of(job: Job, tokenizer: Any) -> tuple[list[dict[str, list[int]]], list[dict[str, list[int]]]]:
    """The pairs of a job's input ``dataset`` in tokens: (all to learn from, those held out to watch)."""
    dataset, max_length = job.datasets["dataset"], job.parameters["max_length"]
    learned = read_pairs(dataset.train, dataset.format, "train")
    watched = held_out_pairs(dataset, tokenizer, max_length, job.parameters["held_out_rows"])
    return tokenize_pairs(learned, tokenizer, max_length), watched


def held_out_pairs(dataset: Dataset, tokenizer: Any, max_length: int, most: int) -> list[dict[str, list[int]]]:
    """The first held-out pairs in tokens, at most `most`, without those that are longer than is learned from."""
    if dataset.test is None or most == 0:
        return []
    pairs = read_pairs(dataset.test, dataset.format, "test")[:most]
    return [one for one in tokenize_pairs(pairs, tokenizer, max_length=10**9) if _longest(one) <= max_length]


def _longest(pair: dict[str, list[int]]) -> int:
    return len(pair["prompt_ids"]) + max(len(pair["chosen_ids"]), len(pair["rejected_ids"]))


def tokenize_judged(rows: list[Judged], tokenizer: Any, max_length: int) -> list[dict[str, Any]]:
    """``prompt_ids``, ``completion_ids`` and ``label`` of each row; at most ``max_length`` tokens as above."""
    answers = encoded([Row(row.prompt, row.completion) for row in rows], tokenizer)
    return [
        {"prompt_ids": kept(number, prompt, len(answer), max_length), "completion_ids": answer, "label": row.is_good}
        for number, (row, (prompt, answer)) in enumerate(zip(rows, answers, strict=True), 1)
    ]


def in_order(rows: list[dict[str, Any]], job: Job) -> list[dict[str, Any]]:
    """As many rows as all steps look at, in an order that the seed decides; round after round where there are fewer.

    So the reference is asked about no row that is not learned from.
    """
    needed = job.parameters["steps"] * job.parameters["batch_size"] * job.parameters["accumulation"]
    chance = random.Random(job.seed)
    found: list[dict[str, Any]] = []
    while len(found) < needed:
        found += chance.sample(rows, min(len(rows), needed - len(found)))
    return found


def judged_of(job: Job, tokenizer: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The judged answers of a job's input ``dataset`` in tokens: (all to learn from, those held out to watch).

    Refuses with ``judgements_all_alike`` where nothing says what makes an answer good or bad.
    """
    dataset, max_length = job.datasets["dataset"], job.parameters["max_length"]
    learned = read_judged(dataset.train, dataset.format, "train")
    if len({row.is_good for row in learned}) == 1:
        word = "good" if learned[0].is_good else "bad"
        said = f"All {len(learned)} answers are called {word}; to learn what makes the difference, both are needed."
        fail("judgements_all_alike", said, rows=len(learned), label=learned[0].is_good)
    whole: list[dict[str, Any]] = []
    if dataset.test is not None and job.parameters["held_out_rows"]:
        watched = read_judged(dataset.test, dataset.format, "test")[: job.parameters["held_out_rows"]]
        whole = tokenize_judged(watched, tokenizer, max_length=10**9)
    fitting = [one for one in whole if len(one["prompt_ids"]) + len(one["completion_ids"]) <= max_length]
    return tokenize_judged(learned, tokenizer, max_length), fitting


def _pair(raw: dict[str, Any]) -> Pair:
    pair = Pair(_prompt(raw), text(raw, "chosen"), text(raw, "rejected"))
    if pair.chosen.strip() == pair.rejected.strip():
        raise ValueError("chosen and rejected are the same answer")
    return pair


def _judged(raw: dict[str, Any]) -> Judged:
    if not isinstance(raw["label"], bool):
        raise TypeError("field label is not true or false")
    return Judged(_prompt(raw), text(raw, "completion"), raw["label"])


def _prompt(raw: dict[str, Any]) -> list[Message]:
    if isinstance(raw["prompt"], str):
        return [{"role": "user", "content": raw["prompt"]}]
    messages = [{"role": text(one, "role"), "content": text(one, "content")} for one in raw["prompt"]]
    if not messages or messages[-1]["role"] == "assistant":
        raise ValueError("the prompt's messages must end before the assistant's answer")
    return messages
