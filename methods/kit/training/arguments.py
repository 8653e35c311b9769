"""From a job to a trainer's configuration: one place where our parameters meet the names of transformers."""

from pathlib import Path
from typing import Any

from kit.job import Job

# parameters.toml → TrainingArguments; what a method does not offer keeps the library's default
NAMES = {
    "steps": "max_steps",
    "batch_size": "per_device_train_batch_size",
    "learning_rate": "learning_rate",
    "schedule": "lr_scheduler_type",
    "gradient_checkpointing": "gradient_checkpointing",
    "accumulation": "gradient_accumulation_steps",
    "warmup_steps": "warmup_steps",
    "weight_decay": "weight_decay",
    "max_grad_norm": "max_grad_norm",
}


def of(job: Job, out: Path) -> dict[str, Any]:
    """The keywords of TrainingArguments, or of a configuration that extends it, which each method shares."""
    every = job.parameters["checkpoint_every"]
    return {
        "weight_decay": 0.0,
        **{theirs: job.parameters[ours] for ours, theirs in NAMES.items() if ours in job.parameters},
        "output_dir": str(out / "checkpoints"), "seed": job.seed, "data_seed": job.seed,
        "save_strategy": "steps" if every else "no", "save_steps": every or 1,
        "logging_steps": 1, "logging_nan_inf_filter": False,
        "bf16": False,  # the weights have the chosen precision already; autocast would cast each operation again
        "use_cpu": job.devices[0].startswith("cpu"), "dataloader_pin_memory": False, "report_to": "none",
        "disable_tqdm": True,
    }  # fmt: skip
