"""TRL's trainer for pairs of answers, with the reference asked once and each prompt computed once."""

from typing import Any

from kit.training.against_base import AgainstBase
from kit.training.held_out import ACCURACY, LOSS, MARGIN, Sums
from trl import DPOTrainer

ALSO = ("rewards/accuracies", "rewards/margins", "rewards/chosen", "rewards/rejected")
REFERENCE = ("ref_chosen_logps", "ref_rejected_logps")  # what TRL calls the reference's log-probabilities


class PairTrainer(AgainstBase, DPOTrainer):  # type: ignore[misc]
    """DPOTrainer whose reference is the model without its adapter; its losses and metrics are TRL's.

    A pair is a row with ``prompt_ids``, ``chosen_ids`` and ``rejected_ids``.
    """

    is_paired = True

    def remember(self, pairs: list[dict[str, Any]]) -> None:
        """Ask the reference how likely it finds both answers of each pair, and keep that with the pair; once each.

        Ends with 143 where SIGTERM asks for it.
        """
        size = self.args.per_device_train_batch_size
        unknown = list({id(pair): pair for pair in pairs if REFERENCE[0] not in pair}.values())
        for start in range(0, len(unknown), size):
            self.report.stop.leave_if_requested()
            batch = unknown[start : start + size]
            inputs = self._prepare_inputs(self.data_collator(batch))
            found = self.compute_ref_log_probs(self._asks(self.model), inputs)
            for name, values in zip(REFERENCE, found, strict=True):
                for pair, value in zip(batch, values.tolist(), strict=True):
                    pair[name] = value
        self.precompute_ref_logps = True

    def measure(self, pairs: list[Any]) -> Sums:
        """Loss, share of pairs told apart rightly and margin of pairs that are not learned from (see `HeldOut`)."""
        if self.precompute_ref_logps:
            self.remember(pairs)
        inputs = self._prepare_inputs(self.data_collator(pairs))
        loss = float(self.compute_loss(self.model, inputs))
        told = self._metrics["eval"]
        means = {LOSS: loss, ACCURACY: told["rewards/accuracies"][-1], MARGIN: told["rewards/margins"][-1]}
        told.clear()
        return {name: (mean * len(pairs), len(pairs)) for name, mean in means.items()}
