"""TRL's trainers for reinforcement learning, with checks as the reward and less work for the same gradient."""

from typing import Any

import torch
from kit import datasets
from kit.checking import Case
from kit.events import fail
from kit.judging import Judged
from kit.training import lean, rollouts, words
from kit.training.constant import Constant
from kit.training.report import Report, Sealed
from kit.training.rollouts import Sampling
from torch.nn import functional
from trl import GRPOTrainer, RLOOTrainer

ALSO = ("reward", "reward_std", "kl", "completions/mean_length", "completions/clipped_ratio")


class Reward:
    """The reward function that TRL calls: the weighted mean of checks, whose own means become metrics."""

    __name__ = "checks"

    def __init__(self, judged: Judged, report: Report) -> None:
        self._judged = judged
        self._constant = Constant(report.events)

    def __call__(self, completions: list[str], log_metric: Any, **columns: Any) -> list[float]:
        """Each answer's total, from 0 to 1; columns `question`, `expected` and `schema` are the rows'."""
        cases = map(Case, columns["question"], columns["expected"], columns["schema"])
        judgements = [self._judged.judge(text, case) for text, case in zip(completions, cases, strict=True)]
        for name in self._judged.names:
            log_metric(f"reward/{name}", sum(one.scores[name] for one in judgements) / len(judgements))
        totals = [one.total for one in judgements]
        self._constant.watch(totals)
        return totals


class _Rewarded(Sealed):
    """Answers are sampled by `rollouts`; a prompt is read once for all its answers, also for the loss.

    With gradient checkpointing the loss reads each row whole: a layer that is computed again has no keys and values.
    """

    def __init__(self, report: Report, sampling: Sampling, **options: Any) -> None:
        super().__init__(**options)
        self.report, self._sampling = report, sampling
        plain = self.accelerator.unwrap_model(self.model)  # type: ignore[attr-defined]
        self._shares = lean.can_share(plain)
        self._checkpoints = bool(self.args.gradient_checkpointing)  # type: ignore[attr-defined]
        self._output = words.OutputLayer(plain)

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        """The rows' prompts stand in their template already."""
        return self.processing_class(prompts, add_special_tokens=False)["input_ids"], None, {}  # type: ignore[attr-defined]

    def _generate_single_turn(self, prompt_ids: list[list[int]], *given: Any, **options: Any) -> Any:
        """An answer for each prompt, in tokens; vLLM's and unusual models' go TRL's own way."""
        if self.use_vllm or not self._shares:  # type: ignore[attr-defined]
            return super()._generate_single_turn(prompt_ids, *given, **options)  # type: ignore[misc]
        plain = self.accelerator.unwrap_model(self.model)  # type: ignore[attr-defined]
        return rollouts.sample(plain, prompt_ids, self._sampling, self.eos_token_ids), None

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        logits_to_keep: int,
        *chunk: int,
        **options: Any,
    ) -> tuple[torch.Tensor, Any, Any]:
        """Log-probabilities of the answers' tokens [rows, answer] at the sampling's temperature; no entropies."""
        if not self._shares or input_ids.shape[1] - logits_to_keep < 2:
            given = (model, input_ids, attention_mask, logits_to_keep, *chunk)
            return super()._get_per_token_logps_and_entropies(*given, **options)  # type: ignore[misc, no-any-return]
        length = input_ids.shape[1] - logits_to_keep
        counts, targets = attention_mask[:, length:].bool(), input_ids[:, length:]
        lay_out = self._apart if self._checkpoints else self._together
        given, predicting = lay_out(model, input_ids, attention_mask, counts)
        found = self._output.log_probs(
            lambda: model(**given), lambda hidden: hidden[predicting], targets[counts], self._sampling.temperature
        )
        logps = torch.zeros(targets.shape, dtype=torch.float32, device=targets.device).masked_scatter(counts, found)
        return logps, torch.zeros_like(logps), None

    def _apart(self, _model: Any, ids: Any, mask: Any, counts: Any) -> tuple[dict[str, Any], torch.Tensor]:
        """What the model is given, and which places predict an answer's token: each row is read by itself."""
        places = (mask.cumsum(1) - 1).clamp(min=0)
        predicting = functional.pad(counts, (ids.shape[1] - counts.shape[1] - 1, 1))
        return {"input_ids": ids, "attention_mask": mask, "position_ids": places, "use_cache": False}, predicting

    def _together(self, model: Any, ids: Any, mask: Any, counts: Any) -> tuple[dict[str, Any], torch.Tensor]:
        """The same, where all of a prompt but its last token is read once, here, and then each row goes on."""
        begin = ids.shape[1] - counts.shape[1]
        prompts, rows = torch.unique(torch.stack((ids[:, :begin], mask[:, :begin])), dim=1, return_inverse=True)
        places = (mask.cumsum(1) - 1).clamp(min=0)
        length = prompts.shape[2] - 1
        first = {
            "input_ids": prompts[0, :, :length], "attention_mask": prompts[1, :, :length],
            "position_ids": (prompts[1].cumsum(1) - 1).clamp(min=0)[:, :length], "use_cache": True,
        }  # fmt: skip
        kept = self._output.silent(lambda: model(**first)).past_key_values
        kept.batch_select_indices(rows)
        rest = {"input_ids": ids[:, length:-1], "attention_mask": mask[:, :-1], "position_ids": places[:, length:-1]}
        return {**rest, "past_key_values": kept, "use_cache": True}, counts


class RewardedGRPO(_Rewarded, GRPOTrainer):  # type: ignore[misc]
    """GRPO (Shao et al., 2024) with the loss of DAPO, as TRL has it by default."""


class RewardedRLOO(_Rewarded, RLOOTrainer):  # type: ignore[misc]
    """RLOO (Ahmadian et al., 2024), whose trainer takes the answers without log-probabilities beside them."""

    def _generate_single_turn(self, prompt_ids: list[list[int]], *given: Any, **options: Any) -> Any:
        found = super()._generate_single_turn(prompt_ids, *given, **options)
        return found[0] if isinstance(found, tuple) else found


def rows(read: list[datasets.Row], tokenizer: Any, longest: int) -> Any:
    """Rows as TRL takes them: `prompt` in the model's template, of at most `longest` tokens, and what a `Case` has."""
    from datasets import Dataset

    texts = [datasets.render_prompt(row, tokenizer) for row in read]
    counted = tokenizer(texts, add_special_tokens=False)["input_ids"]
    for number, ids in enumerate(counted, 1):
        if len(ids) > longest:
            said = f"The question of row {number} has {len(ids)} tokens; it may have {longest}."
            fail("prompt_too_long", said, row=number, tokens=len(ids), maximum=longest)
    return Dataset.from_list(
        [{"prompt": text, "question": row.prompt[-1]["content"], "expected": row.completion,
          "schema": row.schema}
         for text, row in zip(texts, read, strict=True)]
    )  # fmt: skip
