"""Teach a base model from examples with all of its weights (full fine-tuning).

PYTHONPATH=methods python methods/full/train.py --job job.json --out out/
"""

import shutil
from pathlib import Path
from typing import Any

from kit import entry, models
from kit.events import Events, fail
from kit.job import Job
from kit.packaging import SENTENCEPIECE

RESULT = "model"


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn, save a complete model."""
    from kit.training import supervised

    optimizer = job.parameters["optimizer"]
    if optimizer != "adamw" and not on_gpu(job):
        text = f"The optimizer {optimizer} runs on NVIDIA GPUs (CUDA) alone; adamw runs everywhere."
        fail("optimizer_needs_cuda", text, optimizer=optimizer)

    def load(job: Job) -> tuple[Any, Any]:
        narrow = job.parameters["precision"] == "bfloat16"
        return models.load_base(job.models["base"], "bfloat16" if narrow else "float32")

    def dress(model: Any, _tokenizer: Any, _facts: dict[str, Any]) -> Any:
        return model.requires_grad_(True)

    def save(model: Any, tokenizer: Any, facts: dict[str, Any]) -> None:
        write(model, tokenizer, job.models["base"].path, out / RESULT, facts)

    chosen = {} if optimizer == "adamw" else {"optim": optimizer}
    supervised.teach(job, out, events, dress, save, load, bf16=is_mixed(job), **chosen)


def on_gpu(job: Job) -> bool:
    """Whether the job has an NVIDIA GPU."""
    return job.devices[0].startswith("cuda")


def is_mixed(job: Job) -> bool:
    """Whether matrices of float32 weights are multiplied in bfloat16 (autocast)."""
    import torch

    precision = job.parameters["precision"]
    return bool(precision == "mixed" or (precision == "auto" and on_gpu(job) and torch.cuda.is_bf16_supported()))


def write(model: Any, tokenizer: Any, base: Path, folder: Path, facts: dict[str, Any]) -> None:
    """Write the model in its base's number format, with all that it needs to be loaded and packaged."""
    import torch

    stored = facts.get("dtype") or "float32"
    model.to(getattr(torch, stored)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if (base / SENTENCEPIECE).is_file() and not (folder / SENTENCEPIECE).exists():
        shutil.copyfile(base / SENTENCEPIECE, folder / SENTENCEPIECE)  # transformers 5 does not write it
    source = {"kind": "method", "reference": "full", "sha256": None}
    models.write_card(folder, facts, form="merged", dtype=stored, source=source)


if __name__ == "__main__":
    entry.run(main, __doc__)
