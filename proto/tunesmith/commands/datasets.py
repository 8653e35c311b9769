"""`tunesmith datasets`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

import click

from tunesmith.commands import drafts, seen, sources
from tunesmith.commands.context import Terminal, pass_terminal, when

_JSON_LINES = (".jsonl", ".ndjson")
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def datasets() -> None:
    """What models learn from and are examined on."""


@datasets.command("list")
@click.option("--tag", default="", help="Only datasets that bear this tag.")
@pass_terminal
def list_versions(terminal: Terminal, tag: str) -> None:
    """All versions of all datasets, the newest first."""
    terminal.table(
        "Datasets",
        {
            "id": lambda version: version.id,
            "dataset": lambda version: version.dataset,
            "title": lambda version: version.thing.title,
            "version": lambda version: version.number,
            "format": lambda version: version.format,
            "training rows": lambda version: version.train_rows,
            "held-out rows": lambda version: version.test_rows,
            "made": lambda version: when(version.created_at),
        },
        terminal.client.list_datasets(terminal.project, tag),
    )


@datasets.command()
@click.argument("version_id", type=int)
@click.option("--as-seen-by", "model_id", type=int, metavar="MODEL", help="Show a row instead, as this model sees it.")
@click.option("--row", "number", default=1, show_default=True, help="Which row; 1 is the first.")
@click.option("--split", type=click.Choice(["train", "test"]), default="train", show_default=True)
@click.option("--learn-from", type=click.Choice(["completion", "last", "whole"]), default="completion")
@click.option("--max-length", default=0, help="Tokens that fit; else as many as the model takes.")
@pass_terminal
def show(
    terminal: Terminal, version_id: int, model_id: int | None, number: int, split: str, learn_from: str, max_length: int
) -> None:
    """What is known of a version: where it came from, what the checks found, what used it.

    With --as-seen-by, one of its rows: what training learns is in 【 】, what does not fit is left out.
    """
    if model_id is None:
        terminal.details(terminal.client.get_dataset_version(version_id))
    else:
        seen.show(terminal, terminal.client.see_row(version_id, number, split, model_id, learn_from, max_length))


@datasets.command()
@click.argument("version_id", type=int)
@click.option("--model", "model_id", type=int, default=0, metavar="MODEL", help="Else the model used last.")
@pass_terminal
def lengths(terminal: Terminal, version_id: int, model_id: int) -> None:
    """How long the rows of a version are, in tokens of a model: so many rows from each length on."""
    found = terminal.client.measure_lengths(version_id, model_id)
    if terminal.as_json:
        terminal.details(found)
        return
    for edge, count in zip(found.edges, found.counts, strict=True):
        click.echo(f"{edge:>8} {count}")
    fits = f", {found.limit} fit" if found.limit else ""
    terminal.say(f"tokens of {found.model}, rows; {found.counted_rows} rows counted{fits}")


@datasets.command()
@click.argument("old_id", type=int)
@click.argument("new_id", type=int)
@click.option("--offset", default=0, show_default=True, help="The first difference to show; 0 is the first of all.")
@click.option("--limit", default=20, show_default=True, help="At most 200.")
@pass_terminal
def diff(terminal: Terminal, old_id: int, new_id: int, offset: int, limit: int) -> None:
    """Rows that differ between two versions of a dataset: - as they were, + as they are; then how many."""
    found = terminal.client.compare_dataset_versions(old_id, new_id, offset, limit)
    for one in found.rows:
        for sign, row in (("-", one.old), ("+", one.new)):
            if row:
                click.echo(f"{sign} {one.split} {one.number} {row}")
    terminal.say(f"{found.added} added, {found.removed} removed, {found.changed} changed")


@datasets.command()
@click.argument("version_id", type=int)
@click.argument("text", default="")
@click.option("--check", default="", help="A check's code: rows that it has found.")
@click.option("--split", type=click.Choice(["train", "test"]), default="train", show_default=True)
@click.option("--offset", default=0, show_default=True, help="How many of them to leave out.")
@click.option("--limit", default=20, show_default=True, help="At most 200.")
@click.option("--after", default=0, help="A row's number: look through what follows it.")
@pass_terminal
def search(
    terminal: Terminal, version_id: int, text: str, check: str, split: str, offset: int, limit: int, after: int
) -> None:
    """Rows that hold TEXT, each behind its number; then how many there are, and how to go on in a large version."""
    found = terminal.client.search_rows(version_id, text, check, split, offset, limit, after)
    for number, row in found.rows:
        click.echo(f"{number} {json.dumps(row, ensure_ascii=False)}")
    goes_on = f" up to row {found.after}; go on with --after {found.after}" if found.after else ""
    terminal.say(f"{found.total} rows{goes_on}")


@datasets.command()
@click.argument("version_id", type=int)
@click.argument("edits", type=click.File("r", encoding="utf-8"))
@click.option("--split", type=click.Choice(["train", "test"]), default="train", show_default=True)
@pass_terminal
def edit(terminal: Terminal, version_id: int, edits: TextIO, split: str) -> None:
    """Make another version with the EDITS of a JSON file: {"changed": {NUMBER: ROW}, "removed": […], "added": […]}."""
    said = json.load(edits)
    changed = {int(number): row for number, row in said.get("changed", {}).items()}
    made = terminal.client.edit_rows(version_id, split, changed, said.get("removed", ()), said.get("added", ()))
    if made.HasField("draft"):
        drafts.saved(terminal, made.draft.id)
    else:
        terminal.details(made.version)


@datasets.command()
@click.argument("name")
@click.argument("train", type=FILE)
@click.argument("test", type=FILE, required=False)
@click.option("--format", default="", help="prompt_completion, chat, text …; else recognised from the first row.")
@click.option("--test-share", default=0.2, show_default=True, help="Held-out share (0..0.5) where TEST is not given.")
@click.option("--seed", default=42, show_default=True, help="Decides which rows are held out.")
@click.option("--leave-out-faulty", is_flag=True, help="Keep the sound rows; see the others with --split left_out.")
@pass_terminal
def upload(
    terminal: Terminal,
    name: str,
    train: Path,
    test: Path | None,
    format: str,
    test_share: float,
    seed: int,
    leave_out_faulty: bool,
) -> None:
    """Check a file and keep its rows as a new version of dataset NAME.

    A file of another kind than JSON Lines is read with the mapping that suggests itself, and what the checks find is
    dealt with as they do by themselves. `check`, `map` and `save` do the same step by step.
    """
    if train.suffix.lower() not in _JSON_LINES:
        drafts.keep(terminal, train, test, name, {"share": test_share, "seed": seed})
        return
    version = terminal.client.upload_dataset(
        terminal.project, name, train, test, format, test_share, seed, leave_out_faulty
    )
    terminal.say("This content is there already:" if version.reused else "Uploaded:")
    terminal.details(version)


@datasets.command()
@click.argument("version_id", type=int)
@click.option("--split", type=click.Choice(["train", "test", "left_out"]), default="train", show_default=True)
@click.option("--offset", default=0, show_default=True, help="The first row to show; 0 is the first of all.")
@click.option("--limit", default=20, show_default=True, help="At most 200.")
@pass_terminal
def rows(terminal: Terminal, version_id: int, split: str, offset: int, limit: int) -> None:
    """Rows of a dataset version, as JSON Lines."""
    for row in terminal.client.list_rows(version_id, split, offset, limit):
        click.echo(json.dumps(row, ensure_ascii=False))


for _command in (*drafts.COMMANDS, *sources.COMMANDS):
    datasets.add_command(_command)

COMMANDS = (datasets,)
