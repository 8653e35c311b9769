"""Teach a base model from examples with an adapter of your choice (parameter-efficient fine-tuning).

PYTHONPATH=methods python methods/peft/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

import adapter_kinds
from kit import entry
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn with the chosen adapter, save it with what is known of packaging it."""
    from kit.training import adapters, supervised

    adapter_kinds.check(job)

    def dress(model: Any, tokenizer: Any, facts: dict[str, Any]) -> Any:
        return adapter_kinds.dress(model, tokenizer, job, adapters.reference(facts))

    def save(model: Any, _tokenizer: Any, facts: dict[str, Any]) -> None:
        kept = facts.get("packaging_problem") or ""
        is_prompt = job.parameters["adapter"] in adapter_kinds.PROMPTS
        problem = adapter_kinds.NOT_MERGEABLE if is_prompt else kept
        adapters.save(model, out / "adapter", facts, "peft", packaging_problem=problem)

    supervised.teach(job, out, events, dress, save, adapter_kinds.load)


if __name__ == "__main__":
    entry.run(main, __doc__)
