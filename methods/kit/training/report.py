"""What a transformers trainer reports while it works, and checkpoints of it that may travel."""

import math
import time
from pathlib import Path
from typing import Any

from kit import checkpoints, signals
from kit.events import Events, fail
from transformers import Trainer, TrainerCallback

KEPT = 2  # checkpoints: the older one may be on its way elsewhere
OURS = ("loss", "learning_rate", "grad_norm")  # what a step tells in every method


class Report(TrainerCallback):
    """Writes progress and metrics for each step, and ends training when SIGTERM asked for it.

    ``steps`` is how many there will be; ``also`` are further metrics of the trainer's log that are worth a curve.
    """

    def __init__(self, events: Events, stop: signals.Stop, steps: int, also: tuple[str, ...] = ()) -> None:
        self.events, self.stop, self.steps = events, stop, steps
        self.names = (*OURS, *also)
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
        values = {name: float(logs[name]) for name in self.names if name in logs}
        counted = {"tokens": float(self.tokens)} if self.tokens else {}
        self.events.metric(step, {**values, "step_seconds": round(self._seconds, 4), **counted})
        self.events.progress(step, self.steps, "training")
        self.tokens = 0


class Sealed:
    """Before a transformers Trainer among a class's bases: its checkpoints are sealed (`kit/checkpoints.py`)."""

    report: Report

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save, seal, report."""
        Trainer._save_checkpoint(self, model, trial)  # TRL's own versions add a model card that nobody asked for
        folder, step = Path(self.args.output_dir), self.state.global_step  # type: ignore[attr-defined]
        checkpoints.seal(folder / f"checkpoint-{step}", folder / str(step))
        checkpoints.keep_newest(folder, KEPT)
        self.report.events.checkpoint(step, f"{folder.name}/{step}")
