"""What a transformers trainer reports while it works, and checkpoints of it that may travel."""

import time
from pathlib import Path
from typing import Any

from kit import checkpoints, signals
from kit.events import Events, check_loss
from kit.training import learned
from kit.training.best import Best
from kit.training.held_out import LOSS, HeldOut
from kit.training.samples import Samples
from transformers import Trainer, TrainerCallback

KEPT = 2  # checkpoints: the older one may be on its way elsewhere
OURS = ("loss", "learning_rate", "grad_norm")  # what a step tells in every method
OF_REWARD = OURS[1:]  # … that learns by reward: there the loss says nothing of whether the model learns


class Report(TrainerCallback):
    """Writes progress and metrics for each step, and ends training when SIGTERM asked for it.

    ``steps`` is how many there will be; ``also`` are further metrics of the trainer's log that are worth a curve, and
    ``own`` those that every method has.
    """

    def __init__(
        self, events: Events, stop: signals.Stop, steps: int, also: tuple[str, ...] = (), own: tuple[str, ...] = OURS
    ) -> None:
        self.events, self.stop, self.steps = events, stop, steps
        self.names = (*own, *also)
        self.held_out: HeldOut | None = None
        self.best: Best | None = None
        self.samples: Samples | None = None
        self.tokens = 0
        self._measured: dict[str, float] = {}
        self._since = 0.0
        self._seconds = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Measure the untrained model, and start the clock of the first step."""
        self.events.progress(state.global_step, self.steps, "training")
        self._measure(0 if state.global_step == 0 else None, model)
        if self._measured:
            self.events.metric(0, self._measured)
        self._since = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Take the time since the end of the step before; ask for a checkpoint and the end after a SIGTERM."""
        self._seconds = time.perf_counter() - self._since
        self._measure(state.global_step, model)
        if self.best is not None and self._measured:
            self.best.see(state.global_step, self._measured[LOSS], model)
            control.should_training_stop |= self.best.is_over
        self._since = time.perf_counter()
        if self.stop.requested:
            control.should_save = control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Report a step's numbers; refuse to go on when the loss is no longer a number."""
        if "loss" not in logs:
            return
        step = state.global_step
        check_loss(logs["loss"], step)
        values = {name: float(logs[name]) for name in self.names if name in logs}
        counted = {"tokens": float(self.tokens)} if self.tokens else {}
        self.events.metric(step, {**values, **self._measured, "step_seconds": round(self._seconds, 4), **counted})
        self.events.progress(step, self.steps, "training")
        self.tokens = 0

    def _measure(self, step: int | None, model: Any) -> None:
        """What is held out says about the model after this step, where it is due; learning's own count is kept."""
        due = step is not None and self.held_out is not None and self.held_out.is_due(step)
        tokens = self.tokens
        self._measured = self.held_out.measured(model) if due and self.held_out is not None else {}
        if due and step is not None and self.samples is not None:
            self.samples.tell(step, model)
        self.tokens = tokens


class Sealed:
    """Before a transformers Trainer among a class's bases: its checkpoints are sealed (`kit/checkpoints.py`)."""

    report: Report

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save, seal, report."""
        Trainer._save_checkpoint(self, model, trial)  # TRL's own versions add a model card that nobody asked for
        folder, step = Path(self.args.output_dir), self.state.global_step  # type: ignore[attr-defined]
        if self.report.best is not None:
            self.report.best.write(folder / f"checkpoint-{step}")
        learned.write(model, folder / f"checkpoint-{step}")
        checkpoints.seal(folder / f"checkpoint-{step}", folder / str(step))
        checkpoints.keep_newest(folder, KEPT)
        self.report.events.checkpoint(step, f"{folder.name}/{step}")

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Load the weights, those as well that PEFT leaves out."""
        Trainer._load_from_checkpoint(self, resume_from_checkpoint, model)
        learned.read(self.model if model is None else model, Path(resume_from_checkpoint))  # type: ignore[attr-defined]
