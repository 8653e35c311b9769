"""The course of a training with mlx-lm's loop: from a checkpoint, to the end or to SIGTERM, each step as an event."""

import io
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
from kit import signals
from kit.apple import checkpoints
from kit.apple.batches import loss as cross_entropy
from kit.checkpoints import keep_newest
from kit.events import Events, check_loss
from kit.job import Job
from kit.training.best import Best
from kit.training.held_out import LOSS, HeldOut
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


class EndedEarly(Exception):
    """The held-out loss has not fallen for long enough."""


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


def optimizer(job: Job, steps: int) -> Clipped:
    """What the job's parameters say, with the learning rate's course over so many steps, as transformers has it."""
    rate, warm = job.parameters["learning_rate"], job.parameters["warmup_steps"]
    left = max(1, steps - warm)
    course: Any = {
        "constant": lambda: lambda _: mx.array(rate),
        "linear": lambda: optimizers.linear_schedule(rate, 0.0, left),
        "cosine": lambda: optimizers.cosine_decay(rate, left),
    }[job.parameters["schedule"]]()
    if warm:
        course = optimizers.join_schedules([optimizers.linear_schedule(0.0, rate, warm), course], [warm])
    return Clipped(course, job.parameters["weight_decay"], job.parameters["max_grad_norm"])


@dataclass(frozen=True)
class Course:
    """What is trained, by what, and in how many steps."""

    model: Any
    optimizer: Clipped
    steps: int


class Report(TrainingCallback):
    """Writes progress and metrics for each step, saves checkpoints, and ends training when SIGTERM asked for it."""

    def __init__(self, job: Job, out: Path, events: Events, stop: signals.Stop, course: Course) -> None:
        self._job, self._events, self._stop = job, events, stop
        self._folder = out / "checkpoints"
        self.course = course
        self.done = self.step = 0
        self.held_out: HeldOut | None = None
        self.best: Best | None = None
        self.tokens = 0
        self.of_reward: Callable[[], dict[str, float]] | None = None  # where it learns by reward: what the step got

    def begin(self, done: int) -> None:
        """Go on behind `done` steps; measures the untrained model."""
        self.done = self.step = done
        self._events.progress(done, self.course.steps, "training")
        if done == 0 and (measured := self._measured(0)):
            self._events.metric(0, measured)

    def on_train_loss_report(self, train_info: dict[str, Any]) -> None:
        """A step is done; exits with 143 behind a checkpoint where SIGTERM asked for the end."""
        batches = self._job.parameters["accumulation"]
        self.step = self.done + train_info["iteration"] // batches
        loss, optimizer = train_info["train_loss"], self.course.optimizer
        check_loss(loss, self.step)
        # a loss says whether it learns, except where it learns by reward
        told = self.of_reward() if self.of_reward else {"loss": loss}
        told |= {"learning_rate": train_info["learning_rate"], "grad_norm": float(optimizer.state["grad_norm"])}
        seconds = round(batches / train_info["iterations_per_second"], 4)
        measured = self._measured(self.step)
        self._events.metric(self.step, {**told, **measured, "step_seconds": seconds, "tokens": float(self.tokens)})
        self._events.progress(self.step, self.course.steps, "training")
        self.tokens = 0
        every = self._job.parameters["checkpoint_every"]
        if self._stop.requested or (every and self.step % every == 0):
            self._save()
        if self._stop.requested:
            raise SystemExit(signals.TERMINATED)
        if self.best is not None and self.best.is_over:
            raise EndedEarly

    def _save(self) -> None:
        folder = self._folder / str(self.step)
        checkpoints.save(folder, self.step, self.course.model, self.course.optimizer, self.best)
        keep_newest(self._folder, KEPT)
        self._events.checkpoint(self.step, f"{self._folder.name}/{self.step}")

    def _measured(self, step: int) -> dict[str, float]:
        if self.held_out is None or not self.held_out.is_due(step):
            return {}
        self.course.model.eval()
        measured = self.held_out.means()
        self.course.model.train()
        if self.best is not None:
            self.best.see(step, measured[LOSS], self.course.model)
        return measured


def run(
    report: Report,
    job: Job,
    batches: Callable[[int], Iterator[Any]],
    loss: Callable[..., tuple[Any, Any]] = cross_entropy,
) -> None:
    """Train to the end; `batches` gives from behind so many on what `loss` is called with, and its tokens' number."""
    model, optimizer, each = report.course.model, report.course.optimizer, job.parameters["accumulation"]
    done = checkpoints.restore(job.resume, model, optimizer)
    if report.best is not None:
        report.best.read(job.resume)
    report.begin(done)

    def counted(**_: Any) -> Iterator[Any]:
        for *batch, tokens in batches(done * each):
            report.tokens += tokens
            yield tuple(batch)

    # for the weights that mlx-lm writes at its end, in its own form, and its table of the steps, in colours
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(io.StringIO()), suppress(EndedEarly):
        arguments = TrainingArgs(
            iters=(report.course.steps - done) * each, steps_per_report=each, steps_per_save=10**9,
            grad_accumulation_steps=each, adapter_file=str(Path(scratch) / "adapters.safetensors"),
            grad_checkpoint=job.parameters["gradient_checkpointing"],
        )  # fmt: skip
        train(model, optimizer, None, args=arguments, loss=loss, iterate_batches=counted, training_callback=report)
