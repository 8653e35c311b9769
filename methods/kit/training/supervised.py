"""Learning from examples, whatever of the model is trained: what sft, peft and full have in common.

A method says how a loaded model becomes the one that is trained (``dress``) and what is left of it (``save``).
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit import models, signals
from kit.events import Events
from kit.job import Job
from kit.training import arguments, best, course, held_out, lean, lessons, packed, samples
from kit.training.by_length import ByLength
from kit.training.report import Report
from kit.training.selective import SelectiveTrainer

Facts = dict[str, Any]
Loaded = tuple[Any, Any]  # transformers model, tokenizer


def teach(
    job: Job,
    out: Path,
    events: Events,
    dress: Callable[[Any, Any, Facts], Any],
    save: Callable[[Any, Any, Facts], None],
    load: Callable[[Job], Loaded] | None = None,
    **settings: Any,
) -> None:
    """Load, learn, save; exits with 143 after a checkpoint when SIGTERM asks for it.

    ``dress(model, tokenizer, facts)`` gives the model to train, ``save(model, tokenizer, facts)`` writes the result;
    ``facts`` are the base model's ``model.json``. ``load(job)`` is for those that load the base model differently,
    ``settings`` are more of TRL's.
    """
    course.prepare(job)
    events.progress(0, 1, "loading")
    base = job.models["base"]
    model, tokenizer = (load or _loaded)(job)
    learned, measured = lessons.of(job, tokenizer)
    best.check(job, measured)
    lean.choose_attention(max(len(one["input_ids"]) for one in learned))
    rows = packed.pack(learned, job.parameters["max_length"]) if job.parameters["packing"] else learned
    steps = lessons.count_steps(job, len(rows))
    facts = models.card(base)
    model = dress(model, tokenizer, facts)

    with signals.deferred() as stop:
        report = Report(events, stop, steps)
        report.best = best.Best(out / "best", job.parameters["early_stopping"], job.parameters["keep_best"])
        report.best.read(job.resume)
        trainer = make_trainer(model, tokenizer, rows, job, out, report, **settings)
        size, every = job.parameters["batch_size"], job.parameters["held_out_every"]
        report.held_out = held_out.HeldOut(measured, size, steps, trainer.measure, every)
        report.samples = samples.Samples(lessons.questions(job, tokenizer), tokenizer, events)
        course.run(trainer, job, out, stop)
    best.finish(report.best, trainer.state.global_step, steps, model, events)
    events.progress(steps, steps, "saving")
    save(model, tokenizer, facts)
    shutil.rmtree(out / "best", ignore_errors=True)
    events.progress(steps, steps, "done")


def make_trainer(
    model: Any, tokenizer: Any, rows: list[Any], job: Job, out: Path, report: Report, **settings: Any
) -> Any:
    """TRL's data handling and loop with our loss, reporting each step."""
    from datasets import Dataset
    from trl import SFTConfig

    given = {**arguments.of(job, out), "max_steps": report.steps, **settings}
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
