"""`tunesmith workflow`"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from tunesmith.client import Client
from tunesmith.commands import repeats
from tunesmith.commands.context import Terminal, pass_terminal, seconds_as_words, when
from tunesmith.commands.jobs import values, watch_job
from tunesmith.v1 import automation_pb2 as pb

# the kind of a step → what it is called, and what happens in it
_STORIES = {
    "data": ("Data", "Every row is checked, and the rows are kept as a version."),
    "import": ("Base model", "The model to start from is brought in and checked."),
    "train": ("Training", "The model learns from the examples; the loss shows how far it is off."),
    "evaluate": ("Evaluation", "Both models answer the held-out rows, which neither has seen."),
    "export": ("Packaging", "Base and learnt part become one GGUF file, which needs no Python."),
    "approval": ("Approval", "Somebody other than who started the run decides whether it goes on."),
    "deploy": ("Deployment", "llama.cpp serves the file."),
}


@click.group()
def workflow() -> None:
    """Workflows: what leads from data to a served model, as one text; and their runs."""


@workflow.command("list")
@pass_terminal
def list_workflows(terminal: Terminal) -> None:
    """The saved workflows of the project."""
    terminal.table("Workflows", _COLUMNS, terminal.client.list_workflows(terminal.project))


@workflow.command()
@click.argument("name")
@pass_terminal
def show(terminal: Terminal, name: str) -> None:
    """A workflow's versions, the newest first; or a run, by its number."""
    if name.isdecimal():
        terminal.details(terminal.client.get_workflow_run(int(name)))
    else:
        terminal.table(name, _COLUMNS, terminal.client.list_workflow_versions(terminal.project, name))


@workflow.command("save")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_terminal
def save(terminal: Terminal, file: Path) -> None:
    """Keep FILE, YAML or JSON, as the newest version of the workflow that it names."""
    _save(terminal, file)


@workflow.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_terminal
def import_file(terminal: Terminal, file: Path) -> None:
    """Take over FILE, which another installation exported, and say what it lacks here."""
    _save(terminal, file)
    _say_problems(terminal, terminal.client.check_workflow(terminal.project, spec=_text(file)))


@workflow.command()
@click.argument("source", required=False, default="")
@click.option("--case", default="", help="A shipped case instead.")
@click.option("--run", "run_id", type=int, default=0, help="What a run carries out, by its number.")
@click.option("--form", type=click.Choice(["yaml", "json"]), help="In the canonical form. [default: as it was written]")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="A file. [default: standard output]")
@pass_terminal
def export(terminal: Terminal, source: str, case: str, run_id: int, form: str | None, to: Path | None) -> None:
    """The text of the workflow SOURCE (NAME or NAME@VERSION), of a case or of a run."""
    text = terminal.client.get_workflow(terminal.project, source, case, run_id, form or "").text
    if to is None:
        click.echo(text, nl=False)
    else:
        to.write_text(text, "utf-8")


@workflow.command()
@click.argument("source")
@click.option("--dataset-version", type=int, default=0, help="For the first data step, by its id.")
@click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the run.")
@pass_terminal
def check(terminal: Terminal, source: str, dataset_version: int, parameters: Sequence[str]) -> None:
    """What stands in the way of a run of SOURCE (a file, a workflow or a case); exit code 1 if anything does."""
    found = terminal.client.check_workflow(
        terminal.project,
        dataset_version_id=dataset_version,
        parameters=values(parameters),
        **_named(terminal, source),
    )
    if terminal.as_json:
        terminal.details(found)
    elif not found.problems:
        terminal.table(
            "Steps",
            {
                "step": lambda one: one.name,
                "method": lambda one: one.method,
                "time": lambda one: _duration(one),
                "machines": lambda one: ", ".join(one.machines) or "–",
            },
            list(found.steps),
        )
        unknown = f", and {found.unknown_steps} steps of which nobody can say yet" if found.unknown_steps else ""
        terminal.say(f"Nothing stands in its way. About {seconds_as_words(found.seconds)}{unknown}.")
    _say_problems(terminal, found)


@workflow.command()
@click.argument("name")
@pass_terminal
def delete(terminal: Terminal, name: str) -> None:
    """Put a workflow into the trash; its runs keep what they carry out."""
    found = terminal.client.get_workflow(terminal.project, name)
    terminal.client.delete_thing("workflow", found.id)
    terminal.say(f"“{found.name}” is in the trash.")


@workflow.command()
@click.argument("source")
@click.option("--dataset-version", type=int, default=0, help="For the first data step, by its id.")
@click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter of the run.")
@click.option("--fresh", is_flag=True, help="Use nothing again that was made before.")
@click.option("--key", default="", help="The same key makes one run, however often it is given.")
@click.option("--watch", "follow", is_flag=True, help="Follow it until it is over.")
@pass_terminal
def run(
    terminal: Terminal,
    /,
    source: str,
    dataset_version: int,
    parameters: Sequence[str],
    fresh: bool,
    key: str,
    follow: bool,
) -> None:
    """Run SOURCE: a file, a saved workflow (NAME or NAME@VERSION), or a case."""
    found = terminal.client.start_workflow_run(
        terminal.project,
        dataset_version_id=dataset_version,
        parameters=values(parameters),
        fresh=fresh,
        idempotency_key=key,
        **_named(terminal, source),
    )
    if terminal.as_json and not follow:
        terminal.details(found)
    terminal.say(f"Run {found.id} of “{found.title}” has begun.")
    if follow:
        _follow(terminal, found.id)


@workflow.command()
@pass_terminal
def runs(terminal: Terminal) -> None:
    """The newest runs."""
    terminal.table(
        "Workflow runs",
        {
            "id": lambda one: one.id,
            "of": lambda one: f"{one.workflow}@{one.workflow_version}" if one.workflow else one.case or one.title,
            "dataset version": lambda one: one.dataset_version_id or "–",
            "state": standing,
            "started": lambda one: when(one.created_at),
            "why": lambda one: one.message,
        },
        terminal.client.list_workflow_runs(terminal.project),
    )


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
    found = terminal.client.cancel_workflow_run(run_id)
    terminal.say(f"Run {found.id} of “{found.title}” is {found.outcome}.")


@workflow.command()
@click.argument("run_id", type=int)
@click.option("--watch", "follow", is_flag=True, help="Follow it until it is over.")
@pass_terminal
def resume(terminal: Terminal, run_id: int, follow: bool) -> None:
    """Have a run go on that stopped or was cancelled: what succeeded stays."""
    found = terminal.client.resume_workflow_run(run_id)
    terminal.say(f"Run {found.id} of “{found.title}” goes on.")
    if follow:
        _follow(terminal, run_id)


_COLUMNS: Mapping[str, Callable[[pb.Workflow], object]] = {
    "name": lambda one: f"{one.name}@{one.version}",
    "title": lambda one: one.title,
    "saved": lambda one: when(one.created_at),
    "by": lambda one: one.author,
    "hash": lambda one: one.hash[:12],
}


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise click.ClickException(f"{file}: {problem}") from problem


def _save(terminal: Terminal, file: Path) -> None:
    found = terminal.client.save_workflow(terminal.project, _text(file))
    if terminal.as_json:
        terminal.details(found)
    kept = "says the same already" if found.reused else "is saved"
    terminal.say(f"“{found.name}”, version {found.version}, {kept}.")


def _named(terminal: Terminal, source: str) -> dict[str, Any]:
    """What a source is: a file that is there, a saved workflow, or a case."""
    if Path(source).is_file():
        return {"spec": _text(Path(source))}
    cases = {case.name for case in terminal.client.list_cases()}
    saved = {found.name for found in terminal.client.list_workflows(terminal.project)}
    return {"case": source} if source in cases - saved else {"workflow": source}


def _say_problems(terminal: Terminal, found: pb.CheckWorkflowReply) -> None:
    """Each problem with its place; exit code 1 if there is any."""
    for one in found.problems:
        place = ", ".join(filter(None, (f"line {one.line}" if one.line else "", one.step)))
        terminal.say(f"{place + ': ' if place else ''}{one.message}")
    if found.problems:
        raise SystemExit(1)


def _duration(step: pb.ForeseenStep) -> str:
    if step.reused:
        return "there already"
    return seconds_as_words(step.seconds) if step.HasField("seconds") else "not known"


@workflow.command()
@click.argument("run_id", type=int)
@click.option("--step", default="", help="Which step, where several wait.")
@click.option("--note", default="", help="Why; kept with the decision.")
@pass_terminal
def approve(terminal: Terminal, run_id: int, step: str, note: str) -> None:
    """Let go on what a run of somebody else asks about."""
    run = terminal.client.approve_workflow_run(run_id, step, note)
    terminal.say(f"Approved. Run {run.id} of “{run.case}”: {standing(run)}.")


@workflow.command()
@click.argument("run_id", type=int)
@click.option("--step", default="", help="Which step, where several wait.")
@click.option("--note", default="", help="Why; kept with the decision.")
@pass_terminal
def refuse(terminal: Terminal, run_id: int, step: str, note: str) -> None:
    """Have nothing come of what a run of somebody else asks about."""
    run = terminal.client.refuse_workflow_run(run_id, step, note)
    terminal.say(f"Refused. Run {run.id} of “{run.case}”: {standing(run)}.")


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
        stage = self._head(kind, name)
        begun = time.monotonic()
        yield stage
        stage.total = time.monotonic() - begun
        took = f"{seconds_as_words(stage.work)} of work"
        if stage.environment >= 1:
            took += f", after {seconds_as_words(stage.environment)} of preparing files and environment"
        self.say("Made by an earlier run from the very same inputs: used again." if stage.reused else f"Took {took}.")

    def _head(self, kind: str, name: str) -> Stage:
        title, story = _STORIES.get(kind, (name, ""))
        self.stages.append(Stage(title))
        self._console.print(f"\n[bold]{len(self.stages)}. {title}[/bold]  {story}", highlight=False, soft_wrap=True)
        return self.stages[-1]

    def say(self, text: str) -> None:
        self._console.print(f"   {text}", markup=False, highlight=False, soft_wrap=True)

    def _follow(self, run: pb.WorkflowRun, step: pb.WorkflowStep) -> None:
        if step.kind == "approval":  # nothing to watch: the run's next version tells what was decided
            self._head(step.kind, step.name)
            self.say(f"To decide: tunesmith workflow approve {run.id} --step {step.name}, or refuse.")
            return
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


for _command in repeats.COMMANDS:
    workflow.add_command(_command)

COMMANDS = (workflow,)
