"""Learning pairs and answers at once, without a reference (odds ratio preference optimization)."""

from typing import Any

import torch
from kit.training.pairs import PairTrainer
from torch.nn import functional


class OddsTrainer(PairTrainer):
    """PairTrainer with ORPO's loss: that of the preferred answer, and beta times that of the odds between both."""

    def _compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool) -> Any:
        """Mean over pairs of NLL(preferred) + beta · L_OR; the preferred answers' NLL is a mean over their tokens."""
        self.report.tokens += int(inputs["attention_mask"].sum())
        counts = inputs["completion_mask"] == 1
        labels = inputs["input_ids"].masked_fill(~counts, -100)
        log_probs = self._asked(model, inputs["input_ids"], inputs["attention_mask"], labels).log_probs
        sizes = counts[:, 1:].sum(dim=1)
        chosen, rejected = (log_probs.sum(dim=1) / sizes).chunk(2)
        half = len(chosen)
        likely = -log_probs[:half].sum() / sizes[:half].sum()
        loss = likely + self.beta * odds_loss(chosen, rejected).mean()
        self._tell(self.beta * chosen.detach(), self.beta * rejected.detach())
        return (loss, {}) if return_outputs else loss

    def _tell(self, chosen: torch.Tensor, rejected: torch.Tensor) -> None:
        """The metrics that TRL tells for pairs; [pairs] each."""
        told = self._metrics["train" if self.model.training else "eval"]
        told["rewards/chosen"].append(float(chosen.mean()))
        told["rewards/rejected"].append(float(rejected.mean()))
        told["rewards/accuracies"].append(float((chosen > rejected).float().mean()))
        told["rewards/margins"].append(float((chosen - rejected).mean()))


def odds_loss(chosen: torch.Tensor, rejected: torch.Tensor) -> torch.Tensor:
    """−log σ(log odds(preferred) − log odds(other)), from mean log-probabilities of a token; [pairs] → [pairs].

    Equations 4 and 7 of Hong, Lee, Thorne, "ORPO: Monolithic Preference Optimization without Reference Model" (2024);
    odds(p) = p / (1 − p), so that log odds = log p − log(1 − p).
    """
    difference = (chosen - rejected) - (_log_of_rest(chosen) - _log_of_rest(rejected))
    return -functional.logsigmoid(difference)


def _log_of_rest(log_p: torch.Tensor) -> torch.Tensor:
    """log(1 − p), where p may be very near 1."""
    return torch.log(-torch.expm1(log_p.clamp(max=-1e-7)))
