"""`tunesmith datasets`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from tunesmith.commands.context import Terminal, pass_terminal, when

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
@click.argument("name")
@click.argument("train", type=FILE)
@click.argument("test", type=FILE, required=False)
@click.option("--format", default="", help="prompt_completion, chat, text, (unpaired_)preference; else recognised.")
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
    """Check JSON Lines and keep them as a new version of dataset NAME."""
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


COMMANDS = (datasets,)
