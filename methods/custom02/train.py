"""A trainer of your own on top of TRL: a worked example to copy and change. Its loss counts each example the same.

PYTHONPATH=methods python methods/custom02/train.py --job job.json --out out/
"""

from pathlib import Path
from typing import Any

from kit import datasets, entry, models, signals
from kit.events import Events
from kit.job import Job


def main(job: Job, out: Path, events: Events) -> None:
    """Load, train, save the adapter; exits with 143 after a checkpoint when SIGTERM asks for it."""
    from kit.training import adapters, course, held_out

    course.prepare(job)
    chosen, steps, dataset = job.parameters, job.parameters["steps"], job.datasets["dataset"]
    events.progress(0, steps, "loading")
    model, tokenizer = models.load_base(job.models["base"], chosen["precision"])
    rows = datasets.read(dataset.train, dataset.format, "train")
    examples = datasets.tokenize(rows, tokenizer, chosen["max_length"])
    watched = held_out.examples(dataset, tokenizer, chosen["max_length"], chosen["held_out_rows"])
    facts = models.card(job.models["base"])
    model = adapters.lora(model, job, facts)
    with signals.deferred() as stop:
        trainer = make_trainer(model, tokenizer, examples, job, out, events, stop)
        trainer.report.held_out = held_out.HeldOut(watched, chosen["batch_size"], steps, trainer.measure)
        course.run(trainer, job, out, stop)
    events.progress(steps, steps, "saving")
    adapters.save(model, out / "adapter", facts, job.method)
    events.progress(steps, steps, "done")


def make_trainer(
    model: Any, tokenizer: Any, examples: list[dict[str, list[int]]], job: Job, out: Path, events: Events,
    stop: signals.Stop,
) -> Any:  # fmt: skip
    """TRL's data handling and loop, with the loss below and our reports."""
    import torch
    from datasets import Dataset
    from kit.training import arguments
    from kit.training.held_out import LOSS, Sums
    from kit.training.report import Report, Sealed
    from trl import SFTConfig, SFTTrainer

    class EqualTrainer(Sealed, SFTTrainer):  # type: ignore[misc]
        """SFTTrainer in which a long answer weighs no more than a short one: change `compute_loss` for your own."""

        def __init__(self, report: Report, **options: Any) -> None:
            super().__init__(**options)
            self.report = report

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            """The mean over examples of each one's mean cross entropy over its answer's tokens."""
            labels = inputs.pop("labels")[:, 1:]
            self.report.tokens += int(inputs["attention_mask"].sum())
            outputs = model(**inputs, use_cache=False)
            logits = outputs.logits[:, :-1].float().transpose(1, 2)
            each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")  # 0 where the label is -100
            loss = (each.sum(1) / (labels != -100).sum(1).clamp(min=1)).mean()
            return (loss, outputs) if return_outputs else loss

        def measure(self, batch: list[dict[str, list[int]]]) -> Sums:
            """The loss on examples that are not learned from, as (sum, count)."""
            labelled = [labels_of(one) for one in batch]
            inputs = self._prepare_inputs(self.data_collator(labelled))
            return {LOSS: (float(self.compute_loss(self.model, inputs)) * len(batch), len(batch))}

    config = SFTConfig(**arguments.of(job, out), max_length=None, completion_only_loss=True)
    report = Report(events, stop, job.parameters["steps"])
    return EqualTrainer(
        model=model, args=config, processing_class=tokenizer, train_dataset=Dataset.from_list(examples),
        callbacks=[report], report=report,
    )  # fmt: skip


def labels_of(example: dict[str, list[int]]) -> dict[str, list[int]]:
    """An example as TRL prepares those that it trains on: a label where a token is learned, and nowhere else."""
    ids, mask = example["input_ids"], example["completion_mask"]
    return {"input_ids": ids, "labels": [token if learned else -100 for token, learned in zip(ids, mask, strict=True)]}


if __name__ == "__main__":
    entry.run(main, __doc__)
