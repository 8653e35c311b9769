"""TRL's trainer for examples with a loss that computes only what is learned from."""

from typing import Any

import torch
from kit.training import flat, lean, words
from kit.training.held_out import LOSS, Sums
from kit.training.report import Report, Sealed
from torch.nn import functional
from trl import SFTTrainer


def _with_labels(example: dict[str, list[int]]) -> dict[str, list[int]]:
    """An example as TRL prepares those that it trains on: a label where a token is learned, and nowhere else."""
    if "labels" in example:
        return example
    ids, mask = example["input_ids"], example["completion_mask"]
    return {"input_ids": ids, "labels": [token if learned else -100 for token, learned in zip(ids, mask, strict=True)]}


class SelectiveTrainer(Sealed, SFTTrainer):  # type: ignore[misc]
    """SFTTrainer whose output layer sees only the positions that have a label.

    With a large vocabulary the output layer, its float32 copy and the metrics on top of it cost more than the rest of
    a small model; the gradient is the same without the positions that do not count. Padding is not computed either, and
    a beginning that all rows of a batch share, most often a chat template's, once (`flat`). ``order`` is the order of
    examples, where it is not a matter of chance alone.
    """

    def __init__(self, report: Report, order: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.report = report
        self._order = order
        plain = self._plain = self.accelerator.unwrap_model(self.model)
        config = getattr(plain, "active_peft_config", None)
        is_prompt = bool(config is not None and config.is_prompt_learning)  # it puts its own beginning before each row
        self._is_flat = not (self.args.gradient_checkpointing or is_prompt) and flat.suits(plain)
        self._output = words.OutputLayer(plain)

    def _get_train_sampler(self, *arguments: Any) -> Any:
        """The order of examples; transformers asks for it."""
        return super()._get_train_sampler(*arguments) if self._order is None else self._order

    def compute_loss(
        self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross entropy over the labelled tokens (of all accumulated batches, if their number is given)."""
        labels = inputs.pop("labels")
        self.report.tokens += int(inputs["attention_mask"].sum())
        is_packed = "position_ids" in inputs
        if is_packed:
            inputs.pop("attention_mask")  # without it the model goes by the positions, which begin anew
        if self._is_flat and not is_packed:
            found = self._flat(model, inputs["input_ids"], inputs["attention_mask"], labels)
        else:
            counts = labels[:, 1:] != -100
            given = {**inputs, "use_cache": False}
            found = self._output.log_probs(
                lambda: model(**given), lambda hidden: _predicting(hidden, counts), labels[:, 1:][counts]
            )
        loss = -found.sum() / (len(found) if num_items_in_batch is None else num_items_in_batch)
        return (loss, {}) if return_outputs else loss

    def measure(self, examples: list[Any]) -> Sums:
        """The loss over a batch of tokenized examples that are not learned from (see `HeldOut`)."""
        inputs = self._prepare_inputs(self.data_collator([_with_labels(one) for one in examples]))
        count = int((inputs["labels"][:, 1:] != -100).sum())
        return {LOSS: (float(self.compute_loss(self.model, inputs, num_items_in_batch=1)), count)}

    def _flat(self, model: Any, ids: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The log-probability of each labelled token, of rows that are computed without their padding."""
        done = lean.shared_beginning(ids, labels)
        layout = flat.lay_out(mask, done)
        given = {**flat.flatten(ids, layout), "use_cache": False}
        # nothing predicts a row's first own token: it is the row's first, or what is shared goes on with it in all
        wanted = functional.pad(labels[:, done + 1 :], (1, 0), value=-100).flatten()[layout.places]
        counts = (wanted != -100).nonzero()[:, 0]
        with flat.attending(self._plain, layout):
            return self._output.log_probs(
                lambda: model(**given), lambda hidden: hidden[0, counts + done - 1], wanted[counts]
            )


def _predicting(hidden: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """[rows, length, width] and which positions predict a label [rows, own length - 1] → [labels, width].

    A learned prompt stands before each row and has no labels.
    """
    return hidden[:, -counts.shape[1] - 1 : -1][counts]
