"""What TRL's trainers with a reference share here: the reference is the model without its adapter, asked for little."""

from collections.abc import Callable
from typing import Any

import torch
from kit.training.likelihood import Asked, Likelihood
from kit.training.report import Report, Sealed


class AgainstBase(Sealed):
    """Before DPOTrainer or KTOTrainer among a class's bases; ``is_paired`` as `Asked` takes it.

    Rows come in tokens. Their losses and metrics stay TRL's.
    """

    is_paired = False

    def __init__(self, report: Report, **options: Any) -> None:
        super().__init__(**options)
        self.report = report
        plain = self.accelerator.unwrap_model(self.model)  # type: ignore[attr-defined]
        if "ref" in plain.peft_config:
            plain.delete_adapter("ref")  # TRL's copy of the untrained adapter, which does nothing yet
        self._asked = Asked(plain, self.is_paired, begins=not self.args.gradient_checkpointing)

    def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
        """The rows are in tokens already."""
        return dataset

    def _asks(self, model: Any) -> Callable[..., Likelihood]:
        return lambda **given: self._asked(model, **given)

    def _compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool) -> Any:
        """TRL's, asking the model for less."""
        self.report.tokens += int(inputs["attention_mask"].sum())
        return super()._compute_loss(self._asks(model), inputs, return_outputs)  # type: ignore[misc]
