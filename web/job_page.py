"""What a job's page shows, from records to values: how far it is, why it waits or failed, what it made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from flask_babel import gettext

from control_plane.context import ControlPlane
from control_plane.domain.forms import REWARD
from control_plane.domain.learning import NOT_LEARNT, Learning
from control_plane.domain.lifecycle import FAILED, JOB_OVER, PREPARING, QUEUED, RUNNING, SUCCEEDED
from control_plane.domain.manifest import Manifest
from control_plane.domain.permissions import Actor
from control_plane.services import jobs, methods, models, pins, results
from control_plane.services.fleet import machines, scheduling
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.methods import MethodVersionRecord
from control_plane.store.models import ModelRecord
from control_plane.wording import briefly, waiting
from web import learning, rail, words
from web.languages import locale

Step = dict[str, str]  # label, url, text

_MESSAGES = 200  # the newest ones, of which some are answers


@dataclass(frozen=True)
class Sample:
    """What a model that learns answered to a held-out question: (step, answer), the newest first."""

    question: str
    answers: list[tuple[int, str]]


@dataclass(frozen=True)
class JobView:
    """A job as its page shows it."""

    job: JobRecord
    method: Manifest
    record: MethodVersionRecord
    attempts: list[AttemptRecord]
    machines: dict[str, str]  # id → name
    made: ModelRecord | None
    evaluation_id: int | None
    rail: rail.Stops
    ahead: int  # jobs that are planned before it, while it waits for a device
    devices: list[str]  # uuids of what the newest attempt was given
    now: float  # seconds since the epoch
    learning: Learning | None = None  # what its loss or reward says: on the pages that show it
    samples: Sequence[Sample] = ()  # … and what it answers meanwhile

    @property
    def attempt(self) -> AttemptRecord | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def state(self) -> str:
        """How it looks: a training that ended well and did not learn is a warning."""
        if self.job.state == SUCCEEDED and self.has_not_learnt:
            return "warning"
        return words.state(self.job, self.attempt)

    @property
    def has_not_learnt(self) -> bool:
        return self.learning is not None and self.learning.verdict in NOT_LEARNT

    @property
    def learns(self) -> tuple[str, str, str]:
        """Whether it learns, what follows from that, and the numbers behind it; empty while there is nothing to say."""
        return (*learning.says(self.learning), learning.figures(self.learning))

    @property
    def is_rewarded(self) -> bool:
        """Whether it learns by reward: its loss says nothing then."""
        return "reward" in self.job.parameters

    @property
    def is_over(self) -> bool:
        return self.job.state in JOB_OVER

    @property
    def topic(self) -> str:
        return f"job:{self.job.id}"

    @property
    def waiting(self) -> str:
        """Why it waits, empty if it does not."""
        if self.job.state != QUEUED:
            return ""
        return waiting(self.job.waiting_code, self.job.waiting_params | {"ahead": self.ahead}, locale())

    @property
    def failure(self) -> str:
        """Why it failed, empty if it did not; the last lines stand apart."""
        return failure(self.job)

    @property
    def last_lines(self) -> str:
        """The end of what the method's program wrote, if the failure quotes it."""
        lines = self.job.reason_params.get("lines", "")
        return "\n".join(map(str, lines)) if isinstance(lines, list) else str(lines)

    @property
    def progress(self) -> tuple[float, float, str, float | None] | None:
        """(done, total, what is going on, seconds left or None); None where nothing runs."""
        if self.job.state != RUNNING or self.attempt is None:
            return None
        if self.attempt.state == PREPARING:
            return 0, 1, words.stage(self.attempt.stage or "blobs"), None
        told = self.job.progress
        done, total = told.get("step", 0), told.get("steps", 0)
        return done, total, words.stage(told.get("stage", "")), _seconds_left(self.attempt, done, total, self.now)

    @property
    def seconds(self) -> float | None:
        """How long the newest attempt ran, or has been running."""
        if self.attempt is None or not self.attempt.running_at:
            return None
        return float((self.attempt.ended_at or self.now) - self.attempt.running_at)

    def reason_of(self, attempt: AttemptRecord) -> str:
        """Why an attempt ended, in words; empty where it needs none."""
        return without_lines(attempt.reason, attempt.reason_params) if attempt.reason else ""


def view(actor: Actor, cp: ControlPlane, project: str, job: JobRecord) -> JobView:
    """Look up all that belongs to a job."""
    tried = jobs.attempts(actor, cp, job.id)
    record = methods.of_version(job.method_version_id)
    method = methods.manifest(record, locale())
    model_id = results.models_of([job.id]).get(job.id)
    made = models.get(actor, cp, model_id) if model_id else None
    return JobView(
        job=job,
        method=method,
        record=record,
        attempts=tried,
        machines=machines.names(actor, cp),
        made=made,
        evaluation_id=results.evaluations_of([job.id]).get(job.id),
        rail=rail.of_job(actor, cp, project, job, method, made),
        ahead=scheduling.ahead([job.id]).get(job.id, 0) if job.state == QUEUED else 0,
        devices=pins.devices_of(tried[-1]) if tried else [],
        now=cp.clock(),
    )


def overview(actor: Actor, cp: ControlPlane, project: str, job: JobRecord) -> JobView:
    """… and whether it is learning."""
    seen = view(actor, cp, project, job)
    if not (seen.attempts and seen.method.lesson):
        return seen
    return replace(seen, learning=jobs.learning(actor, cp, job.id), samples=samples(actor, cp, job))


def samples(actor: Actor, cp: ControlPlane, job: JobRecord) -> list[Sample]:
    """What the model answered on the way, by question, as far as the newest messages tell."""
    told = [one.body for one in jobs.messages(actor, cp, job.id, _MESSAGES)]
    found: dict[str, dict[int, str]] = {}
    for params in (body.get("params") for body in told if body.get("code") == "sample_answer"):
        if isinstance(params, dict) and isinstance(step := params.get("step"), int):
            found.setdefault(str(params.get("question")), {}).setdefault(step, str(params.get("answer")))
    return [Sample(question, sorted(found[question].items(), reverse=True)) for question in sorted(found)]


def next_step(project: str, seen: JobView) -> Step | None:
    """The one thing to do when a job is over."""
    if seen.job.state == SUCCEEDED:
        return _after_success(project, seen)
    if not seen.is_over:
        return None
    from_it: dict[str, Any] = {"project": project, "from": seen.job.id}
    again = url_for("jobs.new", **from_it)
    return {
        "label": gettext("Run again with one change"),
        "url": again,
        "text": gettext("Change one thing, and see before it starts what differs."),
    }


def _after_success(project: str, seen: JobView) -> Step | None:
    if seen.evaluation_id:
        url = url_for("evaluations.show", project=project, evaluation_id=seen.evaluation_id)
        return {"label": gettext("See the result"), "url": url, "text": gettext("The answers have been scored.")}
    if seen.made is None:
        return None
    evaluated, deployed = (seen.rail.get(stop, {}) for stop in ("evaluate", "deploy"))
    if seen.made.form == "gguf" and deployed.get("state") in ("done", "current"):
        return {
            "label": gettext("Open the deployment"),
            "url": deployed["url"],
            "text": gettext("The model is served."),
        }
    if seen.made.form in ("adapter", "merged") and evaluated.get("state") == "done":
        text = gettext("The model has learnt and was tested.")
        return {"label": gettext("See the result"), "url": evaluated["url"], "text": text}
    if seen.has_not_learnt:
        return _with_nothing_learnt(project, seen)
    return _with(project, seen.made)


def _with(project: str, model: ModelRecord) -> Step:
    """What to do with a model that has just been made."""
    if model.form == "gguf":
        url = url_for("deployments.new", project=project, model=model.id)
        return {"label": gettext("Deploy"), "url": url, "text": gettext("The model is packaged and can be served.")}
    if model.form == "base":
        url = url_for("jobs.new", project=project, kind="train", base=model.id)
        return {
            "label": gettext("Train it"),
            "url": url,
            "text": gettext("The base model is here and can learn from your examples."),
        }
    if model.form == REWARD:
        url = url_for("models.show", project=project, model_id=model.id)
        text = gettext("The reward model has learnt to score answers. A training can take it as its judge.")
        return {"label": gettext("See the model"), "url": url, "text": text}
    url = url_for("jobs.new", project=project, kind="evaluate", model=model.id)
    return {
        "label": gettext("Evaluate"),
        "url": url,
        "text": gettext("The model has learnt. Test it on examples that it has not seen."),
    }


def _with_nothing_learnt(project: str, seen: JobView) -> Step:
    """What to do with a training that did not learn."""
    again: dict[str, Any] = {"project": project, "from": seen.job.id}
    url = url_for("jobs.new", **again, _anchor="parameter.learning_rate")
    return {"label": gettext("Run again with one change"), "url": url, "text": learning.says(seen.learning)[1]}


def failure(job: JobRecord) -> str:
    """Why a job failed, in one sentence without the lines that it quotes; empty if it did not."""
    return without_lines(job.reason, job.reason_params) if job.state == FAILED else ""


def without_lines(code: str, params: dict[str, Any]) -> str:
    """The sentence of an error without the lines that it would quote: they stand apart, as they were written."""
    return briefly(code, params, locale())


def _seconds_left(attempt: AttemptRecord, done: Any, total: Any, now: float) -> float | None:
    """By the mean pace so far; None until there is one."""
    if not attempt.running_at or not done or not total or done > total:
        return None
    return float((now - attempt.running_at) / done * (total - done))
