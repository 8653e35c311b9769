"""Learning what is preferred, whatever it is learned from: what dpo, kto and orpo have in common.

A method says how rows become tokens (``read``) and which trainer learns from them (``make``).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kit import models, preferences, signals
from kit.events import Events
from kit.job import Job
from kit.training import adapters, arguments, course, lean
from kit.training.held_out import HeldOut
from kit.training.report import Report

Rows = list[dict[str, Any]]


def teach(
    job: Job,
    out: Path,
    events: Events,
    read: Callable[[Job, Any], tuple[Rows, Rows]],
    make: Callable[[Rows, Job, Path, dict[str, Any]], Any],
    also: tuple[str, ...],
) -> None:
    """Load, learn, save the adapter; exits with 143 after a checkpoint when SIGTERM asks for it.

    ``read(job, tokenizer)`` gives the rows to learn from and those to watch; ``make(rows, job, out, options)`` the
    trainer, with what each of them is given as ``options``; ``also`` are its metrics worth a curve.
    """
    course.prepare(job)
    steps = job.parameters["steps"]
    events.progress(0, steps, "loading")
    base = job.models["base"]
    model, tokenizer = models.load_base(base, job.parameters["precision"])
    learned, watched = read(job, tokenizer)
    learned = preferences.in_order(learned, job)
    lean.choose_attention(max(map(_tokens, learned)))
    facts = models.card(base)
    model = adapters.lora(model, job, facts)
    lean.lighten(model)
    events.progress(0, steps, "reference")
    with signals.deferred() as stop:
        report = Report(events, stop, steps, also)
        options = {"model": model, "processing_class": tokenizer, "callbacks": [report], "report": report}
        trainer = make(learned, job, out, options)
        report.held_out = HeldOut(watched, job.parameters["batch_size"], steps, trainer.measure)
        course.run(trainer, job, out, stop)
    events.progress(steps, steps, "saving")
    adapters.save(model, out / "adapter", facts, job.method)
    events.progress(steps, steps, "done")


def _tokens(row: dict[str, Any]) -> int:
    """Of prompt and answers together: a pair is one row, with its prompt once."""
    return sum(len(ids) for name, ids in row.items() if name.endswith("_ids"))


def configuration(job: Job, out: Path) -> dict[str, Any]:
    """The keywords of a TRL configuration: rows are taken one after the other, as `preferences.in_order` has them."""
    return {**arguments.of(job, out), "train_sampling_strategy": "sequential"}
