"""`tunesmith methods`, also `method`: what can be run, and methods of one's own from the folder to everybody's list."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import click

from tunesmith.client import Client
from tunesmith.commands.context import Terminal, only, pass_terminal, when
from tunesmith.v1 import automation_pb2 as pb

FOLDER = click.Path(path_type=Path, exists=True)
TEMPLATE = "custom01"


@click.group()
def methods() -> None:
    """What can be run on data and models, and methods of your own."""


@methods.command("list")
@pass_terminal
def list_methods(terminal: Terminal) -> None:
    """All methods."""
    terminal.table(
        "Methods",
        {
            "name": lambda method: method.name,
            "kind": lambda method: method.kind,
            "type": lambda method: method.type,
            "what it does": lambda method: json.loads(method.manifest)["display"]["en"],
            "version": lambda method: method.hash[:12],
        },
        terminal.client.list_methods(),
    )


@methods.command()
@click.argument("name")
@pass_terminal
def show(terminal: Terminal, name: str) -> None:
    """A method's manifest: inputs, parameters, outputs."""
    every = terminal.client.list_methods()
    terminal.details(only((one for one in every if one.name == name), f"There is no method “{name}”."))


@methods.command()
@click.argument("name")
@pass_terminal
def versions(terminal: Terminal, name: str) -> None:
    """The versions of a method, the newest first."""
    terminal.table(
        f"Versions of {name}",
        {
            "version": lambda one: one.number,
            "state": lambda one: one.state + (" (current)" if one.current else ""),
            "source": lambda one: one.source,
            "author": lambda one: one.author or "–",
            "made": lambda one: when(one.created_at),
            "approved by": lambda one: one.approved_by or "–",
            "dry run": lambda one: one.dry_run_state.lower() or "–",
            "hash": lambda one: one.hash[:12],
        },
        terminal.client.list_method_versions(name),
    )


@methods.command()
@click.argument("name")
@click.argument("old", type=int)
@click.argument("new", type=int)
@pass_terminal
def diff(terminal: Terminal, name: str, old: int, new: int) -> None:
    """What differs between versions OLD and NEW of a method."""
    by_number = {one.number: one.id for one in terminal.client.list_method_versions(name)}
    found = terminal.client.compare_method_versions(*(_known(by_number, name, number) for number in (old, new)))
    for file in found.files:
        click.echo("\n".join(file.lines) if file.lines else f"{file.path}: differs (no text)")
    if not found.files:
        click.echo("Their files are the same.")
    if found.kit_differs:
        click.echo("The kit differs, too.")


@methods.command()
@click.argument("name")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--from", "source", default=TEMPLATE, show_default=True, help="The method to begin with.")
@pass_terminal
def new(terminal: Terminal, name: str, folder: Path | None, source: str) -> None:
    """Write the folder of a new method NAME, which begins as a template or as another method."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name):
        raise click.ClickException("A name is lower-case letters, digits and underscores, and begins with a letter.")
    place = folder or Path(name)
    if place.exists() and any(place.iterdir()):
        raise click.ClickException(f"{place} is not empty.")
    begun = _version(terminal.client, source, lambda one: one.current)
    for file in begun.files:
        path = place / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_renamed(file.path, terminal.client.get_method_file(begun.id, file.path), source, name))
    terminal.say(f"{place} holds the method “{name}”. Next: tunesmith method check {place}")


@methods.command()
@click.argument("folder", type=FOLDER)
@pass_terminal
def check(terminal: Terminal, folder: Path) -> None:
    """Say what is wrong with a method's folder, with line and field; nothing is kept."""
    found = _handed_in(terminal.client, folder, check_only=True)
    terminal.say(f"“{found.name}” can be handed in.")


@methods.command("run")
@click.argument("folder", type=FOLDER)
@click.option("--machine", "machine_id", help="Id of the machine; needed where several are online.")
@click.option("--parameters", default="", help="JSON; beside the small ones of a dry run.")
@pass_terminal
def dry_run(terminal: Terminal, folder: Path, machine_id: str | None, parameters: str) -> None:
    """Hand a folder in as a draft and run it on a tiny model and a few rows, to its end; exit code 1 if it fails."""
    client = terminal.client
    draft = _handed_in(client, folder)
    given = json.loads(parameters) if parameters else None
    job = client.try_method(terminal.project, draft.id, machine_id or _only_machine(client), given)
    terminal.say(f"Version {draft.number} of “{draft.name}” runs as job {job.id}.")
    for seen, events in client.wait_job(job.id):
        job = seen
        for event in events:
            terminal.say("  " + " ".join(f"{key}={value}" for key, value in event.items() if key != "time"))
    if job.state != "SUCCEEDED":
        log = client.read_log(job.id, "stderr")[0].decode("utf-8", "replace")
        raise click.ClickException(f"{job.state}: {job.message}\n{log[-2_000:]}")
    terminal.say(f"It went well. Next: tunesmith method publish {draft.name}")


@methods.command()
@click.argument("name")
@click.option("--version", "number", type=int, help="The version's number; else the newest draft.")
@pass_terminal
def publish(terminal: Terminal, name: str, number: int | None) -> None:
    """Have new jobs take a version that came through its dry run; administrators only."""

    def is_meant(one: pb.MethodVersion) -> bool:
        return bool(one.number == number if number else one.state == "draft")

    found = terminal.client.publish_method(_version(terminal.client, name, is_meant).id)
    terminal.say(f"Version {found.number} of “{name}” is what new jobs take.")


@methods.command()
@click.argument("name")
@click.option("--version", "number", type=int, help="A draft's number; else the method itself.")
@pass_terminal
def delete(terminal: Terminal, name: str, number: int | None) -> None:
    """Offer a method no longer, or throw a draft away; what used it keeps working, and `restore` undoes it."""
    found = _version(terminal.client, name, lambda one: one.number == number if number else one.current)
    terminal.client.delete_method(found.id)
    terminal.say(f"“{name}” is deleted; tunesmith method restore {name} takes it back.")


@methods.command()
@click.argument("name")
@click.option("--version", "number", type=int, help="A draft's number; else the method itself.")
@pass_terminal
def restore(terminal: Terminal, name: str, number: int | None) -> None:
    """Undo a `delete`."""
    found = _version(terminal.client, name, lambda one: one.number == number if number else one.current)
    terminal.client.restore_method(found.id)
    terminal.say(f"“{name}” is back.")


def _handed_in(client: Client, folder: Path, check_only: bool = False) -> pb.MethodVersion:
    try:
        return client.upload_method(folder, check_only=check_only)
    except (ValueError, OSError) as problem:
        raise click.ClickException(str(problem)) from problem


def _version(client: Client, name: str, is_meant: Callable[[pb.MethodVersion], bool]) -> pb.MethodVersion:
    found = next((one for one in client.list_method_versions(name) if is_meant(one)), None)
    if found is None:
        raise click.ClickException(f"“{name}” has no such version: see tunesmith method versions {name}")
    return found


def _known(by_number: dict[int, int], name: str, number: int) -> int:
    if number not in by_number:
        raise click.ClickException(f"“{name}” has no version {number}.")
    return by_number[number]


def _only_machine(client: Client) -> str:
    online = [machine.id for machine in client.list_machines() if machine.connectivity == "ONLINE"]
    if len(online) != 1:
        raise click.ClickException("Name the machine with --machine: see tunesmith machines list")
    return str(online[0])


def _renamed(path: str, data: bytes, source: str, name: str) -> bytes:
    """A file of the source as the new method has it: its own name in the manifest and in the example."""
    if path == "method.toml":
        return data.replace(f'name = "{source}"'.encode(), f'name = "{name}"'.encode(), 1)
    if path == "example.json":
        return data.replace(f'"method": "{source}"'.encode(), f'"method": "{name}"'.encode(), 1)
    return data


COMMANDS = (methods,)
