"""TRL's trainer for reward models, reporting as all methods do."""

from typing import Any

import torch
from kit.training.held_out import ACCURACY, LOSS, MARGIN, Sums
from kit.training.report import Report, Sealed
from trl import RewardTrainer

NAMES = {"accuracy": "rewards/accuracies", "margin": "rewards/margins"}  # TRL's → the field's


class ScoringTrainer(Sealed, RewardTrainer):  # type: ignore[misc]
    """RewardTrainer with sealed checkpoints; loss −log σ(score of the preferred answer − score of the other)."""

    def __init__(self, report: Report, **options: Any) -> None:
        super().__init__(**options)
        self.report = report

    def compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], **options: Any) -> Any:
        """TRL's, with the tokens counted."""
        self.report.tokens += int(inputs["attention_mask"].sum())
        return super().compute_loss(model, inputs, **options)

    def log(self, logs: dict[str, float], *arguments: Any) -> None:
        """TRL's metrics under the names that they have in each method with pairs."""
        kept = self._metrics["train"]
        for theirs, ours in NAMES.items():
            if theirs in kept:
                kept[ours] = kept.pop(theirs)
        super().log(logs, *arguments)

    def measure(self, pairs: list[Any]) -> Sums:
        """Loss, share of pairs told apart rightly and margin of pairs that are not learned from (see `HeldOut`)."""
        inputs = self._prepare_inputs(self.data_collator(pairs))
        chosen, rejected = self.model(**inputs, use_cache=False).logits[:, 0].float().chunk(2)
        margins = chosen - rejected
        sums = {
            LOSS: -torch.nn.functional.logsigmoid(margins).sum(),
            ACCURACY: (margins > 0).sum(),
            MARGIN: margins.sum(),
        }
        return {name: (float(total), len(pairs)) for name, total in sums.items()}
