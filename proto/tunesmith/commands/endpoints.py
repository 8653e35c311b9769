"""`tunesmith endpoints`"""

from __future__ import annotations

import sys

import click

from tunesmith.commands.context import Terminal, only, pass_terminal
from tunesmith.v1 import automation_pb2 as pb


@click.group()
def endpoints() -> None:
    """Models of others that are asked over the network, by OpenAI's chat completions."""


@endpoints.command("list")
@pass_terminal
def list_endpoints(terminal: Terminal) -> None:
    """The endpoints of the project."""
    terminal.table(
        "Endpoints",
        {
            "name": lambda one: one.name,
            "address": lambda one: one.address,
            "model": lambda one: one.model,
            "key": lambda one: "yes" if one.has_key else "none",
            "asked today": lambda one: f"{one.calls_today} of {one.daily_calls}",
        },
        terminal.client.list_endpoints(terminal.project),
    )


@endpoints.command()
@click.argument("name")
@click.argument("address")
@click.argument("model")
@click.option("--key", "has_key", is_flag=True, help="Asked for, or read as a line from the standard input.")
@click.option("--daily-calls", default=1_000, show_default=True, help="How often it is asked in a day at most.")
@pass_terminal
def save(terminal: Terminal, name: str, address: str, model: str, has_key: bool, daily_calls: int) -> None:
    """Make or change the endpoint NAME: MODEL at ADDRESS, as https://api.example.com/v1."""
    key = _key() if has_key else ""
    terminal.details(terminal.client.save_endpoint(terminal.project, name, address, model, key, daily_calls))


@endpoints.command()
@click.argument("name")
@pass_terminal
def test(terminal: Terminal, name: str) -> None:
    """Ask an endpoint something short."""
    found = terminal.client.test_endpoint(_named(terminal, name).id)
    terminal.say(f"It answered within {found.seconds:.1f} s: {found.answer}")


@endpoints.command()
@click.argument("name")
@pass_terminal
def remove(terminal: Terminal, name: str) -> None:
    """Forget an endpoint and its key."""
    terminal.client.remove_endpoint(_named(terminal, name).id)
    terminal.say(f"{name} is not asked any more.")


def _named(terminal: Terminal, name: str) -> pb.Endpoint:
    every = terminal.client.list_endpoints(terminal.project)
    return only((one for one in every if one.name == name), f"There is no endpoint “{name}” in this project.")


def _key() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("key", hide_input=True))
    return sys.stdin.readline().rstrip("\n")


COMMANDS = (endpoints,)
