"""Small additions that are trained in a base model's place (PEFT)."""

from pathlib import Path
from typing import Any

from kit import models
from kit.job import Job


def lora(model: Any, job: Job, facts: dict[str, Any], task_type: str = "CAUSAL_LM") -> Any:
    """Freeze the base model and put a LoRA adapter, kept in float32, beside each of its linear layers.

    PEFT also trains the head of a model whose `task_type` is SEQ_CLS, and saves it with the adapter.
    """
    from peft import LoraConfig, get_peft_model

    rank, alpha = job.parameters["lora_rank"], job.parameters["lora_alpha"]
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules="all-linear", task_type=task_type)
    adapted = get_peft_model(model, config)
    # PEFT would write this machine's path of the base model into the adapter, which leaves the machine.
    adapted.peft_config["default"].base_model_name_or_path = reference(facts)
    return adapted


def reference(facts: dict[str, Any]) -> str:
    """What an adapter says that its base is, of the base's ``model.json``."""
    return str((facts.get("source") or {}).get("reference") or "base")


def save(model: Any, folder: Path, facts: dict[str, Any], method: str, form: str = "adapter", **changes: Any) -> None:
    """Write the adapter and its ``model.json``; it inherits what `changes` does not say of the base model's facts."""
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty form
    models.write_card(
        folder, facts, form=form, source={"kind": "method", "reference": method, "sha256": None}, **changes
    )
