"""`tunesmith login` and `tunesmith tokens`. A secret is never an argument: arguments are seen by everybody in `ps`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tunesmith.client import Client
from tunesmith.commands.context import Terminal, pass_terminal, when
from tunesmith.connection import Target


@click.command()
@click.argument("address", metavar="HOST:PORT")
@click.option(
    "--authority",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM file of the control plane's own authority (authority.pem in its data folder).",
)
@pass_terminal
def login(terminal: Terminal, address: str, authority: Path | None) -> None:
    """Keep a control plane's address and an API token, which is asked for or read from the standard input."""
    token = click.prompt("API token", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    target = Target(address, token.strip(), authority.read_text("ascii") if authority else "")
    with Client(target, patience=0.0) as client:
        me = client.who_am_i()
    path = target.save()
    terminal.say(f"Signed in as {me.name}. The token is kept in {path}.")


@click.group()
def tokens() -> None:
    """Secrets for scripts."""


@tokens.command()
@click.argument("name")
@click.option("--days", default=90.0, show_default=True, help="How long it is good.")
@pass_terminal
def create(terminal: Terminal, name: str, days: float) -> None:
    """Make a token of your own. It is shown this once."""
    made = terminal.client.create_api_token(name, days * 86_400)
    click.echo(made.token)
    click.echo(f"Good until {when(made.expires_at)}.", err=True)


@tokens.command("list")
@pass_terminal
def list_tokens(terminal: Terminal) -> None:
    """Your own tokens, the newest first."""
    terminal.table(
        "Tokens",
        {
            "id": lambda token: token.id,
            "name": lambda token: token.name,
            "made": lambda token: when(token.created_at),
            "last used": lambda token: when(token.used_at),
            "good until": lambda token: when(token.expires_at),
        },
        terminal.client.list_api_tokens(),
    )


@tokens.command()
@click.argument("token_id", type=int)
@pass_terminal
def revoke(terminal: Terminal, token_id: int) -> None:
    """Refuse one of your own tokens from now on."""
    terminal.client.revoke_api_token(token_id)
    terminal.say(f"Token {token_id} is revoked.")


COMMANDS = (login, tokens)
