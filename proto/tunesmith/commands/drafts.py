"""`tunesmith datasets check | map | save | drafts | cancel`: a file on its way to become a dataset version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from tunesmith.commands import seen
from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.v1 import automation_pb2 as pb

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.argument("train", type=_FILE)
@click.argument("test", type=_FILE, required=False)
@click.option("--name", default="", help="Of the dataset; else as the file is called.")
@pass_terminal
def check(terminal: Terminal, train: Path, test: Path | None, name: str) -> None:
    """Send a file of any kind and say what it holds; what broke off goes on where it was. Nothing is kept yet."""
    show_draft(terminal, _begun(terminal, train, test, name))


@click.command("map")
@click.argument("draft_id", type=int)
@click.argument("parts", nargs=-1, metavar="FIELD=COLUMN[,COLUMN]…")
@click.option("--format", default="", help="Which the fields belong to; else the draft's.")
@click.option("--choice", "choices", multiple=True, metavar="CHECK=keep|drop|fix", help="What is done about its rows.")
@click.option("--share", type=float, help="Held-out share, 0..0.5.")
@click.option("--seed", type=int, help="Decides which rows are held out.")
@click.option("--by", help="A column: rows that agree in it stay on one side.")
@click.option("--kind", help="How to read the file: jsonl, json, csv, parquet, xlsx, text.")
@click.option("--encoding", help="utf-8, utf-16, gb18030, windows-1252.")
@click.option("--delimiter", help="Of a CSV.")
@click.option("--sheet", help="Of an Excel file.")
@click.option("--base-model", type=int, metavar="MODEL", help="In whose tokens lengths are told; 0: in characters.")
@pass_terminal
def map_columns(
    terminal: Terminal,
    /,
    draft_id: int,
    parts: tuple[str, ...],
    format: str,
    choices: tuple[str, ...],
    **given: Any,
) -> None:
    """Say what the columns of a draft are, what is done about what was found, or how the file is read."""
    draft = terminal.client.get_draft(draft_id)
    mapping = json.loads(draft.mapping) if draft.mapping else {"format": "", "parts": {}}
    if parts or format:
        fields = {name: columns.split(",") for name, columns in pairs(parts).items()}
        mapping = {"format": format or mapping["format"], "parts": fields or mapping["parts"]}
    source = {name: given[name] for name in ("kind", "encoding", "delimiter", "sheet") if given[name] is not None}
    split = {name: given[name] for name in ("share", "seed", "by") if given[name] is not None}
    terminal.client.change_draft(
        draft_id,
        mapping=mapping if parts or format else None,
        choices={**json.loads(draft.choices), **pairs(choices)} if choices else None,
        split={**json.loads(draft.split), **split} if split else None,
        source={**json.loads(draft.source), **source} if source else None,
        base_model_id=given["base_model"],
    )
    show_draft(terminal, rested(terminal, draft_id))


@click.command()
@click.argument("draft_id", type=int)
@click.option("--name", default="", help="Of the dataset; else the draft's.")
@pass_terminal
def save(terminal: Terminal, draft_id: int, name: str) -> None:
    """Make a version of a draft."""
    terminal.client.save_draft(draft_id, name)
    saved(terminal, draft_id)


@click.command()
@click.argument("draft_id", type=int)
@click.option("--as-seen-by", "model_id", type=int, default=0, metavar="MODEL", help="Else the model used last.")
@click.option("--row", "number", default=1, show_default=True, help="Of those that were looked at first.")
@pass_terminal
def see(terminal: Terminal, draft_id: int, model_id: int, number: int) -> None:
    """Show a row of a draft as a model sees it: what training learns is in 【 】."""
    seen.show(terminal, terminal.client.see_row(number=number, model_id=model_id, draft_id=draft_id))


@click.command("drafts")
@pass_terminal
def list_drafts(terminal: Terminal) -> None:
    """Your drafts that are not over, the newest first."""
    terminal.table(
        "Drafts",
        {
            "id": lambda draft: draft.id,
            "dataset": lambda draft: draft.name,
            "file": lambda draft: draft.file_name,
            "state": lambda draft: draft.state,
            "begun": lambda draft: when(draft.created_at),
        },
        terminal.client.list_drafts(terminal.project),
    )


@click.command()
@click.argument("draft_id", type=int)
@pass_terminal
def cancel(terminal: Terminal, draft_id: int) -> None:
    """End a draft and remove its files."""
    terminal.say(f"Draft {terminal.client.cancel_draft(draft_id).id} is over.")


def keep(terminal: Terminal, train: Path, test: Path | None, name: str, split: Mapping[str, Any]) -> None:
    """Send, check and save a file at once; a draft with which something is wrong stays, to be mended."""
    draft = _begun(terminal, train, test, name)
    if draft.state == "ready" and json.loads(draft.split) | split != json.loads(draft.split):
        terminal.client.change_draft(draft.id, split={**json.loads(draft.split), **split})
        draft = rested(terminal, draft.id)
    if draft.state != "ready":
        raise click.ClickException(f"{draft.message} (draft {draft.id})")
    terminal.client.save_draft(draft.id, name)
    saved(terminal, draft.id)


def _begun(terminal: Terminal, train: Path, test: Path | None, name: str) -> pb.Draft:
    files = [_sent(terminal, path).id for path in (train, test) if path]
    draft = terminal.client.begin_draft(terminal.project, files[0], files[1] if test else 0, name)
    return rested(terminal, draft.id)


def _sent(terminal: Terminal, path: Path) -> pb.Upload:
    with Progress(console=terminal.console, transient=True, disable=not terminal.console.is_terminal) as bar:
        row = bar.add_task(path.name, total=path.stat().st_size)
        return terminal.client.upload_file(
            terminal.project, path, lambda done, of: bar.update(row, completed=done, total=of)
        )


def rested(terminal: Terminal, draft_id: int) -> pb.Draft:
    """The draft once nothing is under way for it."""
    with Progress(console=terminal.console, transient=True, disable=not terminal.console.is_terminal) as bar:
        row = bar.add_task("", total=None)
        for draft in terminal.client.wait_draft(draft_id):
            bar.update(row, description=draft.state, completed=draft.done_bytes, total=draft.of_bytes or None)
    return terminal.client.get_draft(draft_id)


def saved(terminal: Terminal, draft_id: int) -> None:
    """Follow a draft until it is a version, and show that. Raises click.ClickException where it comes to nothing."""
    draft = rested(terminal, draft_id)
    if draft.state != "saved":
        raise click.ClickException(f"{draft.message} (draft {draft.id})")
    terminal.say("Saved:")
    terminal.details(terminal.client.get_dataset_version(draft.dataset_version_id).version)


def show_draft(terminal: Terminal, draft: pb.Draft) -> None:
    """All that is known, and last what is to be decided: a line for each check that found something."""
    terminal.details(draft)
    if draft.state == "failed":
        terminal.say(f"{draft.message} (draft {draft.id})")
    for one in json.loads(draft.report)["findings"] if draft.report else ():
        if one["count"]:
            terminal.say(f"{one['check']}: {one['count']} rows, {one['choice']}")


def pairs(given: tuple[str, ...]) -> dict[str, str]:
    """Raises click.UsageError for what has no equals sign."""
    parted = [one.partition("=") for one in given]
    if wrong := [name for name, sign, _ in parted if not sign]:
        raise click.UsageError(f"“{wrong[0]}” lacks “=”.")
    return {name: value for name, _, value in parted}


COMMANDS = (check, map_columns, see, save, list_drafts, cancel)
