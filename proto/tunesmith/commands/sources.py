"""`tunesmith datasets connectors | look | fetch | sources | refresh | schedule | forget`: where rows come from."""

from __future__ import annotations

import json
import sys

import click

from tunesmith.commands.context import Terminal, only, pass_terminal, size, when
from tunesmith.commands.drafts import pairs, rested, show_draft
from tunesmith.v1 import automation_pb2 as pb

_PARAMETERS = click.argument("parameters", nargs=-1, metavar="NAME=VALUE…")
_SECRETS = click.option(
    "--secret", "names", multiple=True, metavar="NAME", help="Asked for, or read as a line from the standard input."
)


@click.command()
@pass_terminal
def connectors(terminal: Terminal) -> None:
    """By what data can be fetched, with the parameters that each takes."""
    terminal.table(
        "Connectors",
        {
            "name": lambda one: one.name,
            "what": lambda one: one.display,
            "parameters": lambda one: ", ".join(json.loads(one.parameters)["properties"]),
            "secrets": lambda one: ", ".join(json.loads(one.secrets)),
            "not now": lambda one: one.message,
        },
        terminal.client.list_connectors(terminal.project),
    )


@click.command()
@click.argument("connector")
@_PARAMETERS
@_SECRETS
@pass_terminal
def look(terminal: Terminal, connector: str, parameters: tuple[str, ...], names: tuple[str, ...]) -> None:
    """See what a connector finds; nothing is fetched."""
    given = _typed(terminal, connector, parameters)
    found = terminal.client.look_at_source(terminal.project, connector, given, _secrets(names))
    terminal.table(
        "There is",
        {
            "name": lambda one: one.name,
            "size": lambda one: size(one.size) if one.size >= 0 else "",
            "parameters": lambda one: one.parameters,
        },
        list(found.items),
    )
    if found.is_cut:
        terminal.say("There is more.")


@click.command()
@click.argument("connector")
@_PARAMETERS
@_SECRETS
@click.option("--name", default="", help="Of the dataset; else as the file is called.")
@pass_terminal
def fetch(terminal: Terminal, connector: str, parameters: tuple[str, ...], names: tuple[str, ...], name: str) -> None:
    """Fetch a file and say what it holds. Nothing is kept until `save`; then the dataset remembers the source."""
    given = _typed(terminal, connector, parameters)
    draft = terminal.client.begin_source(terminal.project, connector, given, _secrets(names), name)
    show_draft(terminal, rested(terminal, draft.id))


@click.command("sources")
@pass_terminal
def list_sources(terminal: Terminal) -> None:
    """The datasets that come from a source, with what came of the last refresh."""
    terminal.table(
        "Sources",
        {
            "id": lambda one: one.id,
            "dataset": lambda one: one.dataset,
            "connector": lambda one: one.connector,
            "what": lambda one: one.label,
            "looked at": lambda one: when(one.looked_at),
            "next": lambda one: when(one.next_at),
            "trouble": lambda one: one.message,
        },
        terminal.client.list_sources(terminal.project),
    )


@click.command()
@click.argument("dataset")
@click.option("--overwrite", is_flag=True, help="Also where the newest version was changed here; the next lacks that.")
@pass_terminal
def refresh(terminal: Terminal, dataset: str, overwrite: bool) -> None:
    """Fetch a dataset's source again; a new version is made if its content has changed."""
    there = [one.id for one in terminal.client.list_datasets(terminal.project) if one.dataset == dataset]
    draft = rested(terminal, terminal.client.refresh_source(_source(terminal, dataset).id, overwrite).id)
    if draft.state != "saved":
        raise click.ClickException(draft.message or draft.state)
    version = terminal.client.get_dataset_version(draft.dataset_version_id).version
    terminal.say("Nothing has changed:" if version.id in there else "A new version:")
    terminal.details(version)


@click.command()
@click.argument("dataset")
@click.option("--every", type=float, default=0.0, help="Seconds; 300 at least.")
@click.option("--cron", default="", help="Minute, hour, day of the month, month, day of the week: “0 6 * * mon”.")
@click.option("--time-zone", default="UTC", show_default=True, help="Of --cron, as Europe/Berlin.")
@pass_terminal
def schedule(terminal: Terminal, dataset: str, every: float, cron: str, time_zone: str) -> None:
    """Have a dataset's source fetched by itself; with neither --every nor --cron, no longer."""
    source = _source(terminal, dataset)
    terminal.details(terminal.client.schedule_source(source.id, every, cron, time_zone))


@click.command()
@click.argument("dataset")
@pass_terminal
def forget(terminal: Terminal, dataset: str) -> None:
    """Fetch a dataset's source no more, and forget its secrets; the dataset stays."""
    terminal.client.remove_source(_source(terminal, dataset).id)
    terminal.say(f"{dataset} is not fetched any more.")


def _source(terminal: Terminal, dataset: str) -> pb.Source:
    every, said = (
        terminal.client.list_sources(terminal.project),
        f"The dataset “{dataset}” does not come from a source.",
    )
    return only((one for one in every if one.dataset == dataset), said)


def _typed(terminal: Terminal, connector: str, parameters: tuple[str, ...]) -> dict[str, object]:
    """The parameters as their schema has them: a number is one where the schema says so."""
    known = {one.name: json.loads(one.parameters) for one in terminal.client.list_connectors(terminal.project)}
    schema = known.get(connector, {"properties": {}})["properties"]
    return {name: _value(schema.get(name, {}).get("type"), text) for name, text in pairs(parameters).items()}


def _value(kind: str | None, text: str) -> object:
    if kind in (None, "string"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text  # the answer says what is wrong with it


def _secrets(names: tuple[str, ...]) -> dict[str, str]:
    if sys.stdin.isatty():
        return {name: str(click.prompt(name, hide_input=True)) for name in names}
    return {name: sys.stdin.readline().rstrip("\n") for name in names}


COMMANDS = (connectors, look, fetch, list_sources, refresh, schedule, forget)
