"""Let a base model try answers and learn from checks which ones are good (GRPO), with all settings.

PYTHONPATH=methods python methods/grpo/train.py --job job.json --out out/
"""

from pathlib import Path

from kit import entry
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn from the model's own scored answers, save the adapter."""
    from kit.training import reinforcement, rewarded

    reinforcement.teach(
        job,
        out,
        events,
        rewarded.RewardedGRPO,
        loss_type=job.parameters["loss"],
        scale_rewards=job.parameters["scale_rewards"],
        epsilon=job.parameters["epsilon"],
    )


if __name__ == "__main__":
    entry.run(main, __doc__)
