"""Teach a base model to prefer one of two answers, and to give it, in one (odds ratio preference optimization).

PYTHONPATH=methods python methods/orpo/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import entry, preferences
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn, save the adapter; exits with 143 after a checkpoint on SIGTERM."""
    from kit.training import preferring
    from kit.training.pairs import ALSO

    preferring.teach(job, out, events, preferences.pairs_of, make_trainer, ALSO)


def make_trainer(rows: list[dict[str, Any]], job: Job, out: Path, options: dict[str, Any]) -> Any:
    """TRL's loop over pairs with ORPO's loss, which needs no reference."""
    from datasets import Dataset
    from kit.training import preferring
    from kit.training.odds import OddsTrainer
    from trl import DPOConfig

    config = DPOConfig(**preferring.configuration(job, out), max_length=None, beta=job.parameters["beta"])
    return OddsTrainer(args=config, train_dataset=Dataset.from_list(rows), **options)


if __name__ == "__main__":
    entry.run(main, __doc__)
