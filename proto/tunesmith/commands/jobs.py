"""`tunesmith jobs`"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tunesmith.client import Client
from tunesmith.commands.context import Terminal, pass_terminal, size, when
from tunesmith.v1 import automation_pb2 as pb

_LOSS_EVERY = 10  # steps


@click.group()
def jobs() -> None:
    """What was asked of the fleet: imports, trainings, evaluations, packagings."""


@jobs.command("list")
@click.option("--state", default="", help="QUEUED, RUNNING, SUCCEEDED, FAILED or CANCELLED.")
@click.option("--method", default="", help="Only jobs of this method.")
@click.option("--text", default="", help="Only jobs with this in their names or titles.")
@click.option("--tag", default="", help="Only jobs that bear this tag.")
@pass_terminal
def list_jobs(terminal: Terminal, state: str, method: str, text: str, tag: str) -> None:
    """The newest jobs."""
    terminal.table(
        "Jobs",
        {
            "id": lambda job: job.id,
            "name": lambda job: job.name,
            "title": lambda job: job.thing.title,
            "method": lambda job: job.method,
            "state": lambda job: job.state,
            "progress": lambda job: f"{job.progress:.0%}",
            "asked": lambda job: when(job.created_at),
            "why": lambda job: job.waiting or job.message,
        },
        terminal.client.list_jobs(terminal.project, state.upper(), method, text, tag),
    )


@jobs.command()
@click.argument("method")
@click.option("--name", default="", help="Of the job, and of the model it makes.")
@click.option("--input", "-i", "inputs", multiple=True, metavar="NAME=ID", help="A model or dataset version by its id.")
@click.option(
    "--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="VALUE is JSON, or else text."
)
@click.option("--preset", default="", help="Values to begin from, such as quick, balanced or thorough.")
@click.option("--seed", default=42, show_default=True)
@click.option("--priority", default=0, show_default=True, help="Higher ones are planned first; -100 to 100.")
@click.option("--time-limit", default=0.0, help="Seconds it may run; else 30 minutes for imports, no limit for others.")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="KEY=VALUE",
    help="priority, time_limit, not_before (epoch seconds), lost_after (seconds) or when_lost (requeue, fail).",
)
@click.option("--watch", "follow", is_flag=True, help="Follow it until it is over.")
@pass_terminal
def submit(
    terminal: Terminal,
    /,
    method: str,
    priority: int,
    time_limit: float,
    policies: Sequence[str],
    follow: bool,
    **job: Any,
) -> None:
    """Ask for a job of METHOD."""
    policy = {"priority": priority, "time_limit": time_limit} | {key: _value(text) for key, text in _pairs(policies)}
    job |= {"parameters": values(job["parameters"]), "inputs": identifiers(job["inputs"])}
    try:
        asked = terminal.client.submit_job(terminal.project, method, policy=policy, **job)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from problem
    terminal.say(f"Job {asked.id} “{asked.name}” is {asked.state}.")
    if follow:
        _end(watch_job(terminal.client, terminal.console, asked.id))


@jobs.command()
@click.argument("method")
@click.option("--input", "-i", "inputs", multiple=True, metavar="NAME=ID", help="A model or dataset version by its id.")
@click.option(
    "--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="VALUE is JSON, or else text."
)
@pass_terminal
def estimate(terminal: Terminal, method: str, inputs: Sequence[str], parameters: Sequence[str]) -> None:
    """Say what a job of METHOD would take, and on which machines; it is not asked for."""
    found = terminal.client.estimate_job(terminal.project, method, values(parameters), identifiers(inputs))
    terminal.table(
        f"{size(found.memory_bytes)} of memory, {size(found.disk_bytes)} of disk",
        {
            "machine": lambda place: place.machine,
            "device": lambda place: place.device,
            "now": lambda place: place.state,
            "seconds": lambda place: f"{place.seconds:.0f}" if place.seconds else "not known",
        },
        found.places,
    )


@jobs.command()
@click.argument("job_id", type=int)
@pass_terminal
def show(terminal: Terminal, job_id: int) -> None:
    """All about a job."""
    terminal.details(terminal.client.get_job(job_id))


@jobs.command()
@click.argument("job_id", type=int)
@pass_terminal
def watch(terminal: Terminal, job_id: int) -> None:
    """Follow a job until it is over; exit code 1 unless it succeeded."""
    _end(watch_job(terminal.client, terminal.console, job_id))


@jobs.command()
@click.argument("job_id", type=int)
@click.option("--stream", type=click.Choice(["stdout", "stderr", "agent"]), default="stdout", show_default=True)
@click.option("--attempt", "attempt_id", default=0, help="Id of an attempt; else the newest.")
@pass_terminal
def log(terminal: Terminal, job_id: int, stream: str, attempt_id: int) -> None:
    """Write a job's log to the standard output."""
    offset, total = 0, 1
    while offset < total:
        data, total = terminal.client.read_log(job_id, stream, offset, attempt_id=attempt_id)
        if not data:
            break
        sys.stdout.buffer.write(data)
        offset += len(data)
    sys.stdout.flush()


@jobs.command()
@click.argument("job_id", type=int)
@pass_terminal
def cancel(terminal: Terminal, job_id: int) -> None:
    """Ask for a job to end."""
    job = terminal.client.cancel_job(job_id)
    terminal.say(f"Job {job.id} “{job.name}” is {job.state}.")


@jobs.command()
@click.argument("job_id", type=int)
@pass_terminal
def config(terminal: Terminal, job_id: int) -> None:
    """All that a job pins, as JSON."""
    click.echo(json.dumps(terminal.client.get_job_config(job_id), ensure_ascii=False, indent=2))


@jobs.command()
@click.argument("job_id", type=int)
@pass_terminal
def files(terminal: Terminal, job_id: int) -> None:
    """What a job left behind: its outputs, and checkpoints."""
    terminal.table(
        "Files",
        {
            "name": lambda artifact: artifact.name,
            "files": lambda artifact: "\n".join(file.path for file in artifact.files),
            "size": lambda artifact: size(artifact.size),
            "attempt": lambda artifact: artifact.attempt_id,
            "committed": lambda artifact: when(artifact.committed_at),
        },
        terminal.client.list_files(job_id),
    )


@jobs.command()
@click.argument("job_id", type=int)
@click.argument("name")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write into.")
@pass_terminal
def download(terminal: Terminal, job_id: int, name: str, to: Path) -> None:
    """Write the files of output NAME (`jobs files` lists them) into a folder; of several attempts, the newest's."""
    found = [artifact for artifact in terminal.client.list_files(job_id) if artifact.name == name]
    if not found:
        raise click.ClickException(f"Job {job_id} has left no “{name}” behind.")
    for path in terminal.client.download(job_id, found[-1], to):
        terminal.say(str(path))


def watch_job(client: Client, console: Console, job_id: int) -> pb.Job:
    """Show a job's progress and loss until it is over; the job as it ended."""
    show = _Live(console) if console.is_terminal else _Lines(console)
    with show:
        for job, events in client.wait_job(job_id):
            show.take(job, _losses(events))
    return job


class _Live:
    """A bar that moves, for a terminal."""

    def __init__(self, console: Console) -> None:
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True)
        self._bar = self._progress.add_task("", total=1.0, note="")
        self._note = ""

    def __enter__(self) -> _Live:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def take(self, job: pb.Job, losses: list[tuple[int, float]]) -> None:
        self._note = f"loss {losses[-1][1]:.4g}" if losses else self._note
        self._progress.update(self._bar, description=standing(job), completed=job.progress, note=self._note)


class _Lines:
    """A line for each thing that changed, for a file or another program."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said = ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def take(self, job: pb.Job, losses: list[tuple[int, float]]) -> None:
        for step, loss in losses:
            if step == 1 or step % _LOSS_EVERY == 0:
                self._console.print(f"  step {step}: loss {loss:.4g}")
        if standing(job) != self._said:
            self._said = standing(job)
            self._console.print(f"  {self._said}", markup=False)


def _losses(events: list[dict[str, Any]]) -> list[tuple[int, float]]:
    """(step, loss) of each metric event that has one."""
    return [
        (int(event.get("step", 0)), float(event["values"]["loss"]))
        for event in events
        if event.get("kind") == "metric" and "loss" in event.get("values", {})
    ]


def standing(job: pb.Job) -> str:
    """How a job stands, in a few words."""
    if job.state != "RUNNING" or not job.attempts:
        return job.waiting or job.state.lower()
    attempt = job.attempts[-1]
    stages = {"environment": "building the environment", "blobs": "fetching files", "": "preparing"}
    if attempt.state == "PREPARING":
        return stages.get(attempt.stage, attempt.stage)
    return {"RUNNING": "running", "UPLOADING": "uploading the results"}.get(attempt.state, attempt.state.lower())


def _end(job: pb.Job) -> None:
    if job.state != "SUCCEEDED":
        raise click.ClickException(f"Job {job.id} is {job.state}. {job.message}")
    made = f" It made model {job.model_id}." if job.model_id else ""
    click.echo(f"Job {job.id} has succeeded.{made}")


def values(texts: Sequence[str]) -> dict[str, object]:
    """Of options NAME=VALUE, each value as JSON or else as text."""
    return {key: _value(text) for key, text in _pairs(texts)}


def identifiers(texts: Sequence[str]) -> dict[str, int]:
    """Of options NAME=ID."""
    return {key: _number(key, text) for key, text in _pairs(texts)}


def _pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    for text in texts:
        if "=" not in text:
            raise click.BadParameter(f"“{text}” is not NAME=VALUE")
    return [(name, value) for name, _, value in (text.partition("=") for text in texts)]


def _value(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise click.BadParameter(f"{name}: “{text}” is not an id")
    return int(text)


COMMANDS = (jobs,)
