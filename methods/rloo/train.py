"""Let a base model try answers and learn by each one's reward beside the others' mean (RLOO).

PYTHONPATH=methods python methods/rloo/train.py --job job.json --out out/
"""

from pathlib import Path

from kit import entry
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn from the model's own scored answers, save the adapter."""
    from kit.training import reinforcement, rewarded

    reinforcement.teach(job, out, events, rewarded.RewardedRLOO, epsilon=job.parameters["epsilon"])


if __name__ == "__main__":
    entry.run(main, __doc__)
