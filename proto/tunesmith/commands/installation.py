"""`tunesmith machines`, `projects` and `audit`"""

from __future__ import annotations

import csv
import json
from typing import TextIO

import click

from tunesmith.commands.context import Terminal, pass_terminal, size, when


@click.group()
def machines() -> None:
    """The fleet."""


@machines.command("list")
@pass_terminal
def list_machines(terminal: Terminal) -> None:
    """All machines."""
    terminal.table(
        "Machines",
        {
            "name": lambda machine: machine.name,
            "connectivity": lambda machine: machine.connectivity + (" (drained)" if machine.drained else ""),
            "labels": lambda machine: ", ".join(machine.labels),
            "memory free": lambda machine: size(int(json.loads(machine.inventory or "{}").get("memory_free", 0))),
            "last seen": lambda machine: when(machine.last_seen),
            "id": lambda machine: machine.id,
        },
        terminal.client.list_machines(),
    )


@machines.command()
@click.option("--class", "machine_class", type=click.Choice(["server", "laptop"]), default="server", show_default=True)
@pass_terminal
def token(terminal: Terminal, machine_class: str) -> None:
    """Make a secret with which one machine may join. It is shown this once."""
    click.echo(terminal.client.create_join_token(machine_class).token)


@machines.command("show")
@click.argument("machine_id")
@pass_terminal
def show_machine(terminal: Terminal, machine_id: str) -> None:
    """A machine with its hardware as last reported."""
    terminal.details(terminal.client.get_machine(machine_id))


@machines.command()
@click.argument("machine_id")
@pass_terminal
def drain(terminal: Terminal, machine_id: str) -> None:
    """Give a machine nothing new; it finishes what it holds."""
    terminal.say(f"“{terminal.client.drain_machine(machine_id).name}” takes no new jobs.")


@machines.command()
@click.argument("machine_id")
@pass_terminal
def undrain(terminal: Terminal, machine_id: str) -> None:
    """Give a machine jobs again."""
    terminal.say(f"“{terminal.client.undrain_machine(machine_id).name}” takes jobs again.")


@machines.command()
@click.argument("machine_id")
@click.confirmation_option(prompt="Its calls will be refused for good, and it must join anew. Revoke it?")
@pass_terminal
def revoke(terminal: Terminal, machine_id: str) -> None:
    """Refuse every further call of a machine."""
    terminal.say(f"“{terminal.client.revoke_machine(machine_id).name}” is revoked.")


@machines.command()
@click.argument("machine_id")
@click.option("--name", help="What it is called from now on.")
@click.option("--label", "labels", multiple=True, help="A label; those that it has are replaced. Again for another.")
@click.option("--no-labels", is_flag=True, help="Take all labels away.")
@pass_terminal
def describe(terminal: Terminal, machine_id: str, name: str | None, labels: tuple[str, ...], no_labels: bool) -> None:
    """Change a machine's name or its labels."""
    chosen = labels if labels or no_labels else None
    terminal.details(terminal.client.describe_machine(machine_id, name, chosen))


@machines.command()
@click.argument("machine_id")
@click.confirmation_option(prompt="Its calls will be refused for good, and it is listed no more. Remove it?")
@pass_terminal
def remove(terminal: Terminal, machine_id: str) -> None:
    """Revoke a machine and take it out of the lists; what it did keeps its name."""
    terminal.say(f"“{terminal.client.remove_machine(machine_id).name}” is removed.")


@click.group()
def projects() -> None:
    """Who may see what."""


@projects.command("list")
@pass_terminal
def list_projects(terminal: Terminal) -> None:
    """The projects that you are in."""
    terminal.table(
        "Projects",
        {
            "name": lambda project: project.name,
            "title": lambda project: project.title,
            "your role": lambda project: project.role,
        },
        terminal.client.list_projects(),
    )


@projects.command()
@click.argument("name")
@click.option("--title", default="")
@pass_terminal
def create(terminal: Terminal, name: str, title: str) -> None:
    """Make a project; administrators only."""
    terminal.details(terminal.client.create_project(name, title))


@click.group()
def audit() -> None:
    """Who did what, when."""


@audit.command("list")
@click.option("--before", default=0, help="Id of an entry to page on from.")
@click.option("--everything", is_flag=True, help="Of the whole installation, for administrators.")
@pass_terminal
def list_audit(terminal: Terminal, before: int, everything: bool) -> None:
    """The newest entries."""
    terminal.table(
        "Audit",
        {
            "id": lambda entry: entry.id,
            "when": lambda entry: when(entry.at),
            "who": lambda entry: entry.actor,
            "what": lambda entry: entry.action,
            "on": lambda entry: entry.subject,
        },
        terminal.client.list_audit("" if everything else terminal.project, before),
    )


@audit.command()
@click.option("--export", type=click.File(encoding="utf-8-sig"), help="An earlier export (CSV), to check against too.")
@pass_terminal
def verify(terminal: Terminal, export: TextIO | None) -> None:
    """Check that no entry was changed, removed or put in; exit code 1 if one was. Administrators only."""
    found = terminal.client.check_audit(_head(export) if export else "")
    terminal.details(found)
    if found.code:
        raise SystemExit(1)
    terminal.say(f"{found.entries} entries, none changed, removed or put in.")


def _head(export: TextIO) -> str:
    """The head at the end of an exported file."""
    rows = [row for row in csv.reader(export) if row and row[0] == "head"]
    if not rows:
        raise click.ClickException("This file has no head at its end: it is not a whole export of the audit.")
    return rows[-1][-1]


COMMANDS = (machines, projects, audit)
