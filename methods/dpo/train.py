"""Teach a base model to prefer one of two answers, without a judge between (direct preference optimization).

PYTHONPATH=methods python methods/dpo/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import entry, preferences
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, ask the untrained model once, learn, save the adapter; exits with 143 after a checkpoint on SIGTERM."""
    from kit.training import preferring
    from kit.training.pairs import ALSO

    preferring.teach(job, out, events, preferences.pairs_of, make_trainer, ALSO)


def make_trainer(rows: list[dict[str, Any]], job: Job, out: Path, options: dict[str, Any]) -> Any:
    """TRL's loop and losses; the reference is the model with its adapter off, asked before the first step."""
    from datasets import Dataset
    from kit.training import preferring
    from kit.training.pairs import PairTrainer
    from trl import DPOConfig

    chosen = {"beta": job.parameters["beta"], "loss_type": [job.parameters["loss"]]}
    config = DPOConfig(**preferring.configuration(job, out), max_length=None, **chosen)
    trainer = PairTrainer(args=config, train_dataset=Dataset.from_list(rows), **options)
    trainer.remember(rows)
    trainer.train_dataset = Dataset.from_list(rows)
    return trainer


if __name__ == "__main__":
    entry.run(main, __doc__)
