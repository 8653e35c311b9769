"""`tunesmith workflow`"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
from rich.console import Console

from tunesmith.client import Client
from tunesmith.commands.context import Terminal, pass_terminal, seconds_as_words, when
from tunesmith.commands.jobs import watch_job
from tunesmith.v1 import automation_pb2 as pb

# the kind of a step → what it is called, and what happens in it
_STORIES = {
    "data": ("Data", "Every row is checked, and the rows are kept as a version."),
    "import": ("Base model", "The model to start from is brought in and checked."),
    "train": ("Training", "The model learns from the examples; the loss shows how far it is off."),
    "evaluate": ("Evaluation", "Both models answer the held-out rows, which neither has seen."),
    "export": ("Packaging", "Base and learnt part become one GGUF file, which needs no Python."),
    "deploy": ("Deployment", "llama.cpp serves the file."),
}


@click.group()
def workflow() -> None:
    """Workflow runs: a case's steps from its data to a served model."""


@workflow.command("runs")
@pass_terminal
def list_runs(terminal: Terminal) -> None:
    """The newest runs."""
    terminal.table(
        "Workflow runs",
        {
            "id": lambda run: run.id,
            "case": lambda run: run.case,
            "dataset version": lambda run: run.dataset_version_id,
            "state": standing,
            "started": lambda run: when(run.created_at),
            "why": lambda run: run.message,
        },
        terminal.client.list_workflow_runs(terminal.project),
    )


@workflow.command()
@click.argument("case")
@click.argument("version_id", type=int)
@click.option("--watch", "follow", is_flag=True, help="Follow it until it is over.")
@pass_terminal
def start(terminal: Terminal, case: str, version_id: int, follow: bool) -> None:
    """Run CASE on a dataset version."""
    run = terminal.client.start_workflow_run(terminal.project, case, version_id)
    terminal.say(f"Run {run.id} of “{run.case}” has begun.")
    if follow:
        _follow(terminal, run.id)


@workflow.command()
@click.argument("run_id", type=int)
@pass_terminal
def show(terminal: Terminal, run_id: int) -> None:
    """How far a run is, and what came of it."""
    terminal.details(terminal.client.get_workflow_run(run_id))


@workflow.command()
@click.argument("run_id", type=int)
@pass_terminal
def watch(terminal: Terminal, run_id: int) -> None:
    """Follow a run until it is over; exit code 1 unless it is done."""
    _follow(terminal, run_id)


@workflow.command()
@click.argument("run_id", type=int)
@pass_terminal
def cancel(terminal: Terminal, run_id: int) -> None:
    """Have a run start nothing more, and its open jobs end."""
    run = terminal.client.cancel_workflow_run(run_id)
    terminal.say(f"Run {run.id} of “{run.case}” is {run.outcome}.")


def _follow(terminal: Terminal, run_id: int) -> None:
    run = Watch(terminal.client, terminal.console).follow(run_id)
    if run.outcome != "done":
        raise click.ClickException(f"Run {run_id} is {run.outcome}. {run.message}")


def standing(run: pb.WorkflowRun) -> str:
    """How a run ended, or the steps that are under way."""
    return run.outcome or ", ".join(step.name for step in run.steps if step.state == "open")


def output(run: pb.WorkflowRun, kind: str) -> int:
    """The id of the first output of a kind (evaluation, deployment …) that there is; 0 if there is none."""
    return next((one.id for step in run.steps for one in step.outputs if one.kind == kind and one.id), 0)


@dataclass
class Stage:
    """A step as it was watched, and the seconds it took; `environment` is the part that prepared for it."""

    title: str
    environment: float = 0.0
    total: float = 0.0
    reused: bool = False

    @property
    def work(self) -> float:
        return max(0.0, self.total - self.environment)


class Watch:
    """Shows a run's steps one after the other, each with how it goes; keeps how long each took."""

    def __init__(self, client: Client, console: Console) -> None:
        self.stages: list[Stage] = []
        self._client = client
        self._console = console

    def follow(self, run_id: int) -> pb.WorkflowRun:
        """Watch a run until it is over; the run as it ended."""
        seen: set[str] = set()
        for run in self._client.wait_workflow_run(run_id):
            for step in run.steps:
                if step.kind != "data" and step.name not in seen and step.state not in ("blocked", "ready", "skipped"):
                    seen.add(step.name)
                    self._follow(run, step)
        return run

    @contextmanager
    def stage(self, kind: str, name: str = "") -> Iterator[Stage]:
        """Head a step's lines, and say at the end how long it took."""
        title, story = _STORIES.get(kind, (name, ""))
        stage = Stage(title)
        self.stages.append(stage)
        self._console.print(f"\n[bold]{len(self.stages)}. {title}[/bold]  {story}", highlight=False, soft_wrap=True)
        begun = time.monotonic()
        yield stage
        stage.total = time.monotonic() - begun
        took = f"{seconds_as_words(stage.work)} of work"
        if stage.environment >= 1:
            took += f", after {seconds_as_words(stage.environment)} of preparing files and environment"
        self.say("Made by an earlier run from the very same inputs: used again." if stage.reused else f"Took {took}.")

    def say(self, text: str) -> None:
        self._console.print(f"   {text}", markup=False, highlight=False, soft_wrap=True)

    def _follow(self, run: pb.WorkflowRun, step: pb.WorkflowStep) -> None:
        with self.stage(step.kind, step.name) as stage:
            stage.reused = step.reused
            if step.job_id and not step.reused:
                job = watch_job(self._client, self._console, step.job_id)
                tried = (one for one in job.attempts if one.running_at)
                stage.environment = sum(max(0.0, one.running_at - one.started_at) for one in tried)
            if step.kind == "train":
                self._say_losses(step.job_id)
            if step.kind == "deploy":
                self._say_deployment(run, step.outputs[0].id)

    def _say_losses(self, job_id: int) -> None:
        bodies = (json.loads(event.body) for event in self._client.list_events(job_id, kind="metric"))
        losses = [body["values"]["loss"] for body in bodies if "loss" in body.get("values", {})]
        if losses:
            self.say(f"Loss {losses[0]:.3f} at the start, {losses[-1]:.3f} after {len(losses)} steps.")

    def _say_deployment(self, run: pb.WorkflowRun, deployment_id: int) -> None:
        """How the deployment goes, for as long as the run waits for it."""
        said = ""
        for now in self._client.wait_deployment(deployment_id):
            over = run.outcome or self._client.get_workflow_run(run.id).outcome
            if (standing := f"{now.state.lower()} {now.message}".strip()) != said:
                self.say(standing)
                said = standing
            if over:
                return


COMMANDS = (workflow,)
