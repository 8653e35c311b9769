"""What every command is handed: the client, the project, and a way to show results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

from tunesmith.client import Client, connect

M = TypeVar("M", bound=Message)


def only(found: Iterable[M], said: str) -> M:
    """The first of what was found. Raises ClickException with what is said where there is none."""
    for one in found:
        return one
    raise click.ClickException(said)


class Terminal:
    """One run of the command."""

    def __init__(self, data: Path | None, project: str, as_json: bool) -> None:
        self.project = project
        self.console = Console()
        self._data = data
        self.as_json = as_json

    @cached_property
    def client(self) -> Client:
        """Raises NotConfigured."""
        return connect(data=self._data)

    def table(self, title: str, columns: Mapping[str, Callable[[M], object]], rows: Sequence[M]) -> None:
        """Show messages as a table, or as a JSON list."""
        if self.as_json:
            click.echo(json.dumps([plain(row) for row in rows], ensure_ascii=False, indent=2))
            return
        if not rows:
            self.console.print(f"{title}: none yet")
            return
        table = Table(title=title, title_justify="left", header_style="bold")
        for name in columns:
            table.add_column(name, justify="left", overflow="fold")
        for row in rows:
            table.add_row(*(str(show(row)) for show in columns.values()))
        self.console.print(table)

    def details(self, message: Message) -> None:
        """Show one message as its fields, or as a JSON object."""
        fields = plain(message)
        if self.as_json:
            click.echo(json.dumps(fields, ensure_ascii=False, indent=2))
            return
        for name, value in fields.items():
            shown = value if isinstance(value, str | int | float) else json.dumps(value, ensure_ascii=False, indent=2)
            self.console.print(f"[bold]{name}[/bold]  ", end="")
            self.console.print(str(shown), markup=False)

    def say(self, text: str) -> None:
        """A sentence for a person; silent where JSON was asked for."""
        if not self.as_json:
            self.console.print(text, markup=False)


pass_terminal = click.make_pass_decorator(Terminal)

# the fields of our messages that hold JSON as text
_JSON = frozenset(
    (
        "asked", "body", "card", "choices", "details", "facts", "inventory", "look", "manifest", "mapping",
        "parameters", "params", "payload", "plan", "record", "report", "row", "samples", "source",
    )
)  # fmt: skip


def plain(message: Message) -> dict[str, Any]:
    """A message as a dict with all its proto's fields, numbers as numbers; JSON texts inside are opened.

    A message inside that is not there is None.
    """
    absent = {
        field.name for field in message.DESCRIPTOR.fields if field.has_presence and not message.HasField(field.name)
    }
    return {
        field.name: None if field.name in absent else _opened(field.name, getattr(message, field.name))
        for field in message.DESCRIPTOR.fields
    }


def when(seconds: float) -> str:
    """A time in the local zone, to the minute; empty for “not yet”."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M") if seconds else ""


def size(count: float) -> str:
    """Bytes in the binary unit that a person reads."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def seconds_as_words(seconds: float) -> str:
    """A duration as 8.2 s or 3 min 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def _opened(name: str, value: Any) -> Any:
    if isinstance(value, Message):
        return plain(value)
    if isinstance(value, str):
        return json.loads(value) if name in _JSON and value else value
    if isinstance(value, Sequence):
        return [_opened(name, item) for item in value]
    return value
