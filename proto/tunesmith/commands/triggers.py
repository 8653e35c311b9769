"""`tunesmith triggers`: what starts a workflow by itself, and what it started."""

from __future__ import annotations

import click

from tunesmith.commands.context import Terminal, only, pass_terminal, when
from tunesmith.commands.jobs import values
from tunesmith.v1 import automation_pb2 as pb

_KINDS = {"schedule": "schedule", "dataset": "dataset", "base-model": "base_model", "webhook": "webhook"}


@click.group()
def triggers() -> None:
    """What starts a workflow by itself: times, new data, a new base model, another system."""


@triggers.command()
@click.argument("workflow")
@click.argument("kind", type=click.Choice(list(_KINDS)))
@click.option("--cron", default="", help="Minute, hour, day of the month, month, day of the week: “0 6 * * mon”.")
@click.option("--every", type=float, default=0.0, help="Seconds, instead of --cron; 300 at least.")
@click.option("--time-zone", default="UTC", show_default=True, help="Of --cron and --quiet, as Europe/Berlin.")
@click.option("--missed", type=click.Choice(["once", "skip"]), default="once", show_default=True,
              help="What becomes of times at which nothing ran.")  # fmt: skip
@click.option("--dataset", default="", help="Whose new versions start a run.")
@click.option("--quiet", nargs=2, default=None, metavar="BEGIN END", help="Hours in which nothing starts: 22:00 06:00.")
@click.option("--given", multiple=True, metavar="NAME=VALUE", help="A parameter of the run.")
@pass_terminal
def add(
    terminal: Terminal,
    workflow: str,
    kind: str,
    cron: str,
    every: float,
    time_zone: str,
    missed: str,
    dataset: str,
    quiet: tuple[str, str] | None,
    given: tuple[str, ...],
) -> None:
    """Have the newest version of WORKFLOW started by itself, in your name."""
    made = terminal.client.add_trigger(
        _workflow(terminal, workflow), _KINDS[kind], cron, every, time_zone, missed, dataset, quiet, values(given)
    )
    terminal.details(made)
    if made.key:
        terminal.say(f"POST to /hooks/{made.trigger.id} with “Authorization: Bearer KEY”. The key is shown this once.")


@triggers.command("list")
@click.argument("workflow")
@pass_terminal
def list_triggers(terminal: Terminal, workflow: str) -> None:
    """What starts WORKFLOW."""
    terminal.table(
        "Triggers",
        {
            "id": lambda one: one.id,
            "what": _what,
            "next": lambda one: when(one.next_at),
            "added by": lambda one: one.added_by,
            "stopped": lambda one: "yes" if one.stopped else "",
            "trouble": lambda one: one.message,
        },
        terminal.client.list_triggers(_workflow(terminal, workflow)),
    )


@triggers.command()
@click.argument("trigger_id", type=int)
@pass_terminal
def firings(terminal: Terminal, trigger_id: int) -> None:
    """Each time that a trigger fired, the newest first."""
    terminal.table(
        "Firings",
        {
            "id": lambda one: one.id,
            "due": lambda one: when(one.due_at),
            "what": lambda one: one.outcome or "waits",
            "run": lambda one: one.run_id or "",
            "trouble": lambda one: one.message,
        },
        terminal.client.list_firings(trigger_id),
    )


@triggers.command()
@click.argument("trigger_id", type=int)
@pass_terminal
def remove(terminal: Terminal, trigger_id: int) -> None:
    """Have a trigger start nothing more; the runs that it started stay."""
    terminal.client.remove_trigger(trigger_id)
    terminal.say(f"Trigger {trigger_id} starts nothing more.")


def _workflow(terminal: Terminal, name: str) -> int:
    every = terminal.client.list_workflows(terminal.project)
    found = only((one for one in every if one.name == name), f"There is no workflow “{name}” in this project.")
    return int(found.id)


def _what(one: pb.Trigger) -> str:
    if one.kind == "schedule":
        said = one.schedule.cron or f"every {one.schedule.every:g} s"
        return f"{said} ({one.schedule.time_zone})"
    return f"new version of {one.dataset}" if one.kind == "dataset" else one.kind.replace("_", " ")


COMMANDS = (triggers,)
