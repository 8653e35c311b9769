"""The course of a training with mlx-lm's loop: from a checkpoint, to the end or to SIGTERM, each step as an event."""

import io
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import mlx.core as mx
from kit import signals
from kit.apple import checkpoints
from kit.apple.batches import loss
from kit.checkpoints import keep_newest
from kit.events import Events, check_loss
from kit.job import Job
from kit.training.held_out import HeldOut
from mlx import optimizers
from mlx_lm.tuner.callbacks import TrainingCallback
from mlx_lm.tuner.trainer import TrainingArgs, train

KEPT = 2  # checkpoints: the older one may be on its way elsewhere


def prepare(job: Job) -> None:
    """The device and the seed, before anything is loaded."""
    if job.devices[0].startswith("cpu"):
        mx.set_default_device(mx.cpu)
        mx.disable_compile()  # for a processor it calls a C++ compiler, which takes half a minute where there is one
    mx.random.seed(job.seed)


class Clipped(optimizers.AdamW):  # type: ignore[misc]
    """AdamW as torch has it, with gradients no longer than `longest` (0: as long as they are)."""

    def __init__(self, rate: Any, weight_decay: float, longest: float) -> None:
        super().__init__(rate, weight_decay=weight_decay, bias_correction=True)
        self._longest = longest or math.inf
        self.state["grad_norm"] = mx.array(0.0)

    def apply_gradients(self, gradients: Any, parameters: Any) -> Any:
        """One step; its gradient's length is kept in the state."""
        gradients, self.state["grad_norm"] = optimizers.clip_grad_norm(gradients, self._longest)
        return super().apply_gradients(gradients, parameters)


def optimizer(job: Job) -> Clipped:
    """What the job's parameters say, with the learning rate's course."""
    rate, steps = job.parameters["learning_rate"], job.parameters["steps"]
    course = {
        "constant": lambda: rate,
        "linear": lambda: optimizers.linear_schedule(rate, 0.0, steps),
        "cosine": lambda: optimizers.cosine_decay(rate, steps),
    }[job.parameters["schedule"]]()
    return Clipped(course, 0.0, 1.0)


class Report(TrainingCallback):
    """Writes progress and metrics for each step, saves checkpoints, and ends training when SIGTERM asked for it."""

    def __init__(self, job: Job, out: Path, events: Events, stop: signals.Stop, model: Any, optimizer: Any) -> None:
        self._job, self._events, self._stop = job, events, stop
        self._folder = out / "checkpoints"
        self._model, self._optimizer = model, optimizer
        self.steps, self.done = job.parameters["steps"], 0
        self.held_out: HeldOut | None = None
        self.tokens = 0

    def begin(self, done: int) -> None:
        """Go on behind `done` steps; measures the untrained model."""
        self.done = done
        self._events.progress(done, self.steps, "training")
        if done == 0 and (measured := self._measured(0)):
            self._events.metric(0, measured)

    def on_train_loss_report(self, train_info: dict[str, Any]) -> None:
        """A step is done; exits with 143 behind a checkpoint where SIGTERM asked for the end."""
        step = self.done + train_info["iteration"]
        check_loss(train_info["train_loss"], step)
        told = {"loss": train_info["train_loss"], "learning_rate": train_info["learning_rate"],
                "grad_norm": float(self._optimizer.state["grad_norm"])}  # fmt: skip
        counts = {"step_seconds": round(1 / train_info["iterations_per_second"], 4), "tokens": float(self.tokens)}
        self._events.metric(step, {**told, **self._measured(step), **counts})
        self._events.progress(step, self.steps, "training")
        every = self._job.parameters["checkpoint_every"]
        if self._stop.requested or (every and step % every == 0):
            checkpoints.save(self._folder / str(step), step, self._model, self._optimizer)
            keep_newest(self._folder, KEPT)
            self._events.checkpoint(step, f"{self._folder.name}/{step}")
        if self._stop.requested:
            raise SystemExit(signals.TERMINATED)

    def _measured(self, step: int) -> dict[str, float]:
        if self.held_out is None or not self.held_out.is_due(step):
            return {}
        self._model.eval()
        measured = self.held_out.means()
        self._model.train()
        return measured


def run(report: Report, model: Any, optimizer: Any, job: Job, batches: Callable[[int], Iterator[Any]]) -> None:
    """Train to the end; `batches` gives them from behind so many steps on."""
    done = checkpoints.restore(job.resume, model, optimizer)
    report.begin(done)

    def counted(**_: Any) -> Iterator[Any]:
        for ids, labels, report.tokens in batches(done):
            yield ids, labels

    # for the weights that mlx-lm writes at its end, in its own form, and its table of the steps, in colours
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(io.StringIO()):
        arguments = TrainingArgs(
            iters=job.parameters["steps"] - done, steps_per_report=1, steps_per_save=10**9,
            adapter_file=str(Path(scratch) / "adapters.safetensors"),
            grad_checkpoint=job.parameters["gradient_checkpointing"],
        )  # fmt: skip
        train(model, optimizer, None, args=arguments, loss=loss, iterate_batches=counted, training_callback=report)
