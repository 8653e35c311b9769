"""`tunesmith listeners`: who is told of a project's events, and what they were told."""

from __future__ import annotations

import sys

import click

from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.v1 import automation_pb2 as pb

_LISTENER = click.argument("listener_id", type=int)


@click.group()
def listeners() -> None:
    """Who is told of what happens in a project: programs, channels, mailboxes."""


@listeners.command()
@pass_terminal
def ways(terminal: Terminal) -> None:
    """In which ways listeners can be told, and of which events."""
    found = terminal.client.list_listener_ways(terminal.project)
    if terminal.as_json:
        terminal.details(found)
        return
    columns = {
        "way": lambda one: one.name,
        "choices": lambda one: ", ".join(one.choices),
        "not now": lambda one: one.message,
    }
    terminal.table("Ways", columns, list(found.ways))
    terminal.table("Events", {"event": lambda one: one.name, "what": lambda one: one.display}, list(found.events))


@listeners.command()
@click.argument("way", type=click.Choice(["webhook", "slack", "teams", "mail", "python"]))
@click.option("--event", "events", multiple=True, metavar="EVENT", help="Several times for several; left out: all.")
@click.option("--language", default="", help="Of the sentences: en, de or zh.")
@pass_terminal
def add(terminal: Terminal, way: str, events: tuple[str, ...], language: str) -> None:
    """Have events told. The address, which may hold a secret, is asked for or read from the standard input."""
    address = click.prompt("Address") if sys.stdin.isatty() else sys.stdin.readline()
    wanted = events or [one.name for one in terminal.client.list_listener_ways(terminal.project).events]
    made = terminal.client.add_listener(terminal.project, way, address.strip(), wanted, language)
    terminal.details(made)
    if made.key:
        terminal.say("The key verifies the signature of what is sent. Keep it: it is shown this once.")


@listeners.command("list")
@pass_terminal
def list_listeners(terminal: Terminal) -> None:
    """The listeners of the project."""
    terminal.table(
        "Listeners",
        {
            "id": lambda one: one.id,
            "way": lambda one: one.way,
            "whom": lambda one: one.label,
            "events": lambda one: ", ".join(one.events),
            "added by": lambda one: one.added_by,
            "stopped": lambda one: "yes" if one.stopped else "",
            "trouble": lambda one: one.message,
        },
        terminal.client.list_listeners(terminal.project),
    )


@listeners.command()
@_LISTENER
@click.option("--event", "events", multiple=True, required=True, metavar="EVENT", help="Several times for several.")
@pass_terminal
def change(terminal: Terminal, listener_id: int, events: tuple[str, ...]) -> None:
    """Choose other events; one that had stopped goes on."""
    terminal.details(terminal.client.change_listener(listener_id, events))


@listeners.command()
@_LISTENER
@pass_terminal
def test(terminal: Terminal, listener_id: int) -> None:
    """Send a test; `deliveries` says what came of it."""
    terminal.details(terminal.client.test_listener(listener_id))


@listeners.command()
@_LISTENER
@click.option("--before", default=0, help="The id of a delivery: those before it.")
@click.option("--limit", default=20, show_default=True)
@pass_terminal
def deliveries(terminal: Terminal, listener_id: int, before: int, limit: int) -> None:
    """What a listener was told, or waits to be told, the newest first."""
    terminal.table(
        "Deliveries",
        {
            "id": lambda one: one.id,
            "event": lambda one: one.event,
            "when": lambda one: when(one.created_at),
            "state": _state,
            "attempts": lambda one: one.attempts,
            "answer": lambda one: one.code or "",
            "trouble": lambda one: one.message,
        },
        terminal.client.list_deliveries(listener_id, before, limit),
    )


@listeners.command()
@click.argument("delivery_id", type=int)
@pass_terminal
def replay(terminal: Terminal, delivery_id: int) -> None:
    """Send the same event once more."""
    terminal.details(terminal.client.replay_delivery(delivery_id))


@listeners.command()
@_LISTENER
@pass_terminal
def remove(terminal: Terminal, listener_id: int) -> None:
    """Tell a listener nothing more, and forget its address."""
    terminal.client.remove_listener(listener_id)
    terminal.say(f"Listener {listener_id} is told nothing more.")


def _state(one: pb.Delivery) -> str:
    return one.outcome.replace("_", " ") or f"next at {when(one.next_at)}"


COMMANDS = (listeners,)
