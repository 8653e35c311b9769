"""Teach a base model from example answers on a Mac, with a small adapter (LoRA) and Apple's MLX.

PYTHONPATH=methods python methods/mlx_demo/train.py --job job.json --out out/
"""

from pathlib import Path

from kit import entry, models, signals
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, train, save the adapter; exits with 143 after a checkpoint when SIGTERM asks for it."""
    from kit.apple import adapters, batches, course
    from kit.apple import models as apple
    from kit.training import held_out, lessons

    course.prepare(job)
    chosen, steps = job.parameters, job.parameters["steps"]
    events.progress(0, steps, "loading")
    loaded = apple.load(job.models["base"], chosen["precision"])
    learned, measured = lessons.of(job, loaded.tokenizer)
    layers = apple.adapt(loaded, "lora", chosen["lora_rank"], chosen["lora_alpha"])
    model, pad, size = loaded.model, loaded.tokenizer.pad_token_id, chosen["batch_size"]

    with signals.deferred() as stop:
        optimizer = course.optimizer(job)
        report = course.Report(job, out, events, stop, model, optimizer)
        report.held_out = held_out.HeldOut(measured, size, steps, batches.measure(model, pad))
        course.run(report, model, optimizer, job, lambda done: batches.endless(learned, size, pad, job.seed, done))
    events.progress(steps, steps, "saving")
    adapters.save(loaded, layers, out / "adapter", models.card(job.models["base"]), "mlx_demo")
    events.progress(steps, steps, "done")


if __name__ == "__main__":
    entry.run(main, __doc__)
