"""TRL's trainer for judged answers (binary feedback), with the reference asked once."""

from typing import Any

from kit.training.against_base import AgainstBase
from kit.training.held_out import LOSS, MARGIN, Sums
from trl import KTOTrainer

ALSO = ("rewards/margins", "rewards/chosen", "rewards/rejected", "kl")
REFERENCE = ("ref_logps", "ref_KL_logps")  # what TRL calls the reference's log-probabilities


class JudgedTrainer(AgainstBase, KTOTrainer):  # type: ignore[misc]
    """KTOTrainer whose reference is the model without its adapter; its loss and metrics are TRL's.

    A row has ``prompt_ids``, ``completion_ids`` and ``label``. Rows are learned from in their order, since each also
    stands for how far the model has moved as a whole, by the answer of the row before it in its batch.
    """

    def remember(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows with what the reference says of each one, a batch at a time as they are learned from.

        Ends with 143 where SIGTERM asks for it.
        """
        size = self.args.per_device_train_batch_size
        found: list[dict[str, Any]] = []
        for start in range(0, len(rows), size):
            self.report.stop.leave_if_requested()
            batch = mismatched(rows[start : start + size])
            inputs = self._prepare_inputs(self.data_collator(batch))
            told = self.compute_ref_log_probs(self._asks(self.model), inputs)
            values = zip(*(one.tolist() for one in told), strict=True)
            found += [row | dict(zip(REFERENCE, pair, strict=True)) for row, pair in zip(batch, values, strict=True)]
        self.precompute_ref_logps = True
        return found

    def measure(self, rows: list[Any]) -> Sums:
        """Loss and margin (mean reward of good answers above that of bad ones) of rows that are not learned from."""
        if REFERENCE[0] not in rows[0]:
            rows[:] = self.remember(rows)
        inputs = self._prepare_inputs(self.data_collator(rows))
        found = {LOSS: (float(self.compute_loss(self.model, inputs)) * len(rows), float(len(rows)))}
        told = self._metrics["eval"]
        if "rewards/margins" in told:  # there are good and bad ones among them
            found[MARGIN] = (told["rewards/margins"][-1] * len(rows), len(rows))
        told.clear()
        return found


def mismatched(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row of a batch with the answer of the one before it (of the last, for the first), as TRL pairs them."""
    return [row | {"KL_completion_ids": rows[number - 1]["completion_ids"]} for number, row in enumerate(rows)]
