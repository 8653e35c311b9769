"""Learning from examples with mlx-lm, whatever of the model is trained: what mlx_demo, mlx and mlx_full have in common.

A method says what of a loaded model is trained (``dress``) and what is left of it (``save``).
"""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit import models, signals
from kit.apple import batches, course
from kit.apple.best import Best
from kit.apple.models import Loaded, load
from kit.events import Events
from kit.job import Job
from kit.training import best, held_out, lessons

# what a method does not offer is as with the other demo's
DEFAULTS = {
    "run_for": "steps", "accumulation": 1, "warmup_steps": 0, "weight_decay": 0.0, "max_grad_norm": 1.0,
    "precision": "float32", "held_out_every": 0, "early_stopping": 0, "keep_best": False,
}  # fmt: skip


def teach(
    given: Job, out: Path, events: Events, dress: Callable[[Loaded], Any], save: Callable[[Any, dict[str, Any]], None]
) -> None:
    """Load, learn, save; exits with 143 after a checkpoint when SIGTERM asks for it.

    ``dress(loaded)`` prepares the model; what it returns goes to ``save(…, facts)`` with the base model's
    ``model.json``, and that writes the result.
    """
    job = dataclasses.replace(given, parameters={**DEFAULTS, **given.parameters})
    course.prepare(job)
    events.progress(0, 1, "loading")
    loaded = load(job.models["base"], job.parameters["precision"])
    learned, measured = lessons.of(job, loaded.tokenizer)
    best.check(job, measured)
    steps = lessons.count_steps(job, len(learned))
    dressed = dress(loaded)
    model, pad, size = loaded.model, loaded.tokenizer.pad_token_id, job.parameters["batch_size"]

    with signals.deferred() as stop:
        optimizer = course.optimizer(job, steps)
        report = course.Report(job, out, events, stop, course.Course(model, optimizer, steps))
        report.best = Best(out / "best", job.parameters["early_stopping"], job.parameters["keep_best"])
        every = job.parameters["held_out_every"]
        report.held_out = held_out.HeldOut(measured, size, steps, batches.measure(model, pad), every)
        course.run(report, job, lambda done: batches.endless(learned, size, pad, job.seed, done))
    best.finish(report.best, report.step, steps, model, events)
    events.progress(steps, steps, "saving")
    save(dressed, models.card(job.models["base"]))
    shutil.rmtree(out / "best", ignore_errors=True)
    events.progress(steps, steps, "done")
