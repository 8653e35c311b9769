"""What mlx-lm has learned, in PEFT's names and shapes: other methods use it on any machine, as one of theirs."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
from kit import models
from kit.apple.models import Adapted


def save(adapted: Adapted, folder: Path, facts: dict[str, Any], method: str) -> None:
    """Write what is trained as a PEFT adapter, with its ``model.json``; `facts` are the base model's."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {f"base_model.model.{place}.{name}": weight
               for place, module in adapted.items() for name, weight in peft_weights(module).items()}  # fmt: skip
    mx.save_safetensors(str(folder / "adapter_model.safetensors"), weights, {"format": "pt"})
    source = facts.get("source") or {}
    config = _config(next(iter(adapted.values())), sorted({place.rpartition(".")[2] for place in adapted}))
    config["base_model_name_or_path"] = source.get("reference") or "base"
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    models.write_card(folder, facts, form="adapter", source={"kind": "method", "reference": method, "sha256": None})


def peft_weights(module: Any) -> dict[str, Any]:
    """PEFT's weights of one addition.

    mlx-lm has x A B with A [in, rank] and B [rank, out]; PEFT has the transposes, as torch's linear layers. DoRA's
    magnitude [out] is the same in both.
    """
    # contiguous: a transposed view would be written in the order of its memory
    factors = {f"lora_{factor.upper()}.weight": mx.contiguous(module[f"lora_{factor}"].T) for factor in "ab"}
    return factors | ({"lora_magnitude_vector": module["m"]} if "m" in module else {})


def _config(module: Any, targets: list[str]) -> dict[str, Any]:
    rank = module["lora_a"].shape[1]
    return {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": round(module.scale * rank),
            "lora_dropout": 0.0, "bias": "none", "target_modules": targets, "use_dora": "m" in module,
            "inference_mode": True}  # fmt: skip
