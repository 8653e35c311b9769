"""Teach a base model from examples on a Mac with all of its weights (full fine-tuning) and Apple's MLX.

PYTHONPATH=methods python methods/mlx_full/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import entry
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn, save a complete model."""
    from kit.apple import models, supervised, whole

    def dress(loaded: models.Loaded) -> models.Loaded:
        models.unfreeze(loaded)
        return loaded

    def save(loaded: models.Loaded, facts: dict[str, Any]) -> None:
        whole.save(loaded, job.models["base"].path, out / "model", facts, "mlx_full")

    supervised.teach(job, out, events, dress, save)


if __name__ == "__main__":
    entry.run(main, __doc__)
