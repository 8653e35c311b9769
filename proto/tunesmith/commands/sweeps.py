"""`tunesmith sweeps`"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.commands.jobs import identifiers, values
from tunesmith.v1 import automation_pb2 as pb


@click.group()
def sweeps() -> None:
    """Sweeps: a method's job with several settings, to find the best."""


@sweeps.command("list")
@pass_terminal
def list_sweeps(terminal: Terminal) -> None:
    """The newest sweeps."""
    terminal.table(
        "Sweeps",
        {
            "id": lambda sweep: sweep.id,
            "name": lambda sweep: sweep.name,
            "method": lambda sweep: sweep.method,
            "jobs": lambda sweep: f"{len(sweep.tried)} of {sweep.trials}",
            "state": _standing,
            "best": _best,
            "started": lambda sweep: when(sweep.created_at),
            "why": lambda sweep: sweep.message,
        },
        terminal.client.list_sweeps(terminal.project),
    )


@sweeps.command()
@click.argument("method")
@click.option(
    "--vary", "-v", "varied", multiple=True, required=True, metavar="NAME=VALUES",
    help="VALUES is JSON: a list, or an object with low, high and log.",
)  # fmt: skip
@click.option("--trials", default=10, show_default=True, help="How many jobs at most.")
@click.option("--at-once", default=1, show_default=True, help="How many of them at a time.")
@click.option("--objective", type=click.Choice(["held_out_loss", "reward"]), default="held_out_loss", show_default=True)
@click.option("--name", default="", help="Of the sweep, and with a number of its jobs.")
@click.option("--input", "-i", "inputs", multiple=True, metavar="NAME=ID", help="A model or dataset version by its id.")
@click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE", help="What stays the same.")
@click.option("--seed", default=42, show_default=True)
@click.option("--watch", "follow", is_flag=True, help="Follow it until it is over.")
@pass_terminal
def start(terminal: Terminal, /, method: str, varied: Sequence[str], follow: bool, **chosen: Any) -> None:
    """Try METHOD with several settings."""
    chosen |= {"inputs": identifiers(chosen["inputs"]), "parameters": values(chosen["parameters"])}
    sweep = terminal.client.start_sweep(terminal.project, method, values(varied), **chosen)
    terminal.say(f"Sweep {sweep.id} “{sweep.name}” has begun: up to {sweep.trials} jobs.")
    if follow:
        _follow(terminal, sweep.id)


@sweeps.command()
@click.argument("sweep_id", type=int)
@pass_terminal
def show(terminal: Terminal, sweep_id: int) -> None:
    """A sweep's jobs, with the values they were given, and what came of each."""
    sweep = terminal.client.get_sweep(sweep_id)
    terminal.table(
        f"Sweep {sweep.id} “{sweep.name}” ({_standing(sweep)})",
        {
            "job": lambda one: one.job_id,
            "values": lambda one: one.values,
            "state": lambda one: one.state,
            sweep.objective: lambda one: f"{one.value:.4g}" if one.HasField("value") else "–",
            "best": lambda one: "best" if one.job_id == sweep.best_job_id else "",
        },
        list(sweep.tried),
    )


@sweeps.command()
@click.argument("sweep_id", type=int)
@pass_terminal
def watch(terminal: Terminal, sweep_id: int) -> None:
    """Follow a sweep until it is over; exit code 1 unless it is done."""
    _follow(terminal, sweep_id)


@sweeps.command()
@click.argument("sweep_id", type=int)
@pass_terminal
def cancel(terminal: Terminal, sweep_id: int) -> None:
    """Have a sweep start nothing more, and its open jobs end."""
    sweep = terminal.client.cancel_sweep(sweep_id)
    terminal.say(f"Sweep {sweep.id} “{sweep.name}” is {sweep.outcome}.")


def _follow(terminal: Terminal, sweep_id: int) -> None:
    outcome = ""
    for sweep in terminal.client.wait_sweep(sweep_id):
        outcome = sweep.outcome
        newest = sweep.tried[-1] if sweep.tried else pb.Trial()
        terminal.say(
            f"{len(sweep.tried)} of {sweep.trials} jobs begun; the newest: {newest.values}; best: {_best(sweep)}"
        )
    raise SystemExit(0 if outcome == "done" else 1)


def _standing(sweep: pb.Sweep) -> str:
    return sweep.outcome or "running"


def _best(sweep: pb.Sweep) -> str:
    best = next((one for one in sweep.tried if one.job_id == sweep.best_job_id), None)
    if best is None:
        return "–"
    return f"job {best.job_id}: {sweep.objective} {best.value:.4g} with {json.dumps(json.loads(best.values))}"


COMMANDS = (sweeps,)
