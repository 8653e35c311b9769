"""`tunesmith reward`"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.v1 import automation_pb2 as pb


@click.group()
def reward() -> None:
    """Rewards: what a good answer is, as checks with weights."""


@reward.command("list")
@pass_terminal
def list_rewards(terminal: Terminal) -> None:
    """The rewards of the project."""
    terminal.table("Rewards", _COLUMNS, terminal.client.list_rewards(terminal.project))


@reward.command()
@click.argument("name")
@pass_terminal
def show(terminal: Terminal, name: str) -> None:
    """The checks of the reward NAME, or of NAME@VERSION, each with its share of the whole."""
    found = terminal.client.get_reward(terminal.project, name)
    if terminal.as_json:
        terminal.details(found)
        return
    checks = json.loads(found.document)["checks"]
    whole = sum(one["weight"] for one in checks)
    terminal.table(
        f"{found.name}@{found.version}",
        {
            "check": lambda one: one["check"],
            "weight": lambda one: f"{one['weight']:g} ({one['weight'] / whole:.0%})",
            "parameters": lambda one: json.dumps(one["parameters"], ensure_ascii=False),
        },
        checks,
    )


@reward.command()
@click.argument("name")
@pass_terminal
def versions(terminal: Terminal, name: str) -> None:
    """The versions of the reward NAME, the newest first."""
    terminal.table(name, _COLUMNS, terminal.client.list_reward_versions(terminal.project, name))


@reward.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--title", default="", help="What it is called on pages. [default: as it is]")
@pass_terminal
def save(terminal: Terminal, name: str, file: Path, title: str) -> None:
    """Keep FILE, JSON, as the newest version of the reward NAME."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise click.ClickException(f"{file}: {problem}") from problem
    found = terminal.client.save_reward(terminal.project, name, text, title)
    if terminal.as_json:
        terminal.details(found)
    terminal.say(f"“{found.name}” is saved; its newest version is {found.version}.")


@reward.command()
@click.argument("name")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="A file. [default: standard output]")
@pass_terminal
def export(terminal: Terminal, name: str, to: Path | None) -> None:
    """The document of the reward NAME, or of NAME@VERSION."""
    document = json.loads(terminal.client.get_reward(terminal.project, name).document)
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    if to is None:
        click.echo(text, nl=False)
    else:
        to.write_text(text, "utf-8")


@reward.command("try")
@click.argument("name")
@click.argument("dataset_version", type=int)
@click.option("--deployment", default="", help="Ask it for samples.")
@click.option("--endpoint", default="", help="Ask a third-party model for samples.")
@pass_terminal
def dry_run(terminal: Terminal, name: str, dataset_version: int, deployment: str, endpoint: str) -> None:
    """Try the reward NAME, or NAME@VERSION, on rows of DATASET_VERSION, an id; exit code 1 if it should be changed."""
    client = terminal.client
    begun = client.dry_run_reward(terminal.project, name, dataset_version, deployment, endpoint)
    for found in client.wait_reward_dry_run(begun.id):
        if found.of and not terminal.as_json:
            terminal.say(f"{found.done} of {found.of}")
    if terminal.as_json:
        terminal.details(found)
    if found.outcome != "done":
        raise click.ClickException(f"The dry run is {found.outcome}. {found.message}".strip())
    if not terminal.as_json:
        groups = json.loads(found.trial)["groups"]
        terminal.table(
            found.reward,
            {
                "answers": lambda one: one["kind"],
                "number": lambda one: one["count"],
                "score": lambda one: f"{one['mean']:.0%}",
            },
            groups,
        )
    for one in found.findings:
        terminal.say(one.message)
    if any(one.is_fault for one in found.findings):
        raise SystemExit(1)


@reward.command()
@click.argument("name")
@pass_terminal
def delete(terminal: Terminal, name: str) -> None:
    """Put the reward NAME into the trash; jobs keep the checks that they were given."""
    found = terminal.client.get_reward(terminal.project, name)
    terminal.client.delete_thing("reward", found.id)
    terminal.say(f"“{found.name}” is in the trash.")


_COLUMNS: Mapping[str, Callable[[pb.Reward], object]] = {
    "name": lambda one: f"{one.name}@{one.version}",
    "title": lambda one: one.title,
    "saved": lambda one: when(one.created_at),
    "by": lambda one: one.author,
    "hash": lambda one: one.hash[:12],
}
COMMANDS = (reward,)
