"""`tunesmith account`"""

from __future__ import annotations

import sys

import click

from tunesmith.commands.context import Terminal, pass_terminal


@click.group()
def account() -> None:
    """Your own account."""


@account.command()
@pass_terminal
def show(terminal: Terminal) -> None:
    """Who you are."""
    terminal.details(terminal.client.who_am_i())


@account.command("set")
@click.option("--title", help="Your full name.")
@click.option("--language", type=click.Choice(["en", "de", "zh", "browser"]), help="Of your pages.")
@pass_terminal
def set_profile(terminal: Terminal, title: str | None, language: str | None) -> None:
    """Change your full name, the language of your pages, or both."""
    me = terminal.client.who_am_i()
    chosen = {None: me.language, "browser": ""}.get(language, language) or ""
    terminal.details(terminal.client.set_profile(me.title if title is None else title, chosen))


@account.command()
@pass_terminal
def password(terminal: Terminal) -> None:
    """Change your password; both are asked for, or read as two lines from the standard input."""
    old, new = _secret("Current password"), _secret("New password")
    terminal.client.change_password(old, new)
    terminal.say("The password is changed. Every browser is signed out.")


@account.command("sign-out")
@pass_terminal
def sign_out(terminal: Terminal) -> None:
    """End each of your browser sessions; API tokens stay."""
    terminal.client.sign_out_user(terminal.client.who_am_i().name)
    terminal.say("Every browser is signed out.")


def _secret(word: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(word, hide_input=True))
    return sys.stdin.readline().rstrip("\n")


COMMANDS = (account,)
