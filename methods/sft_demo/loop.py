"""TRL's trainer with a loss that computes only what is learned from, and the callback that reports each step."""

import math
import time
from pathlib import Path
from typing import Any

import lean
import torch
from kit import checkpoints, signals
from kit.events import Events, fail
from transformers import Trainer, TrainerCallback
from trl import SFTTrainer


class Report(TrainerCallback):
    """Writes progress and metrics for each step, and ends training when SIGTERM asked for it."""

    def __init__(self, events: Events, stop: signals.Stop, steps: int) -> None:
        self.events, self.stop, self.steps = events, stop, steps
        self.tokens = 0
        self._since = 0.0
        self._seconds = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock of the first step."""
        self.events.progress(state.global_step, self.steps, "training")
        self._since = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take the time since the end of the step before; ask for a checkpoint and the end after a SIGTERM."""
        now = time.perf_counter()
        self._seconds, self._since = now - self._since, now
        if self.stop.requested:
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Report a step's numbers; refuse to go on when the loss is no longer a number."""
        if "loss" not in logs:
            return
        step = state.global_step
        if not math.isfinite(logs["loss"]):
            text = f"The loss is no longer a number at step {step}; a lower learning rate helps."
            fail("training_diverged", text, step=step)
        values = {name: float(logs[name]) for name in ("loss", "learning_rate", "grad_norm") if name in logs}
        self.events.metric(step, {**values, "step_seconds": round(self._seconds, 4), "tokens": self.tokens})
        self.events.progress(step, self.steps, "training")
        self.tokens = 0


class SelectiveTrainer(SFTTrainer):  # type: ignore[misc]
    """SFTTrainer whose output layer sees only the positions that have a label.

    With a large vocabulary the output layer, its float32 copy and the metrics on top of it cost more than the rest of
    a small model; the gradient is the same without the positions that do not count. A beginning that all rows of a
    batch share, most often a chat template's, is computed once, and its gradient is the sum of the rows'.
    """

    def __init__(self, report: Report, **options: Any) -> None:
        super().__init__(**options)
        self._report = report
        self._counts: torch.Tensor | None = None
        plain = self.accelerator.unwrap_model(self.model)
        self._shares = not self.args.gradient_checkpointing and lean.can_share(plain)
        plain.get_output_embeddings().register_forward_pre_hook(self._select)

    def _select(self, _module: Any, arguments: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        """Before the output layer: [rows, length, width] → [1, labelled positions, width]."""
        if self._counts is None:
            return None
        return (arguments[0][:, :-1][self._counts].unsqueeze(0), *arguments[1:])

    def compute_loss(
        self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross entropy over the labelled tokens (of all accumulated batches, if their number is given)."""
        labels = inputs.pop("labels")
        self._report.tokens += int(inputs["attention_mask"].sum())
        done = lean.shared_beginning(inputs["input_ids"], labels) if self._shares else 0
        given = self._begin(model, inputs, done) if done else {**inputs, "use_cache": False}
        targets = labels[:, done + 1 :]
        counts = targets != -100
        logits = self._pass(model, given, counts).logits[0]
        targets = targets[counts]
        total = torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
        loss = total / (targets.numel() if num_items_in_batch is None else num_items_in_batch)
        return (loss, {"logits": logits}) if return_outputs else loss

    def _begin(self, model: Any, inputs: dict[str, torch.Tensor], length: int) -> dict[str, Any]:
        """Compute the shared beginning for one row, and give what the rest of all rows needs to go on from it."""
        ids = inputs["input_ids"]
        nothing = torch.zeros((1, length - 1), dtype=torch.bool, device=ids.device)
        begun = self._pass(model, {"input_ids": ids[:1, :length], "use_cache": True}, nothing)
        begun.past_key_values.batch_repeat_interleave(len(ids))
        rest = {"input_ids": ids[:, length:], "attention_mask": inputs["attention_mask"]}
        return {**rest, "past_key_values": begun.past_key_values, "use_cache": True}

    def _pass(self, model: Any, given: dict[str, Any], counts: torch.Tensor) -> Any:
        """One pass; `counts` [rows, length - 1] says which positions predict a label: logits are [1, those, words]."""
        self._counts = counts
        try:
            return model(**given)
        finally:
            self._counts = None

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save, seal, report; the last two checkpoints are kept, because the older may be on its way elsewhere."""
        Trainer._save_checkpoint(self, model, trial)  # TRL's own version adds a model card that nobody asked for
        folder, step = Path(self.args.output_dir), self.state.global_step
        checkpoints.seal(folder / f"checkpoint-{step}", folder / str(step))
        checkpoints.keep_newest(folder, 2)
        self._report.events.checkpoint(step, f"{folder.name}/{step}")
