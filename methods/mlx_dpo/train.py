"""Teach a base model to prefer one of two answers on a Mac, with an adapter and Apple's MLX (DPO).

PYTHONPATH=methods python methods/mlx_dpo/train.py --job job.json --out out/
"""

import dataclasses
from pathlib import Path

from kit import entry, models, preferences, signals
from kit.events import Events
from kit.job import Job

FIXED = {"weight_decay": 0.0, "max_grad_norm": 1.0}


def main(given: Job, out: Path, events: Events) -> None:
    """Load, ask the untrained model once, learn, save the adapter; exits with 143 after a checkpoint on SIGTERM."""
    from kit.apple import adapters, course, preferring
    from kit.apple.models import adapt, load
    from kit.training.held_out import HeldOut

    job = dataclasses.replace(given, parameters={**FIXED, **given.parameters})
    chosen = job.parameters
    course.prepare(job)
    steps, size, beta = chosen["steps"], chosen["batch_size"], chosen["beta"]
    events.progress(0, steps, "loading")
    loaded = load(job.models["base"], chosen["precision"])
    pairs, watched = preferences.pairs_of(job, loaded.tokenizer)
    learned = preferences.in_order(pairs, job)
    adapted = adapt(loaded, "lora", chosen["lora_rank"], chosen["lora_alpha"])
    model, pad = loaded.model, loaded.tokenizer.pad_token_id
    with signals.deferred() as stop:
        events.progress(0, steps, "reference")
        preferring.remember(model, [*learned, *watched], size, pad, stop)
        report = course.Report(job, out, events, stop, course.Course(model, course.optimizer(job, steps), steps))
        report.held_out = HeldOut(watched, size, steps, preferring.measure(model, pad, beta))
        course.run(report, job, lambda done: preferring.in_turn(learned, size, pad, done), preferring.loss(beta))
    events.progress(steps, steps, "saving")
    adapters.save(adapted, out / "adapter", models.card(job.models["base"]), "mlx_dpo")
    events.progress(steps, steps, "done")


if __name__ == "__main__":
    entry.run(main, __doc__)
