"""Teach a base model from answers that were called good or bad, one by one (Kahneman-Tversky optimization).

PYTHONPATH=methods python methods/kto/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import entry, preferences
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, ask the untrained model once, learn, save the adapter; exits with 143 after a checkpoint on SIGTERM."""
    from kit.training import preferring
    from kit.training.judged import ALSO

    preferring.teach(job, out, events, preferences.judged_of, make_trainer, ALSO)


def make_trainer(rows: list[dict[str, Any]], job: Job, out: Path, options: dict[str, Any]) -> Any:
    """TRL's loop and loss; the reference is the model with its adapter off, asked before the first step."""
    from datasets import Dataset
    from kit.training import preferring
    from kit.training.judged import JudgedTrainer
    from trl import KTOConfig

    good, bad = weights(rows) if job.parameters["balance"] else (1.0, 1.0)
    chosen = {"beta": job.parameters["beta"], "desirable_weight": good, "undesirable_weight": bad}
    config = KTOConfig(**preferring.configuration(job, out), max_length=None, **chosen)
    trainer = JudgedTrainer(args=config, train_dataset=Dataset.from_list(rows), **options)
    trainer.train_dataset = Dataset.from_list(trainer.remember(rows))
    return trainer


def weights(rows: list[dict[str, Any]]) -> tuple[float, float]:
    """What a good and a bad answer weigh, so that both kinds weigh the same in all: the rarer kind weighs more.

    Equation 8 of Ethayarajh et al., "KTO: Model Alignment as Prospect Theoretic Optimization" (2024), with ratio 1.
    """
    good = max(1, sum(row["label"] for row in rows))
    bad = max(1, len(rows) - good)
    return max(1.0, bad / good), max(1.0, good / bad)


if __name__ == "__main__":
    entry.run(main, __doc__)
