"""`tunesmith demo`: a shipped case from its data to a served answer, over the public API like any user."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tunesmith.case_run import CaseRun, Stage
from tunesmith.client import Client, connect
from tunesmith.commands.context import Terminal, seconds_as_words
from tunesmith.connection import CallFailed, NotConfigured, bootstrap
from tunesmith.v1 import automation_pb2 as pb

CASE = "machine_faults"


@click.command()
@click.argument("case", default=CASE)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a `tunesmith up`, which is started if it does not run and stopped at the end.",
)
@click.option("--keep", is_flag=True, help="Leave what was started running.")
@click.pass_obj
def demo(terminal: Terminal, case: str, data: Path | None, keep: bool) -> None:
    """Run a shipped CASE on a real model: import, train, evaluate, package, deploy, one answer.

    Exit code 1 unless the tuned model is clearly better than the one it was made from.
    """
    begun = time.monotonic()
    started = data is not None and _start(terminal, data)
    try:
        with connect(data=data) as client:
            verdict = _run(terminal, client, case, begun)
    finally:
        if started and not keep and data is not None:
            _tunesmith("down", data)
    if started and not keep:
        again = f"Everything is stopped again. `tunesmith up --data {data}` brings it back."
        terminal.console.print(again, soft_wrap=True)
    if verdict != "better":
        raise click.ClickException(f"The verdict is “{verdict}”: the tuned model is not clearly better.")


def _run(terminal: Terminal, client: Client, name: str, begun: float) -> str:
    found = next((one for one in client.list_cases() if one.name == name), None)
    if found is None:
        raise click.ClickException(f"There is no case “{name}”.")
    plan = json.loads(found.plan)
    terminal.console.print(f"[bold]{plan['display']['en']}[/bold]")
    run = CaseRun(client, terminal.console, terminal.project, plan, name)
    evaluation = run.run()
    _show_times(terminal.console, run.stages, time.monotonic() - begun)
    _show_scores(terminal.console, evaluation)
    terminal.console.print(f"Dashboard: {client.who_am_i().web_url}", highlight=False)
    return str(evaluation.verdict)


def _show_times(console: Console, stages: list[Stage], total: float) -> None:
    table = Table(title="\nTime taken", title_justify="left", header_style="bold")
    table.add_column("stage")
    table.add_column("work", justify="right")
    table.add_column("files and environments", justify="right")
    for stage in stages:
        work = "used again" if stage.reused else seconds_as_words(stage.work)
        table.add_row(stage.title, work, seconds_as_words(stage.environment) if stage.environment >= 1 else "")
    table.add_section()
    worked, prepared = sum(stage.work for stage in stages), sum(stage.environment for stage in stages)
    table.add_row("all stages", seconds_as_words(worked), seconds_as_words(prepared))
    console.print(table)
    console.print(f"With starting up: {seconds_as_words(total)}.")


def _show_scores(console: Console, evaluation: pb.Evaluation) -> None:
    scores = {(score.metric, score.candidate): score for score in evaluation.scores}
    table = Table(title="\nOn the held-out rows", title_justify="left", header_style="bold")
    for heading in ("metric", "rows", "base model", "tuned model"):
        table.add_column(heading)
    for metric in dict.fromkeys(score.metric for score in evaluation.scores):
        tuned = scores[metric, "candidate"]
        table.add_row(metric, str(tuned.n), _interval(scores.get((metric, "baseline"))), _interval(tuned))
    console.print(table)
    low, high = evaluation.difference_low, evaluation.difference_high
    gain = f"{evaluation.primary_metric} {evaluation.difference:+.1%} (95 % interval {low:+.1%} to {high:+.1%})"
    console.print(f"Verdict: [bold]{evaluation.verdict}[/bold], {gain}.", highlight=False)


def _interval(score: pb.Score | None) -> str:
    return f"{score.value:.1%}  ({score.low:.1%} to {score.high:.1%})" if score else ""


def _start(terminal: Terminal, data: Path) -> bool:
    """Start what does not run under `data`; whether that was needed."""
    if _answers(data):
        terminal.console.print(f"Tunesmith runs already on {data}: used as it is.", soft_wrap=True)
        return False
    terminal.console.print("Starting a control plane and an agent on this machine.")
    if _tunesmith("up", data, "--detach", "--ports", "auto") != 0:
        raise click.ClickException("They did not start.")
    return True


def _answers(data: Path) -> bool:
    if not bootstrap(data):
        return False
    try:
        with connect(data=data) as client:
            client.patience = 0.0
            client.who_am_i()
    except CallFailed as problem:
        return problem.status != "UNAVAILABLE"
    except NotConfigured:
        return False
    return True


def _tunesmith(command: str, data: Path, *options: str) -> int:
    """Run another of our commands; its exit code."""
    return subprocess.run([sys.executable, "-m", "tunesmith.cli", command, "--data", str(data), *options]).returncode
