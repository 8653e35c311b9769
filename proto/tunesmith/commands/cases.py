"""`tunesmith cases`: worked examples from real domains."""

from __future__ import annotations

import json
from typing import Any

import click

from tunesmith.commands.context import Terminal, pass_terminal
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
            "title": lambda case: _plan(case).get("display", {}).get("en", ""),
            "field": lambda case: _plan(case).get("domain", ""),
            "task": lambda case: _plan(case).get("task", ""),
            "minutes": lambda case: _plan(case).get("minutes", ""),
        },
        terminal.client.list_cases(domain, task, minutes),
    )


def _plan(case: pb.Case) -> dict[str, Any]:
    return dict(json.loads(case.plan))


COMMANDS = (cases,)
