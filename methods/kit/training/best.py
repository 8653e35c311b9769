"""Keep the weights that did best on held-out rows, and end when they no longer get better."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

from kit.events import Events, fail
from kit.job import Job
from kit.training import learned

WEIGHTS, STATE = "best.safetensors", "best.json"


class Best:
    """Watches the held-out loss: at which step it was lowest, and how many measurements ago.

    ``patience`` is the number of measurements without an improvement after which training should end (0: never);
    ``is_kept`` says whether the best weights are what the training results in. They lie in ``folder`` and travel in
    each checkpoint.
    """

    def __init__(self, folder: Path, patience: int, is_kept: bool) -> None:
        self._folder, self._patience, self._is_kept = folder, patience, is_kept
        self.step, self.loss, self.stale = 0, math.inf, 0

    @property
    def is_over(self) -> bool:
        """Whether it was not better for too long."""
        return 0 < self._patience <= self.stale

    def see(self, step: int, loss: float, model: Any) -> None:
        """Take note of a measurement; the untrained model (step 0) is nothing to come back to."""
        if step == 0 or not math.isfinite(loss):
            return
        if loss >= self.loss:
            self.stale += 1
            return
        self.step, self.loss, self.stale = step, loss, 0
        if self._is_kept:
            self._keep(model)

    def write(self, checkpoint: Path) -> None:
        """Put what is known into a checkpoint's folder."""
        state = {"step": self.step, "loss": self.loss if self.step else None, "stale": self.stale}
        (checkpoint / STATE).write_text(json.dumps(state), encoding="utf-8")
        if self._is_kept and self.step:
            shutil.copyfile(self._folder / WEIGHTS, checkpoint / WEIGHTS)

    def read(self, checkpoint: Path | None) -> None:
        """Take up what a checkpoint knows, where one is given and has it."""
        if checkpoint is None or not (checkpoint / STATE).is_file():
            return
        state = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
        self.step, self.stale = int(state["step"]), int(state["stale"])
        self.loss = math.inf if state["loss"] is None else float(state["loss"])
        if (checkpoint / WEIGHTS).is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(checkpoint / WEIGHTS, self._folder / WEIGHTS)

    def bring_back(self, model: Any, last: int) -> int:
        """Give the model its best weights, unless they are those of the ``last`` step; the step that it then has."""
        if not (self._is_kept and 0 < self.step < last):
            return last
        self._read(model)
        return self.step

    def _read(self, model: Any) -> None:
        learned.load(model, self._folder / WEIGHTS)

    def _keep(self, model: Any) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        learned.save(model, self._folder / WEIGHTS)


def check(job: Job, measured: list[Any]) -> None:
    """Refuse early stopping without held-out examples to see by (``early_stopping_blind``)."""
    if job.parameters["early_stopping"] and not measured:
        text = "There are no held-out rows to see by when it no longer gets better: early stopping needs some."
        fail("early_stopping_blind", text)


def finish(best: Best, last: int, steps: int, model: Any, events: Events) -> None:
    """Behind the ``last`` of ``steps``: go back to the best weights where they are wanted, and say so."""
    if last < steps:
        text = f"Ended at step {last} of {steps}: the held-out loss no longer fell."
        events.message("info", "stopped_early", text, step=last, steps=steps)
    if (step := best.bring_back(model, last)) < last:
        text = f"The result is the model of step {step}, which did best on the held-out examples."
        events.message("info", "best_step_kept", text, step=step, loss=round(best.loss, 4))
