"""`tunesmith describe`, `tunesmith delete` and `tunesmith trash`"""

from __future__ import annotations

import click

from tunesmith.client import Client
from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.v1 import automation_pb2 as pb

KIND = click.Choice(["dataset", "model", "job", "deployment", "workflow", "prompt", "reward", "project"])


@click.command()
@click.argument("kind", type=KIND)
@click.argument("which")
@click.option("--title", help="What it is called on pages, in any script; empty: its name.")
@click.option("--description", help="What is said of it.")
@click.option("--tag", "tags", multiple=True, help="Its tags become these; may be given several times.")
@click.option("--no-tags", is_flag=True, help="It has no tags any more.")
@pass_terminal
def describe(
    terminal: Terminal,
    kind: str,
    which: str,
    title: str | None,
    description: str | None,
    tags: tuple[str, ...],
    no_tags: bool,
) -> None:
    """Give a thing a title, a description or tags; what is left out stays. WHICH is its id or its name."""
    wanted = tags if tags or no_tags else None
    number = _number(terminal, kind, which)
    terminal.details(terminal.client.describe_thing(kind, number, title, description, wanted))


@click.command()
@click.argument("kind", type=KIND)
@click.argument("which")
@pass_terminal
def delete(terminal: Terminal, kind: str, which: str) -> None:
    """Put a thing into the trash. WHICH is its id or its name."""
    thing = terminal.client.delete_thing(kind, _number(terminal, kind, which))
    terminal.say(f"“{thing.name}” is in the trash; tunesmith trash restore {kind} {thing.id} takes it back.")


@click.group()
def trash() -> None:
    """What was deleted, until it is deleted for good."""


@trash.command("list")
@click.option("--projects", is_flag=True, help="The projects that are in the trash.")
@pass_terminal
def list_trash(terminal: Terminal, projects: bool) -> None:
    """What is in the project's trash, the newest first."""
    terminal.table(
        "Trash",
        {
            "kind": lambda thing: thing.kind,
            "id": lambda thing: thing.id,
            "name": lambda thing: thing.name,
            "title": lambda thing: thing.title,
            "deleted": lambda thing: when(thing.deleted_at),
            "by": lambda thing: thing.deleted_by,
            "for good": lambda thing: when(thing.purge_at),
        },
        terminal.client.list_trash("" if projects else terminal.project),
    )


@trash.command()
@click.argument("kind", type=KIND)
@click.argument("number", type=int)
@pass_terminal
def restore(terminal: Terminal, kind: str, number: int) -> None:
    """Take the thing with the id NUMBER out of the trash."""
    terminal.say(f"“{terminal.client.restore_thing(kind, number).name}” is back.")


@trash.command()
@click.argument("kind", type=KIND)
@click.argument("number", type=int)
@click.confirmation_option(prompt="Nothing brings it back. Delete it for good?")
@pass_terminal
def purge(terminal: Terminal, kind: str, number: int) -> None:
    """Delete the thing with the id NUMBER for good; for administrators."""
    terminal.client.purge_thing(kind, number)
    terminal.say(f"The {kind} {number} is deleted for good.")


def _number(terminal: Terminal, kind: str, which: str) -> int:
    """The id of a thing: where names are given once, that of the name, else the number itself."""
    named = {thing.name: thing.id for thing in _named(terminal.client, kind, terminal.project)}
    if which in named:
        return named[which]
    if not which.isdecimal():
        raise click.ClickException(f"There is no {kind} called “{which}”. Give its id.")
    return int(which)


def _named(client: Client, kind: str, project: str) -> list[pb.Thing]:
    if kind == "dataset":
        return [version.thing for version in client.list_datasets(project)]
    if kind == "deployment":
        return [deployment.thing for deployment in client.list_deployments(project)]
    if kind == "reward":
        return [reward.thing for reward in client.list_rewards(project)]
    return [place.thing for place in client.list_projects()] if kind == "project" else []


COMMANDS = (describe, delete, trash)
