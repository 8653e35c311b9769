"""Learning from examples, whatever of the model is trained: what sft, peft and full have in common.

A method says how a loaded model becomes the one that is trained (``dress``) and what is left of it (``save``).
"""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit import models, signals
from kit.events import Events, fail
from kit.job import Job
from kit.training import arguments, course, held_out, lean, lessons, packed
from kit.training.best import Best
from kit.training.by_length import ByLength
from kit.training.report import Report
from kit.training.selective import SelectiveTrainer

SHORT = 256  # tokens up to which plain attention takes less time than flash attention, above all backwards on a CPU

Facts = dict[str, Any]
Loaded = tuple[Any, Any]  # transformers model, tokenizer


def teach(
    job: Job,
    out: Path,
    events: Events,
    dress: Callable[[Any, Facts], Any],
    save: Callable[[Any, Any, Facts], None],
    load: Callable[[Job], Loaded] | None = None,
) -> None:
    """Load, learn, save; exits with 143 after a checkpoint when SIGTERM asks for it.

    ``dress(model, facts)`` gives the model to train, ``save(model, tokenizer, facts)`` writes the result; ``facts``
    are the base model's ``model.json``. ``load(job)`` is for those that load the base model differently.
    """
    course.prepare(job)
    events.progress(0, 1, "loading")
    base = job.models["base"]
    model, tokenizer = (load or _loaded)(job)
    learned, measured = lessons.of(job, tokenizer)
    _check(job, measured)
    _choose_attention(learned)
    rows = packed.pack(learned, job.parameters["max_length"]) if job.parameters["packing"] else learned
    steps = count_steps(job, len(rows))
    facts = models.card(base)
    model = dress(model, facts)

    with signals.deferred() as stop:
        report = Report(events, stop, steps)
        report.best = Best(out / "best", job.parameters["early_stopping"], job.parameters["keep_best"])
        report.best.read(job.resume)
        trainer = make_trainer(model, tokenizer, rows, job, out, report)
        size, every = job.parameters["batch_size"], job.parameters["held_out_every"]
        report.held_out = held_out.HeldOut(measured, size, steps, trainer.measure, every)
        course.run(trainer, job, out, stop)
    _finish(report, trainer, model, events)
    events.progress(steps, steps, "saving")
    save(model, tokenizer, facts)
    shutil.rmtree(out / "best", ignore_errors=True)
    events.progress(steps, steps, "done")


def count_steps(job: Job, rows: int) -> int:
    """How many steps a job takes over so many rows: as said, or by rounds through them, as transformers counts."""
    if job.parameters["run_for"] == "steps":
        return int(job.parameters["steps"])
    batches = math.ceil(rows / job.parameters["batch_size"])
    return math.ceil(job.parameters["epochs"] * math.ceil(batches / job.parameters["accumulation"]))


def make_trainer(model: Any, tokenizer: Any, rows: list[Any], job: Job, out: Path, report: Report) -> Any:
    """TRL's data handling and loop with our loss, reporting each step."""
    from datasets import Dataset
    from trl import SFTConfig

    given = {**arguments.of(job, out), "max_steps": report.steps}
    lean.lighten(model)
    is_packed = job.parameters["packing"]
    lengths = [len(one["input_ids"]) for one in rows]
    order = None if is_packed else ByLength(lengths, job.parameters["batch_size"], job.seed)
    return SelectiveTrainer(
        model=model, args=SFTConfig(**given, max_length=None), processing_class=tokenizer,
        train_dataset=Dataset.from_list(rows), callbacks=[report], report=report, order=order,
        data_collator=packed.collator(tokenizer) if is_packed else None,
    )  # fmt: skip


def _loaded(job: Job) -> Loaded:
    return models.load_base(job.models["base"], job.parameters["precision"])


def _check(job: Job, measured: list[Any]) -> None:
    if job.parameters["early_stopping"] and not measured:
        text = "There are no held-out rows to see by when it no longer gets better: early stopping needs some."
        fail("early_stopping_blind", text)


def _choose_attention(examples: list[Any]) -> None:
    import torch

    if max(len(example["input_ids"]) for example in examples) <= SHORT:
        torch.backends.cuda.enable_flash_sdp(enabled=False)  # despite its name this switch is the CPU's, too


def _finish(report: Report, trainer: Any, model: Any, events: Events) -> None:
    """Go back to the best weights where they are wanted, and say so."""
    last = trainer.state.global_step
    if report.best is None:
        return
    if last < report.steps:
        text = f"Ended at step {last} of {report.steps}: the held-out loss no longer fell."
        events.message("info", "stopped_early", text, step=last, steps=report.steps)
    if (step := report.best.bring_back(model, last)) < last:
        text = f"The result is the model of step {step}, which did best on the held-out examples."
        events.message("info", "best_step_kept", text, step=step, loss=round(report.best.loss, 4))
