"""The `tunesmith` command: the public API for a terminal, and the commands that other parts plug in.

A plug-in is an entry point of the group `tunesmith.commands`: `up`, `control-plane` and `agent` come that way, so that
the client needs neither of them.
"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import click

from tunesmith.commands import (
    account,
    automation,
    cases,
    datasets,
    deployments,
    endpoints,
    installation,
    jobs,
    labelling,
    listeners,
    methods,
    models,
    notifications,
    people,
    prompts,
    rewards,
    sweeps,
    things,
    triggers,
    workflows,
)
from tunesmith.commands.context import Terminal
from tunesmith.connection import CallFailed, NotConfigured

PLUG_INS = "tunesmith.commands"


class Commands(click.Group):
    """Our own commands and those that are plugged in; a refused call ends in one sentence and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_plug_ins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        found = _plug_ins().get(cmd_name)
        return own if own is not None or found is None else _load(found)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (CallFailed, NotConfigured) as problem:
            raise click.ClickException(str(problem)) from problem


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a `tunesmith up` on this machine.",
)
@click.option("--project", default="default", show_default=True, envvar="TUNESMITH_PROJECT", help="Project to work in.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
@click.version_option(package_name="tunesmith")
@click.pass_context
def main(ctx: click.Context, data: Path | None, project: str, as_json: bool) -> None:
    """Fine-tune language models on the machines your team already owns."""
    ctx.obj = Terminal(data, project, as_json)


GROUPS = (
    account,
    automation,
    cases,
    datasets,
    deployments,
    endpoints,
    workflows,
    installation,
    jobs,
    labelling,
    listeners,
    methods,
    models,
    notifications,
    people,
    prompts,
    rewards,
    sweeps,
    things,
    triggers,
)
for group in GROUPS:
    for command in group.COMMANDS:
        main.add_command(command)
main.add_command(methods.methods, "method")  # for whoever thinks of one


def _plug_ins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=PLUG_INS)}


def _load(point: EntryPoint) -> click.Command:
    try:
        command = point.load()
    except ModuleNotFoundError as problem:
        return _unavailable(point.name, problem.name or str(problem))
    if not isinstance(command, click.Command):
        raise click.ClickException(f"The plug-in “{point.name}” ({point.value}) is not a command.")
    return command


def _unavailable(name: str, module: str) -> click.Command:
    """Stands for a command whose part is not installed, and says so when it is called."""

    def refuse() -> None:
        raise click.ClickException(f"“{name}” needs the module “{module}”: install Tunesmith with that part.")

    settings = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(name, callback=refuse, context_settings=settings, short_help="(not installed)")


if __name__ == "__main__":
    sys.exit(main())
