"""What an answer is worth: the weighted checks' total, the score of a reward model, or the sum of both."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from kit import job as jobs
from kit import reward_models
from kit.checking import Case
from kit.datasets import Row
from kit.events import Events
from kit.judging import Judged
from kit.training.constant import Constant
from questions import Questions

LENGTH = "completions/mean_length"  # tokens of the answers of a step, as the other methods call it


class Rewards:
    """Scores answers; `told` are the means of the last call by the names of their `curves`."""

    def __init__(self, checks: Sequence[Any], judge: jobs.Model | None, device: torch.device, events: Events) -> None:
        self._judged = Judged(checks) if checks else None
        self._scorer = reward_models.scorer(judge, str(device)) if judge else None
        self._constant = Constant(events)
        self.curves = (LENGTH, *(f"reward/{name}" for name in (self._judged.names if self._judged else ())))
        self.told: dict[str, float] = {}

    def __call__(self, rows: list[Row], answers: list[str]) -> list[float]:
        """Each answer's reward. Says once if they have all been the same for some steps."""
        totals = [0.0] * len(rows)
        if self._judged is not None:
            cases = [Case(row.prompt[-1]["content"], row.completion) for row in rows]
            found = [self._judged.judge(text, case) for text, case in zip(answers, cases, strict=True)]
            totals = [one.total for one in found]
            self.told |= {f"reward/{name}": sum(one.scores[name] for one in found) / len(found)
                          for name in self._judged.names}  # fmt: skip
        if self._scorer is not None:
            scores = self._scorer([row.prompt for row in rows], answers)
            totals = [total + score for total, score in zip(totals, scores, strict=True)]
        self._constant.watch(totals)
        return totals

    def as_model(self, questions: Questions, tokenizer: Any) -> torch.nn.Module:
        """What PPOTrainer takes for a reward model."""

        def score(ids: torch.Tensor, mask: torch.Tensor) -> list[float]:
            counts = mask[:, questions.width :].bool()
            pairs = zip(ids[:, questions.width :], counts, strict=True)
            answers = [tokenizer.decode(row[is_there], skip_special_tokens=True) for row, is_there in pairs]
            self.told[LENGTH] = float(counts.sum()) / len(counts)
            return self(questions.current, answers)

        return _AsModel(score)


class _AsModel(torch.nn.Module):
    """A body and a head, of which PPOTrainer reads the head's score at the end of each answer's text.

    Rewards by text: so a reward model's tokenizer may be any other.
    """

    base_model_prefix = "body"

    def __init__(self, score: Callable[[torch.Tensor, torch.Tensor], list[float]]) -> None:
        super().__init__()
        self._score = score

    def body(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **_: Any) -> Any:
        """[rows, length] → the reward of each row at each place, [rows, length, 1]."""
        found = torch.tensor(self._score(input_ids, attention_mask), device=input_ids.device)
        return SimpleNamespace(hidden_states=[found[:, None, None].expand(-1, input_ids.shape[1], 1)])

    def score(self, hidden: torch.Tensor) -> torch.Tensor:
        """The rewards as they are."""
        return hidden
