"""Learning by reward (GRPO) with mlx-lm's loop: the model answers, checks score, the better answers become likelier.

Z. Shao et al., "DeepSeekMath: pushing the limits of mathematical reasoning in open language models", 2024, with the
loss of DAPO (mean over all answers' tokens) and one step for each batch, so that no ratio has to be clipped.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean, pstdev, stdev
from typing import Any

import mlx.core as mx
from kit import datasets
from kit.apple import batches
from kit.checking import Case
from kit.events import Events, fail
from kit.job import Job
from kit.judging import Judged
from kit.training.constant import Constant
from kit.training.lessons import IGNORED
from mlx_lm.generate import BatchGenerator
from mlx_lm.sample_utils import make_sampler

_SMALLEST_SPREAD = 1e-4  # added to a group's standard deviation, as TRL does


@dataclass(frozen=True)
class Question:
    """A prompt in tokens, and what its answers are judged by."""

    prompt: list[int]
    case: Case


def questions(rows: list[datasets.Row], tokenizer: Any, longest: int) -> list[Question]:
    """The rows as questions; refuses one of more than `longest` tokens with ``prompt_too_long``."""
    found = []
    for number, row in enumerate(rows, 1):
        ids = tokenizer(datasets.render_prompt(row, tokenizer), add_special_tokens=False)["input_ids"]
        if len(ids) > longest:
            said = f"The question of row {number} has {len(ids)} tokens; it may have {longest}."
            fail("prompt_too_long", said, row=number, tokens=len(ids), maximum=longest)
        found.append(Question(ids, Case(row.prompt[-1]["content"], row.completion, row.schema)))
    return found


def loss(model: Any, ids: Any, labels: Any, advantages: Any) -> tuple[Any, Any]:
    """(what makes answers likelier by their advantage [rows], tokens of answers). Its gradient counts, not its value.

    The probabilities that the answers were drawn with are the model's own, so their ratio is 1 and only has a gradient.
    """
    logps, counts = batches.log_probs(model, ids, labels)
    ratio = mx.exp(logps - mx.stop_gradient(logps))
    count = counts.sum()
    return -(ratio * advantages[:, None] * counts).sum() / mx.maximum(count, 1), count


class Rollouts:
    """Each step's answers: drawn from the model as it is, scored, as a batch. `told` says what came of the last one."""

    def __init__(
        self, model: Any, tokenizer: Any, found: list[Question], job: Job, judged: Judged, events: Events
    ) -> None:
        self._model, self._tokenizer, self._questions = model, tokenizer, found
        self._job, self._judged = job, judged
        self._constant = Constant(events)
        self.told: dict[str, float] = {}

    def batches(self, done: int) -> Iterator[tuple[Any, Any, Any, int]]:
        """(ids, labels, advantages, tokens) of each step behind `done`; what is drawn follows from seed and step."""
        while True:
            done += 1
            mx.random.seed(random.Random(f"{self._job.seed} {done}").getrandbits(63))
            yield self._batch(self._chosen(done))

    def _chosen(self, step: int) -> list[Question]:
        """The step's questions: all of them in a new order each time round."""
        wanted, found = self._job.parameters["prompts_per_step"], list[Question]()
        for place in range((step - 1) * wanted, step * wanted):
            number, at = divmod(place, len(self._questions))
            order = list(range(len(self._questions)))
            random.Random(f"{self._job.seed} order {number}").shuffle(order)
            found.append(self._questions[order[at]])
        return found

    def _batch(self, chosen: list[Question]) -> tuple[Any, Any, Any, int]:
        group = self._job.parameters["group_size"]
        asked = [question for question in chosen for _ in range(group)]
        answers = self._answers([question.prompt for question in asked])
        rewards = self._rewards(answers, [question.case for question in asked])
        examples = [
            {"input_ids": [*one.prompt, *answer], "labels": [*[IGNORED] * len(one.prompt), *answer]}
            for one, answer in zip(asked, answers, strict=True)
        ]
        tokens = sum(len(one["input_ids"]) for one in examples)
        advantages = mx.array([value for start in range(0, len(rewards), group)
                               for value in advantages_of(rewards[start : start + group])])  # fmt: skip
        return *batches.of(examples, self._tokenizer.pad_token_id), advantages, tokens

    def _answers(self, prompts: list[list[int]]) -> list[list[int]]:
        """An answer to each prompt in tokens, with the one that ended it."""
        given = self._job.parameters
        sampler = make_sampler(temp=given["temperature"], top_p=given["top_p"] if given["top_p"] < 1 else 0.0)
        self._model.eval()
        writer = BatchGenerator(
            self._model, max_tokens=given["max_new_tokens"], stop_tokens=[[self._tokenizer.eos_token_id]],
            sampler=sampler, completion_batch_size=len(prompts), prefill_batch_size=len(prompts),
        )  # fmt: skip
        places = {uid: place for place, uid in enumerate(writer.insert(prompts))}
        answers: list[list[int]] = [[] for _ in prompts]
        while drawn := writer.next_generated():
            for one in drawn:
                answers[places[one.uid]].append(one.token)
        writer.close()
        self._model.train()
        return answers

    def _rewards(self, answers: list[list[int]], cases: list[Case]) -> list[float]:
        end, group = self._tokenizer.eos_token_id, self._job.parameters["group_size"]
        texts = [self._tokenizer.decode(answer, skip_special_tokens=True) for answer in answers]
        found = [self._judged.judge(text, case) for text, case in zip(texts, cases, strict=True)]
        rewards = [one.total for one in found]
        spreads = [pstdev(rewards[start : start + group]) for start in range(0, len(rewards), group)]
        self.told = {
            "reward": fmean(rewards), "reward_std": fmean(spreads),
            "completions/mean_length": fmean(map(len, answers)),
            "completions/clipped_ratio": fmean(answer[-1] != end for answer in answers),
            **{f"reward/{name}": fmean(one.scores[name] for one in found) for name in self._judged.names},
        }  # fmt: skip
        self._constant.watch(rewards)
        return rewards


def advantages_of(rewards: list[float]) -> list[float]:
    """How much better each answer of a group is than its mean, in the group's standard deviations."""
    mean = fmean(rewards)
    spread = stdev(rewards) + _SMALLEST_SPREAD
    return [(reward - mean) / spread for reward in rewards]
