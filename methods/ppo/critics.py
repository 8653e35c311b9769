"""What foresees how an unfinished answer will be rewarded: the base model with a small addition and a head."""

from typing import Any

from kit.job import Job


def beside(model: Any, job: Job) -> Any:
    """Freeze a model with a head for one score, and put LoRA beside its linear layers; the head learns too.

    The layers are changed in place, since PPOTrainer takes the model apart into its body and its head.
    """
    from peft import LoraConfig, inject_adapter_in_model

    rank, alpha = job.parameters["lora_rank"], job.parameters["lora_alpha"]
    model.requires_grad_(False)
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules="all-linear", task_type="SEQ_CLS")
    inject_adapter_in_model(config, model)
    for name, weight in model.named_parameters():
        if "lora_" in name or name.startswith("score."):
            weight.data = weight.data.float()
            weight.requires_grad_(True)
    return model
