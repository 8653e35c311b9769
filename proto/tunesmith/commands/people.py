"""`tunesmith people` and `tunesmith members`"""

from __future__ import annotations

import click

from tunesmith.commands.context import Terminal, pass_terminal, when

ROLES = ("Owner", "Developer", "Expert", "Viewer")


@click.group()
def people() -> None:
    """Who can sign in; for administrators."""


@people.command("list")
@pass_terminal
def list_users(terminal: Terminal) -> None:
    """Everybody, by name."""
    terminal.table(
        "People",
        {
            "name": lambda user: user.name,
            "full name": lambda user: user.title,
            "administrator": lambda user: "yes" if user.administrator else "",
            "state": lambda user: "switched off" if not user.active else "invited" if user.invited else "active",
            "since": lambda user: when(user.created_at),
        },
        terminal.client.list_users(),
    )


@people.command()
@click.argument("name")
@click.option("--title", default="", help="The full name.")
@click.option("--administrator", is_flag=True, help="May do everything, in every project.")
@click.option("--role", type=click.Choice(ROLES, case_sensitive=False), help="In the project; left out: in none yet.")
@pass_terminal
def invite(terminal: Terminal, name: str, title: str, administrator: bool, role: str | None) -> None:
    """Add user NAME. The link for their password is shown this once."""
    project = terminal.project if role else ""
    click.echo(terminal.client.invite_user(name, title, administrator, project, role or ""))
    click.echo(f"Send this link to {name}. It works once.", err=True)


@people.command()
@click.argument("name")
@click.confirmation_option(prompt="Their sessions end and their API tokens are void for good. Switch the account off?")
@pass_terminal
def deactivate(terminal: Terminal, name: str) -> None:
    """Let user NAME in no longer."""
    terminal.say(f"{terminal.client.deactivate_user(name).name} is switched off.")


@people.command()
@click.argument("name")
@pass_terminal
def activate(terminal: Terminal, name: str) -> None:
    """Let user NAME in again, with the password they had."""
    terminal.say(f"{terminal.client.activate_user(name).name} may sign in again.")


@people.command()
@click.argument("name")
@pass_terminal
def link(terminal: Terminal, name: str) -> None:
    """Make a new link at which user NAME sets a password. It is shown this once; earlier ones are void."""
    click.echo(terminal.client.create_user_link(name))
    click.echo(f"Send this link to {name}. It works once.", err=True)


@people.command("set-administrator")
@click.argument("name")
@click.argument("answer", type=click.Choice(["yes", "no"]))
@pass_terminal
def set_administrator(terminal: Terminal, name: str, answer: str) -> None:
    """Say whether user NAME may do everything, in every project."""
    user = terminal.client.set_administrator(name, answer == "yes")
    terminal.say(f"{user.name} is {'now an' if user.administrator else 'no longer an'} administrator.")


@people.command("sign-out")
@click.argument("name")
@pass_terminal
def sign_out(terminal: Terminal, name: str) -> None:
    """End each browser session of user NAME; API tokens stay."""
    terminal.say(f"{terminal.client.sign_out_user(name).name} is signed out everywhere.")


@click.group()
def members() -> None:
    """Who is in a project, in which role; for its owners."""


@members.command("list")
@pass_terminal
def list_members(terminal: Terminal) -> None:
    """All members, by name."""
    terminal.table(
        "Members",
        {
            "name": lambda member: member.user,
            "full name": lambda member: member.title,
            "role": lambda member: member.role,
        },
        terminal.client.list_members(terminal.project),
    )


@members.command("set")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES, case_sensitive=False))
@pass_terminal
def set_member(terminal: Terminal, name: str, role: str) -> None:
    """Add user NAME to the project, or change their role."""
    member = terminal.client.set_member(terminal.project, name, role)
    terminal.say(f"{member.user} is now {member.role} in “{terminal.project}”.")


@members.command()
@click.argument("name")
@pass_terminal
def remove(terminal: Terminal, name: str) -> None:
    """Take user NAME out of the project."""
    terminal.client.remove_member(terminal.project, name)
    terminal.say(f"{name} is no longer in “{terminal.project}”.")


COMMANDS = (people, members)
