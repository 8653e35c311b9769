"""The words of things that are stored as codes: formats, forms, kinds, stages, metrics; the same on every page.

Plain words first, the field's term second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from babel.numbers import format_compact_decimal
from flask_babel import gettext, ngettext

from control_plane.domain import events
from control_plane.domain.learning import NOT_LEARNT
from control_plane.domain.lifecycle import PREPARING, QUEUED, RUNNING, SUCCEEDED, UPLOADING
from control_plane.services import models
from control_plane.services.comparison import Compared
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.models import ModelRecord
from control_plane.store.things import Thing
from control_plane.wording import say
from web import formatting
from web.languages import locale


def row_format(code: str) -> str:
    """What a row of a dataset is."""
    names: dict[str, str] = {
        "prompt_completion": gettext("Question and answer"),
        "chat": gettext("Conversation"),
        "text": gettext("Plain text"),
        "preference": gettext("Two answers, one preferred"),
        "unpaired_preference": gettext("An answer, judged good or bad"),
    }
    return names.get(code, code)


def draft_state(code: str) -> str:
    """How far a dataset's draft is."""
    names: dict[str, str] = {
        "looking": gettext("Looking at the file"),
        "checking": gettext("Checking every row"),
        "ready": gettext("Waits for you"),
        "saving": gettext("Saving the version"),
        "failed": gettext("Failed"),
    }
    return names.get(code, code)


def thing(code: str) -> str:
    """What kind of thing somebody made."""
    names: dict[str, str] = {
        "dataset": gettext("Dataset"),
        "model": gettext("Model"),
        "job": gettext("Job"),
        "deployment": gettext("Deployment"),
        "project": gettext("Project"),
    }
    return names.get(code, code)


def kept_in_trash(days: float) -> str:
    """How long something in the trash can be restored."""
    if days <= 0:
        return str(gettext("It can be restored until an administrator deletes it for good."))
    return str(ngettext("It can be restored for a day.", "It can be restored for %(num)s days.", max(1, round(days))))


def columns(fields: tuple[str, ...]) -> list[dict[str, str]]:
    """The headings of a dataset's rows, as the table macro takes them."""
    return [{"label": field(name)} for name in fields]


def field(name: str) -> str:
    """What a field of a row is."""
    names: dict[str, str] = {
        "prompt": gettext("Question"),
        "completion": gettext("Answer"),
        "messages": gettext("Conversation"),
        "text": gettext("Text"),
        "chosen": gettext("Preferred answer"),
        "rejected": gettext("Other answer"),
        "label": gettext("Judged"),
    }
    return names.get(name, name)


def job_columns(compared: Sequence[Compared]) -> list[dict[str, str]]:
    """A heading for each of the jobs that stand side by side."""
    return [{"label": f"#{one.job.id} {one.job.label}"} for one in compared]


def called(one: Thing) -> str:
    """A thing in a list of choices: its title, with the name that programs know it by."""
    return f"{one.title} ({one.name})" if one.title and one.title != one.name else str(one.name)


def role(code: str) -> str:
    """Who speaks in a conversation."""
    names: dict[str, str] = {"system": gettext("Instruction"), "user": gettext("User"), "assistant": gettext("Model")}
    return names.get(code, code)


def form(code: str) -> str:
    """What a model is, technically."""
    names: dict[str, str] = {
        "base": gettext("Base model"),
        "adapter": gettext("Customized model (adapter)"),
        "merged": gettext("Complete model (merged)"),
        "gguf": gettext("Packaged model (GGUF)"),
        "reward": gettext("Reward model"),
    }
    return names.get(code, code)


def kind(code: str) -> str:
    """What a job of this kind does."""
    names: dict[str, str] = {
        "import": gettext("Import"),
        "train": gettext("Training"),
        "evaluate": gettext("Evaluation"),
        "export": gettext("Packaging"),
        "search": gettext("Prompt search"),
        "dry_run": gettext("Dry run"),
    }
    return names.get(code, code)


def stage(code: str) -> str:
    """What an attempt is busy with; a method's own word where we have none."""
    names: dict[str, str] = {
        "blobs": gettext("Fetching the files"),
        "environment": gettext("Setting up the method's environment"),
        "loading": gettext("Loading the model"),
        "reference": gettext("Asking the untrained model"),
        "training": gettext("Learning"),
        "saving": gettext("Saving"),
        "baseline": gettext("Asking the model to compare with"),
        "candidate": gettext("Asking the model under test"),
        "finding": gettext("Finding the model"),
        "checking": gettext("Checking"),
        "merging": gettext("Merging"),
        "converting": gettext("Converting"),
        "quantizing": gettext("Quantizing"),
        "describing": gettext("Describing the result"),
        "done": gettext("Finishing"),
    }
    return names.get(code, code)


def metric(code: str) -> str:
    """What a score measures."""
    names: dict[str, str] = {
        "schema_valid": gettext("Answers in the required form (schema-valid)"),
        "exact_match": gettext("Answers exactly as expected (exact match)"),
        "preference_accuracy": gettext("Finds the preferred answer more likely (preference accuracy)"),
    }
    return names.get(code, code.replace("_", " "))


def metric_short(code: str) -> str:
    """What a score measures, in a word or two."""
    names: dict[str, str] = {
        "schema_valid": gettext("Form"),
        "exact_match": gettext("Content"),
        "preference_accuracy": gettext("Preference"),
    }
    return names.get(code, code.replace("_", " "))


def verdict(code: str) -> str:
    """What an evaluation found."""
    names: dict[str, str] = {
        "better": gettext("The tuned model is better"),
        "worse": gettext("The tuned model is worse"),
        "unclear": gettext("No clear difference"),
        "unpaired": gettext("Scored, nothing to compare with"),
    }
    return names.get(code, code)


def is_share(score: dict[str, Any]) -> bool:
    """Whether a score and its interval lie between 0 and 1, so that they can be drawn as a share."""
    return bool(0 <= score["low"] <= score["value"] <= score["high"] <= 1)


def score(value: float) -> str:
    """A score: a share as a percentage, anything else as a number."""
    return formatting.percent(value, locale()) if 0 <= value <= 1 else formatting.number(value, locale())


def points(value: float) -> str:
    """A difference of two shares with its sign, in percentage points; of other scores as a number."""
    shown = formatting.number(round(value * 100, 1) if abs(value) <= 1 else value, locale())
    signed = f"+{shown}" if value > 0 else shown
    return str(gettext("%(value)s percentage points", value=signed)) if abs(value) <= 1 else signed


def count(value: float | None) -> str:
    """A large count in words of the reader's language: 134,515,008 as 135M, 1.35亿."""
    digits = 2 if locale() == "zh" else 0  # Chinese counts in steps of 10,000, so that whole ones say too little
    return str(format_compact_decimal(value, locale=locale(), fraction_digits=digits)) if value else "–"


def curve(name: str) -> str:
    """What a metric is; a method's own word where we have none."""
    names: dict[str, str] = {
        "loss": gettext("Loss"),
        "held_out_loss": gettext("Loss on held-out rows"),
        "rewards/accuracies": gettext("Share of pairs told apart rightly"),
        "rewards/margins": gettext("Margin of the preferred answers"),
        "rewards/chosen": gettext("Reward of the preferred answers"),
        "rewards/rejected": gettext("Reward of the rejected answers"),
        "held_out_accuracy": gettext("Share of held-out pairs told apart rightly"),
        "held_out_margin": gettext("Margin of the preferred answers on held-out pairs"),
        "reward": gettext("Reward"),
        "reward_std": gettext("Spread of the rewards"),
        "kl": gettext("Distance from the base model (KL)"),
        "entropy": gettext("How undecided the model is (entropy)"),
        "policy_loss": gettext("Loss of the model"),
        "value_loss": gettext("Loss of the critic"),
        "completions/mean_length": gettext("Mean length of the answers"),
        "completions/clipped_ratio": gettext("Share of answers that were cut off"),
        "learning_rate": gettext("Learning rate"),
        "grad_norm": gettext("Size of the gradient"),
        "step_seconds": gettext("Seconds a step"),
        "tokens": gettext("Tokens"),
    }
    return names.get(name, name)


def packaging_problem(card: Mapping[str, Any]) -> str:
    """Why a model with this card cannot be packaged and deployed, as its import found; empty if nothing is known."""
    texts: dict[str, str] = {
        "architecture_not_packaged": gettext(
            "llama.cpp does not know the architecture %(architecture)s. What is trained from this model can be "
            "evaluated, but not packaged or deployed.",
            architecture=card.get("architecture") or "?",
        ),
        "vocabulary_not_packaged": gettext(
            "This model has no file tokenizer.model, without which models of the architecture %(architecture)s "
            "cannot be packaged or deployed. Import it again with that file.",
            architecture=card.get("architecture") or "?",
        ),
        "reward_not_packaged": gettext(
            "This is a reward model: it scores answers and writes none. A training can take it as its judge; it cannot "
            "be packaged or deployed."
        ),
        "adapter_not_mergeable": gettext(
            "This model is a learned prompt in front of its base model. It can be evaluated, but has no weights to "
            "merge, so it cannot be packaged or deployed."
        ),
    }
    return texts.get(str(card.get("packaging_problem")), "")


def model(record: ModelRecord) -> str:
    """A model in a list of choices."""
    return f"{called(record)} · {form(record.form)} · #{record.id}"


def cut(total: int) -> str:
    """That a list of choices holds the newest models only; empty where it holds all of them."""
    if total <= models.MOST_LISTED:
        return ""
    said: str = gettext(
        "The newest %(shown)s of %(total)s are listed. To choose an older one, begin on its own page.",
        shown=models.MOST_LISTED,
        total=total,
    )
    return said


def version(dataset: DatasetRecord, record: DatasetVersionRecord) -> str:
    """A dataset version in a list of choices."""
    rows = ngettext("one row", "%(num)s rows", record.train_rows)
    held_out = ngettext("one held out", "%(num)s held out", record.test_rows)
    return f"{called(dataset)} v{record.number} · {rows} · {held_out}"


def sweep_state(outcome: str) -> str:
    """How a sweep stands."""
    names: dict[str, str] = {
        "": gettext("Running"),
        "done": gettext("Done"),
        "stopped": gettext("Stopped"),
        "cancelled": gettext("Cancelled"),
    }
    return names.get(outcome, outcome)


def objective(name: str) -> str:
    """What the jobs of a sweep are compared by."""
    names: dict[str, str] = {
        "held_out_loss": gettext("Loss on held-out rows (less is better)"),
        "reward": gettext("Reward (more is better)"),
    }
    return names.get(name, name)


def value(given: object) -> str:
    """A parameter's value as the reader writes it; what a form holds as text may come as text."""
    switches: dict[str, str] = {"true": gettext("yes"), "false": gettext("no")}
    text = given if isinstance(given, str) else json.dumps(given)
    if text in switches:
        return switches[text]
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    return formatting.number(float(text), locale()) if is_number else text


def why(reason: str, params: Mapping[str, object]) -> str:
    """The sentence of a stored reason; empty without one."""
    return say(reason, params, locale()) if reason else ""


def state(job: JobRecord, attempt: AttemptRecord | None) -> str:
    """The state to show of a job: finer than what is stored, by its newest attempt. A key of macros/status.html."""
    if job.state == SUCCEEDED and job.learning in NOT_LEARNT:
        return "warning"
    if job.cancel_requested_at and job.state in (QUEUED, RUNNING):
        return "stopping"
    if job.state == RUNNING and attempt is not None:
        finer: dict[str, str] = {PREPARING: "preparing", UPLOADING: "finishing"}
        return finer.get(attempt.state, "running")
    return str(job.state).lower()


def attempt(code: str) -> str:
    """The state of an attempt."""
    names: dict[str, str] = {
        "OFFERED": gettext("Offered"),
        "PREPARING": gettext("Preparing"),
        "RUNNING": gettext("Running"),
        "UPLOADING": gettext("Finishing"),
        "SUCCEEDED": gettext("Succeeded"),
        "FAILED": gettext("Failed"),
        "CANCELLED": gettext("Cancelled"),
        "PREEMPTED": gettext("Gave way"),
        "LOST": gettext("Lost"),
        "DECLINED": gettext("Declined"),
    }
    return names.get(code, code)


def attempt_look(code: str) -> str:
    """How an attempt's state looks: a key of macros/status.html."""
    looks = {"UPLOADING": "finishing", "PREEMPTED": "paused", "DECLINED": "cancelled"}
    return looks.get(code, code.lower())


def event_kind(code: str) -> str:
    """What kind of event it is."""
    names: dict[str, str] = {
        "progress": gettext("Progress"),
        "metric": gettext("Values"),
        "checkpoint": gettext("Checkpoint"),
        "message": gettext("Message"),
    }
    return names.get(code, code)


def as_json(value: Any) -> str:
    """A value as indented JSON, for reading and copying."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def event(body: dict[str, Any], messages: Mapping[str, Mapping[str, str]]) -> str:
    """What an event of an attempt says, on one line. `messages` are the words that its method brings, by code."""
    if body.get("kind") == "metric":
        return ", ".join(f"{name} {value:g}" for name, value in events.metrics(body).items())
    if body.get("kind") == "progress":
        return str(gettext("step %(step)s of %(steps)s", step=body.get("step", "?"), steps=body.get("steps", "?")))
    if body.get("kind") == "message":
        code, given = str(body.get("code", "")), body.get("params")
        params = given if isinstance(given, dict) else {}
        return say(code, params | {"text": {"en": str(body.get("text", "")), **messages.get(code, {})}}, locale())
    return str(body.get("path", ""))
