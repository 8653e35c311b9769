"""`tunesmith prompt`"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tunesmith.commands.context import Terminal, pass_terminal, when


@click.group()
def prompt() -> None:
    """Prompts: what is said to a model before the question, in versions."""


@prompt.command("list")
@pass_terminal
def list_prompts(terminal: Terminal) -> None:
    """The prompts of the project."""
    terminal.table("Prompts", _COLUMNS, terminal.client.list_prompts(terminal.project))


@prompt.command()
@click.argument("name")
@pass_terminal
def show(terminal: Terminal, name: str) -> None:
    """The versions of a prompt, the newest first."""
    terminal.table(name, _COLUMNS, terminal.client.list_prompt_versions(terminal.project, name))


@prompt.command()
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--base-version", type=int, default=0, help="Refuse if there is a newer version than this.")
@pass_terminal
def save(terminal: Terminal, name: str, file: Path, base_version: int) -> None:
    """Keep FILE (JSON: system, examples, decoding) as the newest version of the prompt NAME."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as problem:
        raise click.ClickException(f"{file}: {problem}") from problem
    if not isinstance(content, dict):
        raise click.ClickException(f"{file}: this is no JSON object.")
    saved = terminal.client.save_prompt(terminal.project, name, content, base_version)
    said = "Nothing has changed" if saved.reused else "Saved"
    terminal.say(f"{said}: {saved.name}@{saved.version}.")


@prompt.command()
@click.argument("name")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="A file. [default: standard output]")
@pass_terminal
def export(terminal: Terminal, name: str, to: Path | None) -> None:
    """What a prompt says, NAME or NAME@VERSION, as JSON."""
    content = json.loads(terminal.client.get_prompt(terminal.project, name).content)
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    if to is None:
        click.echo(text, nl=False)
    else:
        to.write_text(text, "utf-8")


@prompt.command()
@click.argument("name")
@pass_terminal
def delete(terminal: Terminal, name: str) -> None:
    """Put a prompt into the trash."""
    found = terminal.client.get_prompt(terminal.project, name)
    terminal.client.delete_thing("prompt", found.id)
    terminal.say(f"“{found.name}” is in the trash.")


_COLUMNS: dict[str, Callable[[Any], object]] = {
    "name": lambda one: one.name,
    "version": lambda one: one.version,
    "saved": lambda one: when(one.created_at),
    "by": lambda one: one.author,
    "search": lambda one: f"#{one.job_id}" if one.job_id else "–",
    "hash": lambda one: one.hash[:12],
}
COMMANDS = (prompt,)
