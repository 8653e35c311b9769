"""Teach a base model from example answers (supervised fine-tuning) with a small adapter (LoRA).

PYTHONPATH=methods python methods/sft_demo/train.py --job job.json --out out/
"""

import shutil
from pathlib import Path
from typing import Any

from kit import checkpoints, datasets, entry, models, signals
from kit.events import Events
from kit.job import Job

SHORT = 256  # tokens up to which plain attention takes less time than flash attention, above all backwards on a CPU


def main(job: Job, out: Path, events: Events) -> None:
    """Load, train, save the adapter; exits with 143 after a checkpoint when SIGTERM asks for it."""
    import torch
    from transformers import set_seed

    torch.set_num_threads(job.threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a help for finding errors that costs time
    set_seed(job.seed)
    steps = job.parameters["steps"]
    events.progress(0, steps, "loading")
    dataset = job.datasets["dataset"]
    rows = datasets.read(dataset.train, dataset.format, "train")
    base = job.models["base"]
    model, tokenizer = models.load_base(base, job.parameters["precision"])
    examples = datasets.tokenize(rows, tokenizer, job.parameters["max_length"])
    if max(len(example["input_ids"]) for example in examples) <= SHORT:
        torch.backends.cuda.enable_flash_sdp(enabled=False)  # despite its name this switch is the CPU's, too
    facts = models.card(base)
    model = add_lora(model, job, facts)

    with signals.deferred() as stop:
        trainer = make_trainer(model, tokenizer, examples, job, out, events, stop)
        trainer.train(resume_from_checkpoint=restored(job, out))
    shutil.rmtree(out / "restored", ignore_errors=True)
    if stop.requested:
        raise SystemExit(signals.TERMINATED)
    events.progress(steps, steps, "saving")
    save(model, out / "adapter", facts)
    events.progress(steps, steps, "done")


def add_lora(model: Any, job: Job, facts: dict[str, Any]) -> Any:
    """Freeze the base model and put a LoRA adapter, kept in float32, beside each of its linear layers."""
    from peft import LoraConfig, get_peft_model

    rank, alpha = job.parameters["lora_rank"], job.parameters["lora_alpha"]
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config)
    # PEFT would write this machine's path of the base model into the adapter, which leaves the machine.
    source = facts.get("source") or {}
    adapted.peft_config["default"].base_model_name_or_path = source.get("reference") or "base"
    return adapted


def make_trainer(
    model: Any,
    tokenizer: Any,
    examples: list[dict[str, list[int]]],
    job: Job,
    out: Path,
    events: Events,
    stop: signals.Stop,
) -> Any:
    """TRL's data handling and loop with our loss, reporting each step."""
    import lean
    from datasets import Dataset
    from loop import Report, SelectiveTrainer
    from trl import SFTConfig

    parameters = job.parameters
    config = SFTConfig(
        output_dir=str(out / "checkpoints"), seed=job.seed, data_seed=job.seed, max_steps=parameters["steps"],
        per_device_train_batch_size=parameters["batch_size"], learning_rate=parameters["learning_rate"],
        lr_scheduler_type=parameters["schedule"], weight_decay=0.0, max_length=None, completion_only_loss=True,
        save_strategy="steps" if parameters["checkpoint_every"] else "no",
        save_steps=parameters["checkpoint_every"] or 1, logging_steps=1, logging_nan_inf_filter=False,
        gradient_checkpointing=parameters["gradient_checkpointing"],
        bf16=False,  # the weights have the chosen precision already; autocast would cast each operation again
        use_cpu=job.devices[0].startswith("cpu"), dataloader_pin_memory=False, report_to="none", disable_tqdm=True,
    )  # fmt: skip
    lean.lighten(model)
    report = Report(events, stop, parameters["steps"])
    return SelectiveTrainer(
        model=model, args=config, processing_class=tokenizer, train_dataset=Dataset.from_list(examples),
        callbacks=[report], report=report,
    )  # fmt: skip


def restored(job: Job, out: Path) -> str | None:
    """The checkpoint to resume from as the trainer reads it, or None to begin at the first step."""
    if job.resume is None:
        return None
    shutil.rmtree(out / "restored", ignore_errors=True)
    return str(checkpoints.restore(job.resume, out / "restored"))


def save(model: Any, folder: Path, facts: dict[str, Any]) -> None:
    """Write the adapter and its ``model.json``; it inherits the base model's licence."""
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty form
    source = {"kind": "method", "reference": "sft_demo", "sha256": None}
    models.write_card(folder, facts, form="adapter", source=source)


if __name__ == "__main__":
    entry.run(main, __doc__)
