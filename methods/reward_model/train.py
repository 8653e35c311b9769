"""Teach a small addition to a base model which of two answers people prefer: it then scores any answer.

PYTHONPATH=methods python methods/reward_model/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import entry, models, preferences, reward_models, signals
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, train, save the reward model; exits with 143 after a checkpoint when SIGTERM asks for it."""
    from kit.training import adapters, course, held_out

    course.prepare(job)
    steps = job.parameters["steps"]
    events.progress(0, steps, "loading")
    base = job.models["base"]
    model, tokenizer = reward_models.load_base(base, job.parameters["precision"])
    learned, watched = map(whole, preferences.pairs_of(job, tokenizer))
    facts = models.card(base)
    model = adapters.lora(model, job, facts, task_type="SEQ_CLS")

    with signals.deferred() as stop:
        trainer = make_trainer(model, tokenizer, learned, job, out, events, stop)
        trainer.report.held_out = held_out.HeldOut(watched, job.parameters["batch_size"], steps, trainer.measure)
        course.run(trainer, job, out, stop)
    events.progress(steps, steps, "saving")
    changes = {"form": "reward", "packaging_problem": reward_models.NOT_PACKAGED}
    adapters.save(model, out / "reward", facts, "reward_model", **changes)
    events.progress(steps, steps, "done")


def whole(pairs: list[dict[str, list[int]]]) -> list[dict[str, list[int]]]:
    """Each answer of a tokenized pair with the prompt before it, as RewardTrainer takes them."""
    names = ("chosen_ids", "rejected_ids")
    return [{name: pair["prompt_ids"] + pair[name] for name in names} for pair in pairs]


def make_trainer(
    model: Any,
    tokenizer: Any,
    pairs: list[dict[str, list[int]]],
    job: Job,
    out: Path,
    events: Events,
    stop: signals.Stop,
) -> Any:
    """TRL's data handling, loop and loss, reporting each step."""
    from datasets import Dataset
    from kit.training import arguments, lean
    from kit.training.report import Report
    from scoring import NAMES, ScoringTrainer
    from trl import RewardConfig

    config = RewardConfig(
        **arguments.of(job, out), max_length=None, center_rewards_coefficient=job.parameters["centring"] or None
    )
    lean.lighten(model)
    report = Report(events, stop, job.parameters["steps"], also=tuple(NAMES.values()))
    return ScoringTrainer(
        model=model, args=config, processing_class=tokenizer, train_dataset=Dataset.from_list(pairs),
        callbacks=[report], report=report,
    )  # fmt: skip


if __name__ == "__main__":
    entry.run(main, __doc__)
