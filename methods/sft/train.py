"""Teach a base model from answers, conversations or texts (supervised fine-tuning), with all settings.

PYTHONPATH=methods python methods/sft/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import entry
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn beside the base model's weights (LoRA), save the adapter."""
    from kit.training import adapters, supervised

    def dress(model: Any, _tokenizer: Any, facts: dict[str, Any]) -> Any:
        return adapters.lora(model, job, facts)

    def save(model: Any, _tokenizer: Any, facts: dict[str, Any]) -> None:
        adapters.save(model, out / "adapter", facts, "sft")

    supervised.teach(job, out, events, dress, save)


if __name__ == "__main__":
    entry.run(main, __doc__)
