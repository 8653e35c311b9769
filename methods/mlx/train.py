"""Teach a base model from answers, conversations or texts on a Mac, with an adapter (LoRA or DoRA) and Apple's MLX.

PYTHONPATH=methods python methods/mlx/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import entry
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn beside the base model's weights, save the adapter."""
    from kit.apple import adapters, models, supervised

    def dress(loaded: models.Loaded) -> models.Adapted:
        return models.adapt(
            loaded, job.parameters["addition"], job.parameters["lora_rank"], job.parameters["lora_alpha"]
        )

    def save(adapted: models.Adapted, facts: dict[str, Any]) -> None:
        adapters.save(adapted, out / "adapter", facts, "mlx")

    supervised.teach(job, out, events, dress, save)


if __name__ == "__main__":
    entry.run(main, __doc__)
