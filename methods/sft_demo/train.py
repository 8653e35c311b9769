"""Teach a base model from example answers (supervised fine-tuning) with a small adapter (LoRA).

PYTHONPATH=methods python methods/sft_demo/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import datasets, entry, models, signals
from kit.events import Events
from kit.job import Job

SHORT = 256  # tokens up to which plain attention takes less time than flash attention, above all backwards on a CPU


def main(job: Job, out: Path, events: Events) -> None:
    """Load, train, save the adapter; exits with 143 after a checkpoint when SIGTERM asks for it."""
    import torch
    from kit.training import adapters, course, held_out

    course.prepare(job)
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
    model = adapters.lora(model, job, facts)

    with signals.deferred() as stop:
        trainer = make_trainer(model, tokenizer, examples, job, out, events, stop)
        kept = held_out.examples(dataset, tokenizer, job.parameters["max_length"], job.parameters["held_out_rows"])
        trainer.report.held_out = held_out.HeldOut(kept, job.parameters["batch_size"], steps, trainer.measure)
        course.run(trainer, job, out, stop)
    events.progress(steps, steps, "saving")
    adapters.save(model, out / "adapter", facts, "sft_demo")
    events.progress(steps, steps, "done")


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
    from datasets import Dataset
    from kit.training import arguments, lean
    from kit.training.report import Report
    from kit.training.selective import SelectiveTrainer
    from trl import SFTConfig

    config = SFTConfig(**arguments.of(job, out), max_length=None, completion_only_loss=True)
    lean.lighten(model)
    report = Report(events, stop, job.parameters["steps"])
    return SelectiveTrainer(
        model=model, args=config, processing_class=tokenizer, train_dataset=Dataset.from_list(examples),
        callbacks=[report], report=report,
    )  # fmt: skip


if __name__ == "__main__":
    entry.run(main, __doc__)
