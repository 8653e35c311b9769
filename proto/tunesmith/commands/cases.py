"""`tunesmith cases`: worked examples from real domains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from tunesmith.commands.context import Terminal, only, pass_terminal
from tunesmith.v1 import automation_pb2 as pb


@click.group()
def cases() -> None:
    """Worked examples from real domains."""


@cases.command("list")
@click.option("--field", "domain", default="", help="Only those of this field, such as biotech.")
@click.option("--task", default="", help="Only those with this task, such as extraction.")
@click.option("--minutes", default=0.0, help="Only those that take at most so long.")
@pass_terminal
def list_cases(terminal: Terminal, domain: str, task: str, minutes: float) -> None:
    """All cases; `tunesmith demo CASE` runs one."""
    terminal.table(
        "Cases",
        {
            "name": lambda case: case.name,
            "title": lambda case: _title(case),
            "field": lambda case: _plan(case).get("domain", ""),
            "task": lambda case: _plan(case).get("task", ""),
            "minutes": lambda case: _plan(case).get("minutes", ""),
        },
        terminal.client.list_cases(domain, task, minutes),
    )


@cases.command("show")
@click.argument("case")
@pass_terminal
def show_case(terminal: Terminal, case: str) -> None:
    """A case with its plan, and what people said of it."""
    found = only((one for one in terminal.client.list_cases() if one.name == case), f"There is no case “{case}”.")
    terminal.details(found)
    if not terminal.as_json:
        terminal.table(
            "Notes",
            {"who": lambda note: note.user, "rating": lambda note: note.rating, "said": lambda note: note.text},
            terminal.client.list_case_notes(case),
        )


@cases.command("save")
@click.argument("run_id", type=int)
@click.option("--title", required=True)
@click.option("--problem", required=True, help="What the case is about.")
@click.option("--need", default="", help="What somebody needs for it.")
@click.option("--result", default="", help="What comes of it.")
@click.option("--field", default="", help="Of work, such as Biotechnology.")
@click.option("--task", default="other", help="As `cases list` shows them.", show_default=True)
@click.option(
    "--language", type=click.Choice(["en", "de", "zh"]), default="en", show_default=True, help="Of the texts."
)
@click.option("--with-data", is_flag=True, help="With the run's data, not only their shape.")
@click.option("--shared", is_flag=True, help="Show it in every project.")
@pass_terminal
def save_case(terminal: Terminal, /, run_id: int, title: str, problem: str, **more: object) -> None:
    """Save a workflow run that ended well as a case."""
    made = terminal.client.save_case(run_id, title, problem, **more)
    terminal.details(made)


@cases.command("share")
@click.argument("case")
@click.option("--here-only", is_flag=True, help="Keep it in its own project again.")
@pass_terminal
def share_case(terminal: Terminal, case: str, here_only: bool) -> None:
    """Show a saved case in every project."""
    terminal.details(terminal.client.share_case(case, not here_only))


@cases.command("delete")
@click.argument("case")
@click.confirmation_option(prompt="The case, its data and what people said of it go for good. Delete it?")
@pass_terminal
def delete_case(terminal: Terminal, case: str) -> None:
    """Delete a saved case; its runs stay."""
    terminal.client.delete_case(case)
    terminal.say(f"“{case}” is deleted.")


@cases.command("export")
@click.argument("case")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_terminal
def export_case(terminal: Terminal, case: str, file: Path) -> None:
    """Write a case into one ZIP file."""
    file.write_bytes(terminal.client.export_case(case))
    terminal.say(f"“{case}” is in {file}.")


@cases.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--shared", is_flag=True, help="Show it in every project.")
@pass_terminal
def import_case(terminal: Terminal, file: Path, shared: bool) -> None:
    """Bring a case from a ZIP file into the project."""
    terminal.details(terminal.client.import_case(terminal.project, file.read_bytes(), shared))


@cases.command("rate")
@click.argument("case")
@click.argument("rating", type=click.IntRange(1, 5))
@click.argument("text", default="")
@pass_terminal
def rate_case(terminal: Terminal, case: str, rating: int, text: str) -> None:
    """Rate a case from 1 to 5, with a few words."""
    terminal.details(terminal.client.rate_case(case, rating, text))


def _plan(case: pb.Case) -> dict[str, Any]:
    return dict(json.loads(case.plan))


def _title(case: pb.Case) -> str:
    """In English, else in the language that it was written in."""
    display = _plan(case).get("display", {})
    return str(display.get("en") or next(iter(display.values()), ""))


COMMANDS = (cases,)
