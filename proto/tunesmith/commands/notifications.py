"""`tunesmith notifications`"""

from __future__ import annotations

import click

from tunesmith.commands.context import Terminal, pass_terminal, when


@click.group()
def notifications() -> None:
    """What became of what you asked for, and what waits for your decision."""


@notifications.command("list")
@click.option("--unread", is_flag=True, help="Only what you have not read.")
@pass_terminal
def list_notifications(terminal: Terminal, unread: bool) -> None:
    """Of the last 30 days, the newest first."""
    found = terminal.client.list_notifications().notifications
    terminal.table(
        "Notifications",
        {
            "new": lambda one: "*" if one.unread else "",
            "when": lambda one: when(one.at),
            "what": lambda one: one.kind,
            "of": lambda one: f"{one.noun} {one.id}",
            "name": lambda one: one.title or one.name,
            "project": lambda one: one.project,
            "message": lambda one: one.message,
        },
        [one for one in found if one.unread or not unread],
    )


@notifications.command()
@pass_terminal
def read(terminal: Terminal) -> None:
    """Mark all as read."""
    terminal.client.mark_notifications_read()
    terminal.say("All notifications are read.")


COMMANDS = (notifications,)
