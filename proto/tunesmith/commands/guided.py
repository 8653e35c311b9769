"""`tunesmith guided`"""

from __future__ import annotations

import click

from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.v1 import automation_pb2 as pb


@click.group()
def guided() -> None:
    """Guided runs: a case's import, training, evaluation and packaging, one after the other."""


@guided.command("list")
@pass_terminal
def list_runs(terminal: Terminal) -> None:
    """The newest runs."""
    terminal.table(
        "Guided runs",
        {
            "id": lambda run: run.id,
            "case": lambda run: run.case,
            "dataset version": lambda run: run.dataset_version_id,
            "stage": lambda run: run.stage,
            "started": lambda run: when(run.created_at),
            "why": lambda run: run.message,
        },
        terminal.client.list_guided_runs(terminal.project),
    )


@guided.command()
@click.argument("case")
@click.argument("version_id", type=int)
@click.option("--watch", "follow", is_flag=True, help="Follow it until it is over.")
@pass_terminal
def start(terminal: Terminal, case: str, version_id: int, follow: bool) -> None:
    """Run CASE on a dataset version."""
    run = terminal.client.start_guided_run(terminal.project, case, version_id)
    terminal.say(f"Run {run.id} of “{run.case}” has begun.")
    if follow:
        _follow(terminal, run.id)


@guided.command()
@click.argument("run_id", type=int)
@pass_terminal
def show(terminal: Terminal, run_id: int) -> None:
    """How far a run is, and what came of it."""
    terminal.details(terminal.client.get_guided_run(run_id))


@guided.command()
@click.argument("run_id", type=int)
@pass_terminal
def watch(terminal: Terminal, run_id: int) -> None:
    """Follow a run until it is over; exit code 1 unless it is done."""
    _follow(terminal, run_id)


def _follow(terminal: Terminal, run_id: int) -> None:
    for run in terminal.client.wait_guided_run(run_id):
        terminal.say(f"  {_standing(run)}")
    if run.stage != "done":
        raise click.ClickException(f"Run {run_id} stopped. {run.message}")


def _standing(run: pb.GuidedRun) -> str:
    jobs = {one.stage: one.job_id for one in run.stages}
    job = jobs.get(run.stage)
    return f"{run.stage}: job {job}" if job else run.stage


COMMANDS = (guided,)
