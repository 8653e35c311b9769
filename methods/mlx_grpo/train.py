"""Let a base model try answers on a Mac and learn from checks which ones are good (GRPO), with Apple's MLX.

PYTHONPATH=methods python methods/mlx_grpo/train.py --job job.json --out out/
"""

import dataclasses
from pathlib import Path

from kit import datasets, entry, models, signals
from kit.events import Events
from kit.job import Job
from kit.judging import Judged

FIXED = {"accumulation": 1, "warmup_steps": 0, "weight_decay": 0.0, "max_grad_norm": 1.0}
UNKNOWN_LENGTH = 131_072  # tokens, of a model that does not say how many it takes


def main(given: Job, out: Path, events: Events) -> None:
    """Load, learn from the model's own scored answers, save; exits with 143 after a checkpoint on SIGTERM."""
    from kit.apple import adapters, course, rewarded
    from kit.apple.models import adapt, load

    job = dataclasses.replace(given, parameters={**FIXED, **given.parameters})
    chosen = job.parameters
    course.prepare(job)
    steps = chosen["steps"]
    events.progress(0, steps, "loading")
    judged, dataset = Judged(chosen["reward"]), job.datasets["dataset"]
    rows = datasets.read(dataset.train, dataset.format, "train")
    loaded = load(job.models["base"], chosen["precision"])
    facts = models.card(job.models["base"])
    longest = (facts.get("context_length") or UNKNOWN_LENGTH) - chosen["max_new_tokens"]
    questions = rewarded.questions(rows, loaded.tokenizer, longest)
    adapted = adapt(loaded, "lora", chosen["lora_rank"], chosen["lora_alpha"])
    rollouts = rewarded.Rollouts(loaded.model, loaded.tokenizer, questions, job, judged, events)
    with signals.deferred() as stop:
        optimizer = course.optimizer(job, steps)
        report = course.Report(job, out, events, stop, course.Course(loaded.model, optimizer, steps))
        report.of_reward = lambda: dict(rollouts.told)
        course.run(report, job, rollouts.batches, rewarded.loss)
    events.progress(steps, steps, "saving")
    adapters.save(adapted, out / "adapter", facts, "mlx_grpo")
    events.progress(steps, steps, "done")


if __name__ == "__main__":
    entry.run(main, __doc__)
